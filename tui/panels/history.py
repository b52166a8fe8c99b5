"""Why? The journal of the selected deployment: what was asked, by whom, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui.panels.styled import styled
from tui.presentation.journal import journal_lines

if TYPE_CHECKING:
    from backend.wire.pilothouse import JournalEntryModel
    from tui.client.connection import Backend
    from tui.client.live import LiveFeed
    from tui.panels.view import DeploymentView

ENTRIES = 200


class HistoryPanel(VerticalScroll):
    """Newest at the bottom, as in a log; follows while the end is in view."""

    hint = "newest at the bottom"

    def __init__(self) -> None:
        super().__init__(id="history")
        self._text = Static(id="history-text")
        self._feed: LiveFeed | None = None
        self._subscription: int | None = None
        self._deployment = ""
        self._own_id = ""
        self._entries: dict[int, JournalEntryModel] = {}

    def compose(self) -> ComposeResult:
        yield self._text

    def show_view(self, view: DeploymentView | None) -> None:
        if view is None:
            self.put_away()
            self._deployment = ""
            self._text.update("Nothing selected.")
            return
        if view.deployment.id == self._deployment and self._subscription is not None:
            return
        self.put_away()
        self._deployment, self._feed = view.deployment.id, view.backend.live
        self._entries.clear()
        self._text.update("Fetching the history")
        self.run_worker(self._learn_own_id(view.backend), group="own-id", exclusive=True)
        self._subscription = self._feed.follow_journal(self._deployment, ENTRIES, self._entries_came, self._refused)

    def put_away(self) -> None:
        if self._feed is not None and self._subscription is not None:
            self._feed.unsubscribe(self._subscription)
        self._subscription = None

    def take_focus(self) -> None:
        self.focus()

    def _entries_came(self, entries: list[JournalEntryModel]) -> None:
        at_end = self.is_vertical_scroll_end
        self._entries.update((entry.sequence, entry) for entry in entries)
        for sequence in sorted(self._entries)[:-ENTRIES]:
            del self._entries[sequence]
        ordered = [self._entries[sequence] for sequence in sorted(self._entries)]
        self._text.update(styled(self, journal_lines(ordered, self._own_id)))
        if at_end:
            self.scroll_end(animate=False)

    async def _learn_own_id(self, backend: Backend) -> None:
        from tui.client.errors import ClientError

        try:
            self._own_id = await backend.own_id()
        except ClientError:
            return  # then the history names the id instead of "you"
        if self._entries:
            self._entries_came([])

    def _refused(self, message: str) -> None:
        self._subscription = None
        self._text.update(styled(self, [[("✖ ", "status-failed"), (message, "")]]))
