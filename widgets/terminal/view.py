"""What a terminal looks like: painting, scrollback, selection. It knows no source."""

from __future__ import annotations

from time import monotonic

from rich.segment import Segment
from textual.geometry import Offset, Region
from textual.strip import Strip
from textual.widget import Widget

from widgets.terminal.emulator import ByteStream, Screen
from widgets.terminal.emulator.grid import DEFAULT_SCROLLBACK
from widgets.terminal.emulator.screen import SYNCHRONIZED
from widgets.terminal.paint import Painter, invert, inverted, underline
from widgets.terminal.selection import Selection, word_at

_EAGER_PAUSE = 0.004
_FRAME = 1 / 60
_SYNCHRONIZED_LIMIT = 0.15


class TerminalView(Widget, can_focus=True):
    """Shows an emulator's screen and scrollback. Feed `stream`, then call `paint`."""

    DEFAULT_CSS = """
    TerminalView {
        width: 1fr;
        height: 1fr;
        background: $background;
        color: $foreground;
    }
    """
    ALLOW_SELECT = False  # it has a selection of its own, over the scrollback too

    def __init__(
        self,
        *,
        scrollback: int = DEFAULT_SCROLLBACK,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._painter = Painter()
        self._shown = True
        self._anchor: int | None = None
        self._selection: Selection | None = None
        self._cursor_line = 0
        self._painted_at = 0.0
        self._held_since: float | None = None
        self._scrollback = scrollback
        self._emulator = Screen(80, 24, scrollback)
        self._stream = ByteStream(self._emulator)

    @property
    def emulator(self) -> Screen:
        """The screen behind the widget: rows, cursor, modes, scrollback."""
        return self._emulator

    @property
    def cursor_shown(self) -> bool:
        """Whether there is somebody to type to."""
        return True

    # Painting

    def notify_style_update(self) -> None:
        """The colours may have changed."""
        super().notify_style_update()
        self.tell_colours()

    def tell_colours(self) -> None:
        """Let programs that ask (vim does, to choose its colours) know the widget's own."""
        color, bgcolor = self.rich_style.color, self.rich_style.bgcolor
        if color is not None and bgcolor is not None and color.triplet is not None and bgcolor.triplet is not None:
            self._emulator.colours = (int(color.triplet.hex[1:], 16), int(bgcolor.triplet.hex[1:], 16))

    def on_show(self) -> None:
        """Paint again what changed while hidden."""
        self._shown = True
        self.refresh()

    def on_hide(self) -> None:
        """Paint nothing while hidden."""
        self._shown = False

    def paint(self, *, eager: bool = False) -> None:
        """Have the changed lines drawn; at once for an echo."""
        emulator = self._emulator
        if not self._shown or not self.is_attached:
            emulator.dirty.clear()
            return
        if SYNCHRONIZED in emulator.mode:
            # The program will say when its frame is whole; one that forgets is not waited for.
            now = monotonic()
            if self._held_since is None:
                self._held_since = now
                self.set_timer(_SYNCHRONIZED_LIMIT, self.paint)
            if now - self._held_since < _SYNCHRONIZED_LIMIT:
                return
        self._held_since = None
        if self._anchor is not None:
            emulator.dirty.clear()
            self.refresh()
            return
        lines = emulator.dirty | {self._cursor_line, emulator.cursor.y}
        emulator.dirty.clear()
        self._cursor_line = emulator.cursor.y
        width = self.size.width
        if len(lines) >= emulator.lines:
            self.refresh()
        else:
            self.refresh(*(Region(0, y, width, 1) for y in lines))
        if self.has_focus:
            self._place_input_method()
        if eager and monotonic() - self._painted_at > _EAGER_PAUSE:
            self._paint_at_once()

    def paint_frame(self) -> None:
        """Draw at once, at most 60 times a second: for a flood, which would keep the screen's own tick waiting."""
        if monotonic() - self._painted_at >= _FRAME:
            self.paint(eager=True)

    def _paint_at_once(self) -> None:
        """Draw without waiting for the screen's next tick of 60 a second: the delay of an echo is felt."""
        screen = self.screen
        if screen.is_current and not self.app._batch_count and not screen._layout_required:
            self._painted_at = monotonic()
            screen._compositor.update_widgets({self})
            screen._compositor_refresh()

    def _place_input_method(self) -> None:
        """Tell where the cursor is, so that input methods open their windows there."""
        cursor = self._emulator.cursor
        place = Offset(min(cursor.x, self._emulator.columns - 1), cursor.y)
        self.app.cursor_position = self.content_region.offset + place

    def render_line(self, y: int) -> Strip:
        """One line of the widget."""
        emulator, width = self._emulator, self.size.width
        self._painter.set_base(self.rich_style)
        first = self.first_line
        number = first + y
        strip = self._painter.strip(emulator.line(number), width)
        if emulator.reverse_video:
            strip = invert(strip, 0, width)
        if self._selection is not None and (span := self._selection.span(number)) is not None:
            strip = invert(strip, span[0], width if span[1] is None else span[1])
        cursor = emulator.cursor
        if number == emulator.history_total + cursor.y and not cursor.hidden and self.cursor_shown:
            x = min(cursor.x, width - 1)
            block = self.has_focus and emulator.cursor_style not in (3, 4)
            strip = (invert if block else underline)(strip, x, x + 1)
        if y == 0 and first < emulator.history_total:
            mark = f" {emulator.history_total - first} lines up "
            if len(mark) < width:
                place = Strip([Segment(mark, inverted(self.rich_style))], len(mark))
                strip = Strip.join([strip.crop(0, width - len(mark)), place])
        return strip

    # Scrollback

    @property
    def first_line(self) -> int:
        """The absolute number of the line at the top of the widget."""
        newest = self._emulator.history_total
        return newest if self._anchor is None else min(newest, max(self._anchor, self._emulator.history_first))

    def scroll_lines(self, lines: int) -> None:
        """Look up by so many lines, down for a negative number; back at the bottom, output is followed again."""
        target = max(self.first_line - lines, self._emulator.history_first)
        anchor = None if target >= self._emulator.history_total else target
        if anchor != self._anchor:
            self._anchor = anchor
            self.refresh()

    def follow(self) -> None:
        """Show the newest output."""
        if self._anchor is not None:
            self._anchor = None
            self.refresh()

    # Selection

    @property
    def selection(self) -> Selection | None:
        """What is selected; None where nothing is."""
        return self._selection

    def select(self, selection: Selection | None) -> None:
        """Select, or unselect with None."""
        if selection != self._selection:
            self._selection = selection
            self.refresh()

    @property
    def selected_text(self) -> str:
        """The text of the selection; empty where nothing is selected."""
        return "" if self._selection is None else self._selection.text(self._emulator)

    def cell_at(self, place: Offset) -> tuple[int, int]:
        """The absolute line and column under a place of the widget; places outside count as its edge."""
        x = min(max(0, place.x), self._emulator.columns - 1)
        y = min(max(0, place.y), self._emulator.lines - 1)
        return self.first_line + y, x

    def select_word(self, cell: tuple[int, int]) -> None:
        """Select the word at a cell."""
        number, column = cell
        row = self._emulator.line(number)
        if row is not None:
            first, last = word_at(row, column)
            self.select(Selection((number, first), (number, last)))

    def select_line(self, cell: tuple[int, int]) -> None:
        """Select the whole line at a cell."""
        self.select(Selection((cell[0], 0), (cell[0], self._emulator.columns - 1)))
