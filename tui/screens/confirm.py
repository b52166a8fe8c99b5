"""The questions asked before something is lost, as dialogs that name it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.presentation.words import plural
from widgets.confirm import Confirmation, ConfirmDialog

if TYPE_CHECKING:
    from backend.wire.pilothouse import DeploymentModel

NAMED = 8


def delete_question(chosen: Sequence[DeploymentModel]) -> ConfirmDialog:
    """Deleting one: its replicas, address and history go. Deleting several asks for the number to be typed: a wrong
    mark is seen too late in a list of names."""
    if len(chosen) == 1:
        only = chosen[0]
        return ConfirmDialog(
            Confirmation(
                f"Delete {only.app_name}?",
                (
                    f"{plural(only.replicas, 'replica')} of {only.image} end, with all that they wrote",
                    f"{only.url} answers no more",
                    "Its settings, logs and metrics are gone. This cannot be undone",
                ),
                confirm_label="Delete",
            )
        )
    return ConfirmDialog(
        Confirmation(
            f"Delete {len(chosen)} deployments?",
            (
                *(f"{d.app_name}: {plural(d.replicas, 'replica')}, {d.url}" for d in chosen[:NAMED]),
                *((f"and {len(chosen) - NAMED} more",) if len(chosen) > NAMED else ()),
                "Their settings, logs and metrics are gone. This cannot be undone",
            ),
            confirm_label="Delete all",
            typed_name=f"delete {len(chosen)}",
        )
    )


def stop_question(chosen: Sequence[DeploymentModel]) -> ConfirmDialog:
    """Stopping takes an app from its users until it is started, so that it is asked for one as for several."""
    if len(chosen) == 1:
        only = chosen[0]
        return ConfirmDialog(
            Confirmation(
                f"Stop {only.app_name}?",
                (
                    f"{plural(only.replicas, 'replica')} of {only.image} end, with all that they wrote",
                    f"{only.url} answers no more until it is started",
                ),
                confirm_label="Stop",
                dangerous=False,
            )
        )
    return ConfirmDialog(
        Confirmation(
            f"Stop {len(chosen)} deployments?",
            (
                *(f"{d.app_name}: {plural(d.replicas, 'replica')}, {d.url}" for d in chosen[:NAMED]),
                *((f"and {len(chosen) - NAMED} more",) if len(chosen) > NAMED else ()),
                "Their replicas end, with all that they wrote",
                "They answer no more until they are started",
            ),
            confirm_label="Stop all",
        )
    )


def quit_question(running: Sequence[str]) -> ConfirmDialog:
    """Shells end with the app; `running` are their titles."""
    return ConfirmDialog(
        Confirmation(
            f"Leave, and close {plural(len(running), 'terminal')}?",
            (
                *(f"{title}: what runs in it ends" for title in running[:NAMED]),
                *((f"and {len(running) - NAMED} more",) if len(running) > NAMED else ()),
                "Deployments keep running",
            ),
            confirm_label="Leave",
        )
    )
