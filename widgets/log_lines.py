"""LogLines: the scrolling area of a LogView. Only visible rows are ever drawn, at most 15 times a second."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from time import monotonic
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from widgets.log_painter import LogPainter
from widgets.log_rows import RowIndex, height
from widgets.log_store import MARKER, LogLine, LogStore
from widgets.style_tokens import token_style

FRAME = 1 / 15
"""Least seconds between two repaints caused by new lines."""
PAUSED_SHARE = 2
"""How many times `max_lines` are held while paused: nothing goes then, and there is room for as many new ones."""


def _marker(dropped: int, why: str) -> LogLine:
    noun = "line" if dropped == 1 else "lines"
    return LogLine("", MARKER, "", f"─── {dropped:,} {noun} dropped: {why} ───")


class LogLines(ScrollView, can_focus=True, inherit_bindings=False):
    """Rows of a LogStore. Use it through LogView, which owns the keys."""

    ALLOW_SELECT = True
    COMPONENT_CLASSES: ClassVar[set[str]] = {"log-lines--current-match"}
    DEFAULT_CSS = """
    LogLines {
        height: 1fr;
        color: $foreground;
        overflow-x: auto;
        overflow-y: scroll;
        scrollbar-size: 1 1;
        & > .log-lines--current-match { background: $warning; color: $background; text-style: bold; }
    }
    """

    following: var[bool] = var(True, init=False)
    """Whether the newest line stays in view."""
    wrap: var[bool] = var(True, init=False)
    show_timestamps: var[bool] = var(True, init=False)

    class StateChanged(Message):
        """Something that the status line tells has changed."""

    def __init__(self, store: LogStore, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.store = store
        self.rows = RowIndex()
        self.idle_text = ""
        self.lost_lines = 0
        """Lines that came while paused and could not be kept."""
        self._paused_at = 0
        self.current: int | None = None
        self._painter = LogPainter(self)
        self._pending: list[LogLine] = []
        self._timer: Timer | None = None
        self._last_flush = 0.0
        self._scrolling_itself = False
        self._laid_out_width = 0

    # Lines in

    def append(self, lines: Sequence[LogLine], dropped: int = 0) -> None:
        """Queue lines for the next repaint, after a marker where some were `dropped` before them."""
        if dropped:
            self._pending.append(_marker(dropped, "they came too fast"))
        self._pending.extend(lines)
        self._bound_pending()
        if self._pending:
            self._flush_soon()

    def _flush_soon(self) -> None:
        if self._timer is None and self.is_mounted:
            self._timer = self.set_timer(max(0.001, self._last_flush + FRAME - monotonic()), self.flush)

    def _bound_pending(self) -> None:
        most = self.store.max_lines
        if self.following:
            if len(self._pending) > 2 * most:
                del self._pending[:-most]
        elif len(self._pending) >= most:
            self.flush()
            # One fewer than are held: the marker that tells of the lost ones has room too.
            excess = len(self._pending) - (most - 1)
            if excess > 0:
                del self._pending[:excess]
                self.lost_lines += excess

    def on_mount(self) -> None:
        self.flush()

    def flush(self) -> None:
        """Take in what was appended since the last repaint."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        taken = self._take_pending()
        overfull = self.following and len(self.store.entries) > self.store.max_lines
        if not taken and not overfull:
            if self._pending:
                self.post_message(self.StateChanged())
            return
        anchor = self.place_at(0)
        change = self.store.append(taken, trim=self.following)
        if taken and self._painter.measure(self.store, len(taken)):
            self._lay_out()
        else:
            kept = max(0, len(self.rows) - change.trimmed)
            self.rows.trim(len(self.rows) - kept)
            self.rows.extend(self._heights(self.store.view[kept:]))
        self._last_flush = monotonic()
        if self.current is not None and self.current not in self.store:
            self.current = None
        if not self.following and not self._painter.measured_anew:
            # Nothing in view moved: only the scrollbar learns of the new lines.
            self._resize_content()
            self.post_message(self.StateChanged())
            return
        self._show_change(anchor)

    def _take_pending(self) -> list[LogLine]:
        """What goes into the store now. Where paused nothing may go from its start, so that it takes what it has room
        for, and the newest lines wait."""
        pending = self._pending
        if self.following:
            self._pending = []
            if self.lost_lines:
                pending.insert(0, _marker(self.lost_lines, "while paused"))
                self.lost_lines = 0
            return pending
        room = max(0, PAUSED_SHARE * self.store.max_lines - len(self.store.entries))
        if not room:
            return []
        self._pending = pending[room:]
        return pending[:room]

    @property
    def new_lines(self) -> int:
        """Lines shown that came since the view was paused, and can be scrolled to."""
        if self.following:
            return 0
        return len(self.store.view) - bisect_left(self.store.view, self._paused_at)

    @property
    def waiting(self) -> bool:
        """Whether more lines came while paused than can be scrolled to: they are shown once the view follows again."""
        full = len(self.store.entries) >= PAUSED_SHARE * self.store.max_lines
        return not self.following and full and bool(self._pending)

    def clear(self) -> None:
        """Forget all lines and follow again."""
        self._pending.clear()
        self.lost_lines = 0
        self.store.clear()
        self._painter.reset()
        self.current = None
        self.following = True
        self._lay_out()
        self._show_change(None)

    def rebuild(self, change: Callable[[], None] | None = None) -> None:
        """Lay out all lines again after `change` (a filter, a look). Where paused, the line on top stays on top."""
        self.flush()
        anchor = self.place_at(0)
        if change is not None:
            change()
        self._lay_out()
        self._show_change(anchor)

    def _lay_out(self) -> None:
        self._painter.forget()
        self._laid_out_width = self.scrollable_content_region.width
        self.rows.trim(len(self.rows))
        self.rows.extend(self._heights(self.store.view))
        if self.is_attached and self.text_selection is not None:
            self.screen.clear_selection()

    def _heights(self, numbers: Sequence[int]) -> list[int]:
        if not self.wrap:
            return [1] * len(numbers)
        width = self._painter.body_width(self._laid_out_width)
        return [height(self.store[number].text, width) for number in numbers]

    def _show_change(self, anchor: tuple[int, int] | None) -> None:
        self._resize_content()
        if self.following:
            self._scroll_itself(self.max_scroll_y)
        elif anchor is not None:
            self._scroll_itself(self._row_of(*anchor))
        self.refresh()
        self.post_message(self.StateChanged())

    def _resize_content(self) -> None:
        size = Size(0 if self.wrap else self._painter.widest, self.rows.count)
        if size == self.virtual_size:
            return
        self._scrolling_itself = True
        try:
            self._set_content_size(size)
        finally:
            self._scrolling_itself = False

    def _set_content_size(self, size: Size) -> None:
        if size.width <= self.scrollable_content_region.width:
            # The vertical scrollbar is always there, so a longer log needs no new layout of the screen.
            self.set_reactive(Widget.virtual_size, size)
            self._scroll_update(size)
        else:
            self.virtual_size = size

    def repaint(self) -> None:
        """Draw what is in view anew: matches or the current line changed."""
        self._painter.forget()
        self.refresh()

    def toggle_wrap(self) -> None:
        def change() -> None:
            self.wrap = not self.wrap
            self.scroll_to(x=0, animate=False)

        self.rebuild(change)

    def toggle_timestamps(self) -> None:
        def change() -> None:
            self.show_timestamps = not self.show_timestamps

        self.rebuild(change)

    # Where things are

    def place_at(self, y: int) -> tuple[int, int] | None:
        """(number of the line, which of its rows) shown at `y` of the window."""
        place = self.rows.line_at(self.rows.first + round(self.scroll_y) + y)
        return None if place is None else (self.store.view[place[0]], place[1])

    def _row_of(self, number: int, row: int = 0) -> int:
        """Row, from the first one held, of a line; of the next one shown where the filter hides it."""
        index = bisect_left(self.store.view, number)
        if index >= len(self.store.view):
            return self.rows.count
        if self.store.view[index] != number:
            row = 0
        return self.rows.start_of(index) - self.rows.first + row

    def show_line(self, number: int) -> None:
        """Scroll so that a line is in view, and stay there."""
        row, page = self._row_of(number), self.scrollable_content_region.height
        self.following = False
        if not self.scroll_y <= row < self.scroll_y + page:
            self._scroll_itself(row - page // 2)

    # Scrolling

    def _scroll_itself(self, y: float) -> None:
        self._scrolling_itself = True
        try:
            self.scroll_to(y=max(0, y), animate=False, force=True)
        finally:
            self._scrolling_itself = False

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if self._scrolling_itself or old_value == new_value:
            return
        if new_value >= self.max_scroll_y:
            # A window that grew may clamp the position downwards: that is still the end, and no pause.
            self.following = self.following or new_value > old_value
        elif new_value < old_value:
            self.following = False

    def watch_following(self, following: bool) -> None:
        if not following:
            self._paused_at = self.store.end
        else:
            # What waited comes as if it came now, and what is too much goes.
            self._flush_soon()
            # Already there where an animated scroll reached the end; to scroll now would break into the animation.
            if self.scroll_y < self.max_scroll_y:
                self._scroll_itself(self.max_scroll_y)
        self.post_message(self.StateChanged())

    def move(self, rows: int) -> None:
        """Scroll by rows, as the user does: up pauses, reaching the end follows again."""
        self.scroll_to(y=max(0, min(self.scroll_y + rows, self.max_scroll_y)), animate=False)

    def on_resize(self, event: events.Resize) -> None:
        if self.scrollable_content_region.width != self._laid_out_width:
            self.rebuild()
        elif self.following:
            self._scroll_itself(self.max_scroll_y)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        place = None if offset is None else self.place_at(offset.y)
        if place is not None:
            self.current = place[0]

    # Painting

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._painter.forget()

    def render_lines(self, crop: Region) -> list[Strip]:
        self._painter.begin()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        place = self.place_at(y)
        if place is None:
            return self._nothing(width) if y == 0 and not self.rows.count else Strip.blank(width, self.rich_style)
        row = self.rows.first + round(self.scroll_y) + y
        selection = self.text_selection
        span = None if selection is None else selection.get_span(row)
        strip = self._painter.strip(*place, row, span)
        left = round(self.scroll_x)
        if left == 0 and strip.cell_length == width:
            return strip
        return strip.crop_extend(left, left + width, self.rich_style)

    def _nothing(self, width: int) -> Strip:
        """In place of lines: why there are none."""
        words = self.idle_text or "No output yet"
        if self.store.entries:
            words = "No line is let through by the filter"
        style = self.rich_style + token_style(self, "muted")
        return Strip([Segment(words, style)]).adjust_cell_length(width, self.rich_style)

    # Text out

    def current_text(self) -> str:
        """The whole current line: of the search or clicked, else the last one in view; "" where there is none."""
        number = self.current
        if number is None or number not in self.store:
            if not self.rows.count:
                return ""
            bottom = min(self.scrollable_content_region.height, self.rows.count - round(self.scroll_y)) - 1
            place = self.place_at(bottom)
            if place is None:
                return ""
            number = place[0]
        return self.store[number].text

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        first = self.rows.first if selection.start is None else max(selection.start.y, self.rows.first)
        last = self.rows.end - 1 if selection.end is None else min(selection.end.y, self.rows.end - 1)
        text = ""
        for row in range(first, last + 1):
            place = self.rows.line_at(row)
            span = selection.get_span(row)
            if place is None or span is None:
                continue
            start, end = span
            prefix, body = self._painter.row_text(self.store.view[place[0]], place[1])
            if place[1] == 0:
                text += "\n" if row > first else ""
            else:
                prefix = " " * len(prefix)
                start = max(start, len(prefix))
            text += (prefix + body)[start : None if end < 0 else end]
        return text, "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        if selection is not None:
            self.following = False
        self.refresh()
