"""The history of a deployment, the answer to "why?", as styled lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from tui.presentation.words import clock

if TYPE_CHECKING:
    from backend.wire.pilothouse import JournalEntryModel
    from tui.presentation.overview import Line

Kinds = Literal["all", "changes", "faults", "replicas"]
KINDS: tuple[Kinds, ...] = ("all", "changes", "faults", "replicas")
KIND_WORDS: Mapping[Kinds, str] = {
    "all": "all",
    "changes": "what people asked for",
    "faults": "what went wrong",
    "replicas": "replicas and images",
}
SYSTEM = "system"
INDENT = " " * 11

_SIGNS = {
    "deployment.created": ("✚", "status-updating"),
    "deployment.updated": ("✎", "status-updating"),
    "deployment.deleted": ("✖", "status-failed"),
    "deployment.scaled": ("⇅", "status-updating"),
    "deployment.stop_requested": ("■", "status-stopping"),
    "deployment.start_requested": ("▶", "status-starting"),
    "deployment.rolled_back": ("↶", "status-failed"),
    "domain.added": ("✚", "status-updating"),
    "domain.removed": ("-", "muted"),
    "domain.verified": ("✔", "status-running"),
    "domain.failed": ("✖", "status-failed"),
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
_FAULTS = frozenset(
    {"deployment.rolled_back", "domain.failed", "image.pull_failed", "replica.exited", "replica.unhealthy"}
)


@dataclass(slots=True)
class Story:
    """Lines to draw, and the numbers of those where a fault begins."""

    lines: list[Line] = field(default_factory=list)
    faults: list[int] = field(default_factory=list)


def journal_story(entries: Iterable[JournalEntryModel], own_id: str = "", kinds: Kinds = "all") -> Story:
    """The entries in the order given, of those kinds; a new day gets a line of its own. Under an update stands what it
    changed. `own_id` is the reader's."""
    story = Story()
    day, said = "", ""
    for entry in entries:
        if entry.kind == "deployment.status.changed" and entry.message == said:
            continue  # the status that follows from what was asked, in the same words
        if not _is_of(entry, kinds):
            continue
        said = entry.message
        today = entry.at.astimezone().strftime("%A, %d %B %Y")
        if today != day:
            day = today
            story.lines.append([(today, "muted")])
        if is_fault(entry):
            story.faults.append(len(story.lines))
        story.lines += _entry_lines(entry, own_id)
    return story


def is_fault(entry: JournalEntryModel) -> bool:
    """Whether something went wrong."""
    return entry.kind in _FAULTS or (entry.kind == "deployment.status.changed" and entry.data.get("status") == "failed")


def _is_of(entry: JournalEntryModel, kinds: Kinds) -> bool:
    if kinds == "changes":
        return entry.actor not in ("", SYSTEM)
    if kinds == "faults":
        return is_fault(entry)
    if kinds == "replicas":
        return entry.kind.startswith(("replica.", "image."))
    return True


def _entry_lines(entry: JournalEntryModel, own_id: str) -> list[Line]:
    sign, token = _sign(entry)
    first, *rest = (entry.message or entry.kind).splitlines() or [entry.kind]
    line: Line = [(f"{clock(entry.at)} ", "muted"), (f"{sign} ", token), (first, token if is_fault(entry) else "")]
    if entry.actor and entry.actor != SYSTEM:
        name = "you" if entry.actor == own_id else (entry.actor_name or entry.actor)
        line.append((f"  by {name}", "muted"))
    return [line, *([(INDENT + part, "muted")] for part in rest), *_changes(entry.data.get("differences"))]


def _changes(found: Any) -> list[Line]:
    """`image  nginx:1 → nginx:2`, one line a value. Of environment variables only the names are known."""
    lines: list[Line] = []
    changed = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    new_image = any(one.get("field") == "image" for one in changed)
    for one in changed:
        name = str(one.get("field", ""))
        if name == "digest" and new_image:
            continue  # it follows from the image
        if "change" in one:
            lines.append([(f"{INDENT}{name} ", "muted"), (str(one["change"]), "")])
            continue
        old, new = (_short(str(one.get(side, ""))) for side in ("from", "to"))
        lines.append([(f"{INDENT}{name} ", "muted"), (old, ""), (" → ", "muted"), (new, "")])
    return lines


def _short(value: str) -> str:
    head, at, hexes = value.partition("sha256:")
    return f"{head.rpartition('@')[0]}{'@' if '@' in head else ''}{at}{hexes[:12]}" if at else (value or "none")


def _sign(entry: JournalEntryModel) -> tuple[str, str]:
    if entry.kind == "deployment.status.changed":
        status = str(entry.data.get("status", ""))
        return "●", f"status-{status}" if status else ""
    return _SIGNS.get(entry.kind, ("·", "muted"))
