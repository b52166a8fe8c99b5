"""LogView: a live log that stays cheap in a flood, with follow and pause, search, filters, wrapping and copying."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from widgets.log_lines import LogLines
from widgets.log_state import LogState, state_line
from widgets.log_store import LEVELS, LogLine, LogStore

__all__ = ["LEVELS", "LogLine", "LogView"]


class LogView(Vertical):
    """Lines of a log, the newest last.

    Give lines with `append`. Scrolling up pauses, `G` or `end` (or reaching the end) follows again. At most
    `max_lines` are held; older ones go. While paused none goes: up to `max_lines` new ones are added, the newest of
    those that come after them wait until the view follows again, and a marker tells of what was lost between.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", show=False),
        Binding("k,up", "move(-1)", "Up", show=False),
        Binding("ctrl+d", "move_page(0.5)", "Half page down", show=False),
        Binding("ctrl+u", "move_page(-0.5)", "Half page up", show=False),
        Binding("pagedown", "move_page(1)", "Page down", show=False),
        Binding("pageup", "move_page(-1)", "Page up", show=False),
        Binding("g,home", "first", "Oldest line", show=False),
        Binding("G,end", "follow", "Newest line, follow", show=False),
        Binding("left", "move_sideways(-8)", "Left", show=False),
        Binding("right", "move_sideways(8)", "Right", show=False),
        Binding("space", "toggle_follow", "Pause or follow", show=False),
        Binding("slash", "search", "Search", show=False),
        Binding("ampersand", "filter", "Filter", show=False),
        Binding("n", "next_match(1)", "Next match", show=False),
        Binding("N", "next_match(-1)", "Previous match", show=False),
        Binding("L", "cycle_level", "Least level", show=False),
        Binding("w", "toggle_wrap", "Wrap", show=False),
        Binding("t", "toggle_timestamps", "Timestamps", show=False),
        Binding("c", "copy", "Copy", show=False),
        Binding("escape", "leave_search", "Leave search", show=False),
    ]

    DEFAULT_CSS = """
    LogView {
        height: 1fr;
        & > .log-view--state { height: 1; color: $foreground-muted; padding: 0 1; }
        & > Input { height: 1; border: none; padding: 0 1; display: none; background: $surface; }
        &.-asking > Input { display: block; }
        &.-asking > .log-view--state { display: none; }
    }
    """

    class FollowChanged(Message):
        """The view began or ceased to follow the newest line."""

        def __init__(self, view: LogView, following: bool) -> None:
            super().__init__()
            self.view = view
            self.following = following

        @property
        def control(self) -> LogView:
            return self.view

    class Copied(Message):
        """Text went to the clipboard through `App.copy_to_clipboard`."""

        def __init__(self, view: LogView, text: str) -> None:
            super().__init__()
            self.view = view
            self.text = text

        @property
        def control(self) -> LogView:
            return self.view

    def __init__(
        self,
        *,
        max_lines: int = 10_000,
        wrap: bool = True,
        show_timestamps: bool = True,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._store = LogStore(max_lines)
        self._lines = LogLines(self._store)
        self._lines.set_reactive(LogLines.wrap, wrap)
        self._lines.set_reactive(LogLines.show_timestamps, show_timestamps)
        self._state = Static("", classes="log-view--state")
        self._input = Input(compact=True)
        self._asking = ""
        self._told_following = True

    def compose(self) -> ComposeResult:
        yield self._lines
        yield self._state
        yield self._input

    def on_mount(self) -> None:
        self._tell_state()

    def focus(self, scroll_visible: bool = True) -> LogView:
        """Focus the lines."""
        self._lines.focus(scroll_visible)
        return self

    # Lines in, text out

    def append(self, lines: Sequence[LogLine], *, dropped: int = 0) -> None:
        """Add lines at the end, after a marker where `dropped` lines are missing before them. Cheap at any rate."""
        self._lines.append(lines, dropped)

    def clear(self) -> None:
        """Forget all lines, keep search and filters, and follow."""
        self._lines.clear()

    def export_text(self, *, shown_only: bool = True) -> str:
        """All lines held (or only those that pass the filters) as text: timestamp, source, level, text."""
        self._lines.flush()
        entries = [self._store[n] for n in self._store.view] if shown_only else self._store.entries
        rows = (" ".join(part for part in (e.timestamp, e.source, e.level, e.text) if part) for e in entries)
        return "".join(f"{row}\n" for row in rows)

    @property
    def line_count(self) -> int:
        """Lines held, those that a filter hides included."""
        return len(self._store.entries)

    @property
    def shown_count(self) -> int:
        """Lines that pass the filters."""
        return len(self._store.view)

    @property
    def match_count(self) -> int:
        """Lines that the search matches, among those shown."""
        return len(self._store.matches)

    @property
    def sources(self) -> tuple[str, ...]:
        """Sources seen, in order of appearance."""
        return tuple(self._store.sources)

    @property
    def idle_text(self) -> str:
        """Why no lines are to be expected, said in place of them and of the state; "" where they are."""
        return self._lines.idle_text

    @idle_text.setter
    def idle_text(self, text: str) -> None:
        if text != self._lines.idle_text:
            self._lines.idle_text = text
            self._repaint()

    @property
    def following(self) -> bool:
        return self._lines.following

    @following.setter
    def following(self, following: bool) -> None:
        self._lines.following = following

    @property
    def new_lines(self) -> int:
        """Lines shown that came since the view was paused, and can be scrolled to."""
        return self._lines.new_lines

    @property
    def wrap(self) -> bool:
        return self._lines.wrap

    @property
    def show_timestamps(self) -> bool:
        return self._lines.show_timestamps

    # Search and filters

    def search(self, text: str) -> int:
        """Highlight `text` (case counts only where it has capitals) and go to the last match; how many lines match."""
        self._lines.flush()
        self._store.set_search(text)
        self._lines.current = None
        self._repaint()
        if self._store.matches:
            self._go_to_match(len(self._store.matches) - 1)
        return len(self._store.matches)

    def set_filter(self, text: str | None = None, *, level: str | None = None, source: str | None = None) -> None:
        """Show only lines with `text`, at least of `level` (one of LEVELS), of `source`. "" lifts one, None keeps it.

        Raises:
            ValueError: Unknown level.
        """
        store = self._store
        if level and level not in LEVELS:
            raise ValueError(f"{level!r} is no level; levels are {', '.join(LEVELS)}")
        wanted = (
            store.filter.text if text is None else text,
            store.minimum_level if level is None else level,
            store.source if source is None else source,
        )
        self._lines.rebuild(lambda: store.set_filter(*wanted))

    def _go_to_match(self, index: int) -> None:
        self._lines.current = self._store.matches[index]
        self._lines.show_line(self._lines.current)
        self._repaint()

    def _repaint(self) -> None:
        self._lines.repaint()
        self._tell_state()

    # State line

    @on(LogLines.StateChanged)
    def _tell_state(self, event: LogLines.StateChanged | None = None) -> None:
        if event is not None:
            event.stop()
        if not self.is_mounted:
            return
        if self.following != self._told_following:
            self._told_following = self.following
            self.post_message(self.FollowChanged(self, self.following))
        # Not the width of the line itself, which has none while one is asked for a text in its place.
        width = self.content_size.width - self._state.gutter.width
        words = "" if self.idle_text or width <= 0 else state_line(self._log_state, width)
        self._state.update(Content(words), layout=False)

    def on_resize(self) -> None:
        self.call_after_refresh(self._tell_state)

    @property
    def _log_state(self) -> LogState:
        store, current = self._store, self._lines.current
        return LogState(
            following=self.following,
            new=self.new_lines,
            lost=self._lines.lost_lines,
            waiting=self._lines.waiting,
            search=store.search.text,
            match=store.matches.index(current) + 1 if current in store.matches else None,
            matches=len(store.matches),
            filter=store.filter.text,
            level=store.minimum_level,
            source=store.source,
            shown=len(store.view),
            held=len(store.entries),
        )

    # Keys

    def action_move(self, rows: int) -> None:
        self._lines.move(rows)

    def action_move_page(self, pages: float) -> None:
        self._lines.move(int(pages * self._lines.size.height))

    def action_move_sideways(self, columns: int) -> None:
        self._lines.scroll_to(x=self._lines.scroll_x + columns, animate=False)

    def action_first(self) -> None:
        self._lines.move(-self._lines.rows.count)

    def action_follow(self) -> None:
        self.following = True

    def action_toggle_follow(self) -> None:
        self.following = not self.following

    def action_toggle_wrap(self) -> None:
        self._lines.toggle_wrap()

    def action_toggle_timestamps(self) -> None:
        self._lines.toggle_timestamps()

    def action_cycle_level(self) -> None:
        steps = ["", "info", "warning", "error"]
        level = self._store.minimum_level
        self.set_filter(level=steps[(steps.index(level) + 1) % len(steps)] if level in steps else "")

    def action_next_match(self, step: int) -> None:
        """Next (newer) or previous match of the search, round the ends."""
        matches = self._store.matches
        if matches:
            at = matches.index(self._lines.current) + step if self._lines.current in matches else -1
            self._go_to_match(at % len(matches))

    def action_copy(self) -> None:
        """Copy the selection, else the current line (of the search, or clicked), else the newest line in view."""
        text = self.screen.get_selected_text() or self._lines.current_text()
        if text:
            self.app.copy_to_clipboard(text)
            self.post_message(self.Copied(self, text))

    def action_search(self) -> None:
        self._ask("search", "Search: enter goes to matches, esc leaves", self._store.search.text)

    def action_filter(self) -> None:
        self._ask("filter", "Show only lines with this text", self._store.filter.text)

    def _ask(self, what: str, placeholder: str, value: str) -> None:
        self._asking = what
        self._input.placeholder = placeholder
        self._input.value = value
        self.add_class("-asking")
        self._input.focus()

    def _stop_asking(self) -> None:
        self._asking = ""
        self.remove_class("-asking")
        self._lines.focus()

    @on(Input.Changed)
    def _asked_changed(self, event: Input.Changed) -> None:
        event.stop()

    @on(Input.Submitted)
    def _asked(self, event: Input.Submitted) -> None:
        event.stop()
        what = self._asking
        self._stop_asking()
        if what == "search":
            self.search(event.value)
        elif what == "filter":
            self.set_filter(event.value)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Esc is ours only while there is something to leave; else it goes on to the screen."""
        if action == "leave_search":
            return bool(self._asking or self._store.search or self._store.filter)
        return True

    def action_leave_search(self) -> None:
        if self._asking:
            self._stop_asking()
        elif self._store.search:
            self._store.set_search("")
            self._lines.current = None
            self._repaint()
        else:
            self.set_filter("")
