"""Why? The journal of the selected deployment: what was asked, by whom, what it changed, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui.panels.styled import styled
from tui.panels.view import HintChanged
from tui.presentation.journal import KIND_WORDS, KINDS, Story, journal_story

if TYPE_CHECKING:
    from backend.wire.pilothouse import JournalEntryModel
    from tui.client.connection import Backend
    from tui.client.live import LiveFeed
    from tui.panels.view import DeploymentView

ENTRIES = 200


class HistoryPanel(VerticalScroll):
    """Newest at the bottom, as in a log; follows while the end is in view."""

    BINDINGS = [
        Binding("t", "turn_kinds", "Kind", show=False),
        Binding("n", "jump(1)", "Next fault", show=False),
        Binding("N", "jump(-1)", "Previous fault", show=False),
        Binding("j", "scroll_down", show=False),
        Binding("k", "scroll_up", show=False),
        Binding("g", "scroll_home", show=False),
        Binding("G", "scroll_end", show=False),
        Binding("ctrl+d", "page_down", show=False),
        Binding("ctrl+u", "page_up", show=False),
        Binding("c", "copy", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(id="history")
        self._text = Static(id="history-text")
        self._feed: LiveFeed | None = None
        self._subscription: int | None = None
        self._deployment = ""
        self._own_id = ""
        self._kinds = KINDS[0]
        self._story = Story()
        self._at_fault = -1
        self._entries: dict[int, JournalEntryModel] = {}

    @property
    def hint(self) -> str:
        return f"[@click=screen.front('turn_kinds')]t {KIND_WORDS[self._kinds]}[/]"

    def compose(self) -> ComposeResult:
        yield self._text

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self._paint())

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
        self._at_fault = -1
        self._text.update("Fetching the history")
        self.run_worker(self._learn_own_id(view.backend), group="own-id", exclusive=True)
        self._subscription = self._feed.follow_journal(self._deployment, ENTRIES, self._entries_came, self._refused)

    def put_away(self) -> None:
        if self._feed is not None and self._subscription is not None:
            self._feed.unsubscribe(self._subscription)
        self._subscription = None

    def take_focus(self) -> None:
        self.screen.set_focus(self)

    def _entries_came(self, entries: list[JournalEntryModel]) -> None:
        self._entries.update((entry.sequence, entry) for entry in entries)
        for sequence in sorted(self._entries)[:-ENTRIES]:
            del self._entries[sequence]
        self._paint()

    def _paint(self) -> None:
        if self._subscription is None:
            return
        at_end = self.is_vertical_scroll_end
        ordered = [self._entries[sequence] for sequence in sorted(self._entries)]
        self._story = journal_story(ordered, self._own_id, self._kinds)
        nothing = [[(f"Nothing of this kind: {KIND_WORDS[self._kinds]}. t shows others.", "muted")]]
        self._text.update(styled(self, self._story.lines or nothing))
        if at_end:
            self.scroll_end(animate=False)

    async def _learn_own_id(self, backend: Backend) -> None:
        from tui.client.errors import ClientError

        try:
            self._own_id = await backend.own_id()
        except ClientError:
            return  # then the history has the user's name instead of "you"
        if self._entries:
            self._paint()

    def _refused(self, message: str) -> None:
        self._subscription = None
        self._text.update(styled(self, [[("✖ ", "status-failed"), (message, "")]]))

    # --- finding one's way -------------------------------------------------------------------------------

    def action_turn_kinds(self) -> None:
        """Shows the next kind of entries only."""
        self._kinds = KINDS[(KINDS.index(self._kinds) + 1) % len(KINDS)]
        self._at_fault = -1
        self._paint()
        self.scroll_end(animate=False)
        self.post_message(HintChanged())

    def action_jump(self, step: int) -> None:
        """To the next fault, or the one before; from the end the first jump back finds the newest."""
        faults = self._story.faults
        if not faults:
            self.notify("Nothing went wrong here", timeout=3)
            return
        if self._at_fault < 0:
            self._at_fault = len(faults) - 1 if step < 0 else 0
        else:
            self._at_fault = (self._at_fault + step) % len(faults)
        self.scroll_to(y=self._row_of(faults[self._at_fault]), animate=False)

    def _row_of(self, line: int) -> int:
        """The row on the screen where a line begins, with those before it wrapped as they are drawn."""
        width = max(1, self._text.size.width)
        console = Console(width=width)
        before = styled(self, self._story.lines[:line])
        return len(before.wrap(console, width)) if line else 0

    def action_copy(self) -> None:
        """A selection with the mouse, else the whole history as shown."""
        selected = self.screen.get_selected_text()
        text = "\n".join("".join(part for part, _ in line) for line in self._story.lines)
        self.app.copy_to_clipboard(selected or text)
        self.notify("The selection is copied" if selected else "The history is copied", timeout=3)
