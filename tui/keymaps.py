"""Every action of every screen, and the keymap that Textual is given for them."""

from __future__ import annotations

from collections.abc import Mapping

from tui.actions import ACTIONS, Action, binding_id
from tui.environment_actions import ENVIRONMENT_ACTIONS

ALL_ACTIONS: tuple[Action, ...] = (*ACTIONS, *ENVIRONMENT_ACTIONS)


def textual_keymap(keymap: str, overrides: Mapping[str, str] | None = None) -> dict[str, str]:
    """Binding id to keys, for `App.set_keymap`; those without keys are not in it."""
    keys = {binding_id(action): ",".join(action.keys(keymap, overrides)) for action in ALL_ACTIONS}
    return {name: some for name, some in keys.items() if some}


def unknown_overrides(overrides: Mapping[str, str]) -> list[str]:
    """Names in the user's `[keys]` that are no action."""
    known = {action.name for action in ALL_ACTIONS}
    return sorted(name for name in overrides if name not in known)
