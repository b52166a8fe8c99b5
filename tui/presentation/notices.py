"""What of all that happens is worth a notification, in few words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from tui.presentation.words import plural

if TYPE_CHECKING:
    from backend.wire.pilothouse import JournalEntryModel, SystemStatusResponse

Severity = Literal["information", "warning", "error"]
LONGEST = 100  # two lines of a toast, mostly
SHOWN_APART = 3
NAMED_TOGETHER = 4


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that happened. `subject` is what it happened to: a newer notice of the same subject takes the place of
    one that was not shown yet. `deployment_id` is empty for what concerns all."""

    subject: str
    title: str
    text: str
    severity: Severity
    at: datetime
    deployment_id: str = ""


class JournalReader:
    """From journal entries to notices. Remembers which deployments were rolled back: that they run again afterwards
    is no news."""

    def __init__(self) -> None:
        self._rolled_back: set[str] = set()

    def read(self, entry: JournalEntryModel, name: str) -> Notice | None:
        """None for what is not worth one. `name` is the deployment's."""
        domain = str(entry.data.get("domain", ""))
        match entry.kind:
            case "deployment.rolled_back":
                self._rolled_back.add(entry.object_id)
                return _about(entry, f"{name} was rolled back", entry.message, "error")
            case "deployment.updated" | "deployment.start_requested":
                self._rolled_back.discard(entry.object_id)
            case "deployment.status.changed":
                return self._status(entry, name)
            case "domain.verified":
                return _about(entry, f"{domain} works", f"It leads to {name}", "information", subject=domain)
            case "domain.failed":
                return _about(entry, f"{domain} does not work", entry.message, "warning", subject=domain)
        return None

    def _status(self, entry: JournalEntryModel, name: str) -> Notice | None:
        status, before = entry.data.get("status"), entry.data.get("previousStatus")
        if status == "failed":
            return _about(entry, f"{name} failed", entry.message, "error")
        if status != "running" or before not in ("updating", "failed"):
            return None
        if entry.object_id in self._rolled_back:
            self._rolled_back.discard(entry.object_id)
            return None
        words = "The update is through" if before == "updating" else "It runs again"
        return _about(entry, f"{name} is running", words, "information")


def _about(entry: JournalEntryModel, title: str, text: str, severity: Severity, *, subject: str = "") -> Notice:
    return Notice(subject or entry.object_id, title, text, severity, entry.at, entry.object_id)


def connection_notice(stale: bool, fault: str, now: datetime) -> Notice:
    """The backend went away, or is back."""
    if stale:
        return Notice("backend", "The backend is away", fault, "error", now)
    return Notice("backend", "The backend is back", "What you see is live again", "information", now)


def engine_notice(before: SystemStatusResponse, after: SystemStatusResponse, now: datetime) -> Notice | None:
    """The container engine stopped answering, or answers again; None where neither is so."""
    was, now_is = before.engine.status == "ok", after.engine.status == "ok"
    if was == now_is:
        return None
    if was:
        return Notice("engine", "The container engine is away", after.engine.message, "error", now)
    return Notice("engine", "The container engine is back", "It answers again", "information", now)


def gathered(notices: Sequence[Notice]) -> list[Notice]:
    """What to pop up for notices that came at about the same time: the newest of each subject, and where those are too
    many, one that names a few and counts the rest."""
    newest = list({notice.subject: notice for notice in notices}.values())
    if len(newest) <= SHOWN_APART:
        return newest
    worst: Severity = "error" if any(notice.severity == "error" for notice in newest) else "information"
    # What failed is what must be read, so that it is named first.
    ranked = sorted(newest, key=lambda notice: ("error", "warning", "information").index(notice.severity))
    lines = [notice.title for notice in ranked[:NAMED_TOGETHER]]
    if len(ranked) > NAMED_TOGETHER:
        lines.append(f"and {len(ranked) - NAMED_TOGETHER} more")
    return [Notice("several", plural(len(newest), "notification"), "\n".join(lines), worst, newest[-1].at)]


def short(text: str) -> str:
    """The first line, cut to what a toast can hold."""
    first = text.strip().partition("\n")[0]
    return first if len(first) <= LONGEST else f"{first[: LONGEST - 1]}…"
