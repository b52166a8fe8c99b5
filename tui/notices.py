"""Notifications: gathered from the journal and the connection, popped up a few at a time, kept to be read later."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tui.presentation.notices import JournalReader, Notice, connection_notice, engine_notice, gathered, short

if TYPE_CHECKING:
    from textual.app import App
    from textual.timer import Timer

    from backend.wire.pilothouse import JournalEntryModel, SystemStatusResponse
    from tui.client.live import LiveState

KEPT = 100
GATHER_SECONDS = 0.7
QUIET_SECONDS = 4.0
TOAST_SECONDS = {"information": 3.0, "warning": 5.0, "error": 5.0}
"""Not long: the list and the journal tell the same, and stay."""


class Notices:
    """Pops up at most every few seconds, whatever happens in between; `history` has the last ones, oldest first."""

    def __init__(self, app: App[None], muted: Callable[[], bool]) -> None:
        """`muted` says whether nothing pops up now; what happens is kept all the same."""
        self.history: deque[Notice] = deque(maxlen=KEPT)
        self.on_change: Callable[[], None] | None = None
        self._app = app
        self._muted = muted
        self._reader = JournalReader()
        self._waiting: list[Notice] = []
        self._timer: Timer | None = None
        self._quiet = False
        self._newest: int | None = None
        self._names: dict[str, str] = {}
        self._system: SystemStatusResponse | None = None
        self._stale: bool | None = None

    def forget(self) -> None:
        """Another user is here: what comes next is read as at the start."""
        self.history.clear()
        self._waiting.clear()
        self._names.clear()
        self._newest = None
        self._reader = JournalReader()

    def journal_came(self, entries: list[JournalEntryModel]) -> None:
        """The first entries that come are what was before: read, not told. After a reconnect what was missed is
        told."""
        first = self._newest is None
        for entry in entries:
            if self._newest is not None and entry.sequence <= self._newest:
                continue
            name = str(entry.data.get("appName") or self._names.get(entry.object_id) or entry.object_id)
            self._names[entry.object_id] = name
            notice = self._reader.read(entry, name)
            if notice is not None:
                self._add(notice, tell=not first)
        newest = max((entry.sequence for entry in entries), default=0)
        self._newest = max(self._newest or 0, newest)

    def state_came(self, state: LiveState) -> None:
        """The world as the live feed sees it now."""
        for deployment in state.deployments.values():
            self._names[deployment.id] = deployment.app_name
        if not state.known:
            return
        now = datetime.now(UTC)
        if self._stale is not None and state.stale != self._stale:
            self._add(connection_notice(state.stale, state.fault, now))
        self._stale = state.stale
        system = state.system
        if system is not None:
            if self._system is not None and (notice := engine_notice(self._system, system, now)) is not None:
                self._add(notice)
            self._system = system

    def _add(self, notice: Notice, *, tell: bool = True) -> None:
        self.history.append(notice)
        if self.on_change is not None:
            self.on_change()
        if tell and not self._muted():
            self._waiting.append(notice)
            if self._timer is None:
                self._timer = self._app.set_timer(QUIET_SECONDS if self._quiet else GATHER_SECONDS, self._pop_up)

    def _pop_up(self) -> None:
        self._timer = None
        waiting, self._waiting = self._waiting, []
        if not waiting or self._muted():
            return
        for notice in gathered(waiting):
            text = notice.text if notice.subject == "several" else short(notice.text)
            self._app.notify(
                text,
                title=notice.title,
                severity=notice.severity,
                timeout=TOAST_SECONDS[notice.severity],
                markup=False,
            )
        self._quiet = True
        self._app.set_timer(QUIET_SECONDS, self._loud_again)

    def _loud_again(self) -> None:
        self._quiet = False
