"""The history of a deployment, the answer to "why?", as styled lines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tui.presentation.words import clock

if TYPE_CHECKING:
    from backend.wire.pilothouse import JournalEntryModel
    from tui.presentation.overview import Line

_SIGNS = {
    "deployment.created": ("✚", "status-updating"),
    "deployment.updated": ("✎", "status-updating"),
    "deployment.deleted": ("✖", "status-failed"),
    "deployment.scaled": ("⇅", "status-updating"),
    "deployment.stop_requested": ("■", "status-stopping"),
    "deployment.start_requested": ("▶", "status-starting"),
    "deployment.rolled_back": ("↶", "status-failed"),
    "image.pulling": ("↓", "status-pending"),
    "image.pulled": ("↓", "status-running"),
    "image.pull_failed": ("✖", "status-failed"),
    "replica.created": ("+", ""),
    "replica.ready": ("✔", "status-running"),
    "replica.exited": ("✖", "status-failed"),
    "replica.unhealthy": ("!", "status-failed"),
    "replica.removed": ("-", "muted"),
    "ingress.routed": ("→", "status-running"),
}


def journal_lines(entries: Iterable[JournalEntryModel], own_id: str = "") -> list[Line]:
    """One line an entry, in the order given; a new day gets a line of its own. `own_id` is the reader's."""
    lines: list[Line] = []
    day, said = "", ""
    for entry in entries:
        if entry.kind == "deployment.status.changed" and entry.message == said:
            continue  # the status that follows from what was asked, in the same words
        said = entry.message
        today = entry.at.astimezone().strftime("%A, %d %B %Y")
        if today != day:
            day = today
            lines.append([(today, "muted")])
        sign, token = _sign(entry)
        first, *rest = (entry.message or entry.kind).splitlines() or [entry.kind]
        line: Line = [
            (f"{clock(entry.at)} ", "muted"),
            (f"{sign} ", token),
            (first, token if "fail" in entry.kind else ""),
        ]
        if entry.actor and entry.actor != "system":
            line.append(("  by you" if entry.actor == own_id else f"  by {entry.actor}", "muted"))
        lines.append(line)
        lines += [[(" " * 11 + part, "muted")] for part in rest]
    return lines


def _sign(entry: JournalEntryModel) -> tuple[str, str]:
    if entry.kind == "deployment.status.changed":
        status = str(entry.data.get("status", ""))
        return "●", f"status-{status}" if status else ""
    return _SIGNS.get(entry.kind, ("·", "muted"))
