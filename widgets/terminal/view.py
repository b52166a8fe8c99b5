"""What a terminal looks like: lines, cursor, colours. It knows no source."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import inf
from time import monotonic
from typing import ClassVar, Final

from rich.style import Style as RichStyle
from textual.app import App
from textual.filter import ANSIToTruecolor, DimFilter, Monochrome, NoColor
from textual.geometry import Offset, Region
from textual.strip import Strip

from widgets.terminal.emulator import DEFAULT, Row
from widgets.terminal.emulator.colours import xterm_palette
from widgets.terminal.emulator.grid import DEFAULT_SCROLLBACK
from widgets.terminal.emulator.screen import SYNCHRONIZED
from widgets.terminal.outer_cursor import OuterCursor
from widgets.terminal.outer_output import outer_is_behind
from widgets.terminal.paint import Mark, Painter
from widgets.terminal.palette import OUTER_UNDERLINES, Palette
from widgets.terminal.scrolling import TerminalScrolling
from widgets.terminal.selection import Cell

_EAGER_PAUSE: Final = 0.004
_FRAME: Final = 1 / 60
_SYNCHRONIZED_LIMIT: Final = 0.15
_BAR: Final = "▏"


class TerminalView(TerminalScrolling, can_focus=True):
    """Shows an emulator's screen and scrollback. Feed `stream`, then call `paint`.

    Lines are drawn past Textual's styles cache where the widget has no border, padding, tint or opacity: put these
    around it, not on it.
    """

    DEFAULT_CSS = """
    TerminalView {
        width: 1fr;
        height: 1fr;
        background: $background;
        color: $foreground;
    }
    """
    ALLOW_SELECT = False  # it has a selection of its own, over the scrollback too

    outer_cursor: ClassVar[bool] = True
    """Whether the outer terminal's own cursor is used where there is one: it has every shape, and blinks."""

    def __init__(
        self,
        *,
        scrollback: int = DEFAULT_SCROLLBACK,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(scrollback=scrollback, name=name, id=id, classes=classes)
        self._painter = Painter()
        self._looks: tuple[object, ...] | None = None
        self._cursor = OuterCursor()
        self._shown = True
        self._cursor_line = 0
        self._painted_at = 0.0
        self._due = False
        self._held_since: float | None = None
        self._put_off = False

    # For subclasses

    @property
    def in_view(self) -> bool:
        """Whether it may be seen: not hidden, and on the screen in front or one that shines through what is over it."""
        if not self._shown or not self.is_attached:
            return False
        screen, stack = self.screen, self.app.screen_stack
        if screen not in stack:
            return False
        # Textual counts the screen under the front one as seen, whatever the front one is.
        return all(above.styles.background.a < 1 for above in stack[stack.index(screen) + 1 :])

    @property
    def cursor_shown(self) -> bool:
        """Whether there is somebody to type to."""
        return True

    @property
    def note(self) -> str:
        """What the upper right corner says; "" where it says nothing."""
        up = self._emulator.history_total - self.first_line
        return f" {up} lines up " if up > 0 else ""

    @property
    def own_cursor(self) -> Cell | None:
        """Where a cursor of the widget's own is, which then takes the place of the program's."""
        return None

    def marks_on(self, number: int, row: Row) -> list[tuple[int, int, Mark]]:
        """What lies over the row with this absolute number, besides cursors."""
        return []

    # Painting

    def on_mount(self) -> None:
        """Follow what hides and shows the outer cursor behind our back."""
        self.app.screen_change_signal.subscribe(self, lambda _: self._place_cursor())
        self.app.app_resume_signal.subscribe(self, self._resumed)

    def watch_has_focus(self, has_focus: bool) -> None:
        """The cursor is full where keys go, an underline elsewhere."""
        super().watch_has_focus(has_focus)
        self.refresh()
        self._place_cursor()

    def _resumed(self, _: App[object]) -> None:
        self._cursor.forget()
        self._place_cursor()

    def notify_style_update(self) -> None:
        """The colours may have changed."""
        super().notify_style_update()
        self.tell_colours()

    def tell_colours(self) -> None:
        """Let programs that ask (vim does, to choose its colours) know the widget's own."""
        color, bgcolor = self.rich_style.color, self.rich_style.bgcolor
        if color is not None and bgcolor is not None and color.triplet is not None and bgcolor.triplet is not None:
            self._emulator.colours = (int(color.triplet.hex[1:], 16), int(bgcolor.triplet.hex[1:], 16))
            theme = [self.app.ansi_theme.ansi_colors[number] for number in range(16)]
            named = tuple(red << 16 | green << 8 | blue for red, green, blue in theme)
            self._emulator.base_palette = (*named, *xterm_palette()[16:])

    def on_show(self) -> None:
        """Paint again what changed while hidden."""
        self._shown = True
        self.refresh()
        self._place_cursor()

    def on_hide(self) -> None:
        """Paint nothing while hidden."""
        self._shown = False
        self._place_cursor()

    def paint(self, *, eager: bool = False) -> None:
        """Have the changed lines drawn; at once for an echo."""
        emulator = self._emulator
        if not self.in_view:
            self._held_since = None
            emulator.dirty.clear()
            return
        if SYNCHRONIZED in emulator.mode:
            # The program will say when its frame is whole; one that forgets is not waited for.
            now = monotonic()
            if self._held_since is None:
                self._held_since = now
                self.set_timer(_SYNCHRONIZED_LIMIT, partial(self._held_enough, now))
            if now - self._held_since < _SYNCHRONIZED_LIMIT:
                return
        if outer_is_behind(self.app):
            # Later, and then what is new by then: frames in a queue would be old when they are seen.
            self._held_since = -inf if SYNCHRONIZED in emulator.mode else None
            if not self._put_off:
                self._put_off = True
                self.set_timer(_FRAME, self._paint_put_off)
            return
        self._held_since = None
        self._due = True
        lines = emulator.dirty | {self._cursor_line, emulator.cursor.y}
        emulator.dirty.clear()
        self._cursor_line = emulator.cursor.y
        width = self.size.width
        if self._anchor is not None:
            self._refresh_scrolled(width)
        elif len(lines) >= emulator.lines:
            self.refresh()
        else:
            self.refresh(*(Region(0, y, width, 1) for y in lines))
        self._place_cursor()
        if eager and monotonic() - self._painted_at > _EAGER_PAUSE:
            self._paint_at_once()

    def _held_enough(self, since: float) -> None:
        # By the timer, not by the clock: Textual's timers run up to half a millisecond early.
        if self._held_since == since:
            self._held_since = -inf
            self.paint()

    def _paint_put_off(self) -> None:
        self._put_off = False
        self.paint()

    def _refresh_scrolled(self, width: int) -> None:
        """While only lines of the scrollback are in view, nothing but the note on how far up it is changes."""
        first = self.first_line
        still = first if first + self._emulator.lines <= self._emulator.history_total else None
        if still is not None and still == self._still:
            self.refresh(Region(0, 0, width, 1))
        else:
            self._still = still
            self.refresh()

    def paint_frame(self) -> None:
        """Draw at once, at most 60 times a second: for a flood, which would keep the screen's own tick waiting. Without
        anything new there is no frame, which would only put off the echo that follows."""
        if self._emulator.dirty and monotonic() - self._painted_at >= _FRAME:
            self.paint(eager=True)

    def _paint_at_once(self) -> None:
        """Draw without waiting for the screen's next tick of 60 a second: the delay of an echo is felt."""
        screen = self.screen
        if screen.is_current and not self.app._batch_count and not screen._layout_required:
            # With what else waits for that tick: it is taken for painted after this.
            screen._compositor.update_widgets({self, *screen._dirty_widgets})
            screen._compositor_refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines of a region of the widget."""
        self._due = False
        self._painted_at = monotonic()
        if not self._draw_alone():
            return super().render_lines(crop)
        strips: list[Strip] = [self._line(y) for y in crop.line_range]
        if crop.column_span == (0, self.size.width):
            return strips
        return [strip.crop(*crop.column_span) for strip in strips]

    def render_line(self, y: int) -> Strip:
        """One line of the widget."""
        self._draw_alone()
        return self._line(y)

    def _draw_alone(self) -> bool:
        """Look at what colours depend on; whether nothing but the lines themselves is to be drawn."""
        app, base = self.app, self.rich_style
        filters = app.get_line_filters()
        looks = (base, app.console.color_system, app.ansi_theme, id(self._emulator), self._emulator.palette_version)
        if (*looks, *filters) != self._looks:
            self._looks = (*looks, *filters)
            self._painter.palette = _palette(app, base, self._emulator.palette)
        styles = self.styles
        return (
            self.size == self.outer_size
            and self.opacity == 1.0
            and styles.text_opacity == 1.0
            and not styles.tint.a
            and all(isinstance(each, (ANSIToTruecolor, DimFilter, Monochrome, NoColor)) for each in filters)
        )

    def _line(self, y: int) -> Strip:
        emulator, width = self._emulator, self.size.width
        status = self.status
        if status is not None and y == self.size.height - 1:
            return self._painter.line(status, width)
        first = self.first_line
        number = first + y
        row = self.row_at(number)
        marks = [(0, width, Mark.REVERSED)] if emulator.reverse_video else []
        marks += self.marks_on(number, row)
        if (own := self.own_cursor) is not None:
            if own[0] == number:
                marks.append((own[1], own[1] + 1, Mark.REVERSED))
        elif number == emulator.history_total + emulator.cursor.y and self._cursor_is_ours:
            row, marks = self._with_cursor(row, marks)
        strip = self._painter.strip(row, width, marks)
        if y == 0 and (note := self.note) and len(note) < width:
            return Strip.join([strip.crop(0, width - len(note)), self._painter.line(note, len(note))])
        return strip

    def _with_cursor(self, row: Row, marks: list[tuple[int, int, Mark]]) -> tuple[Row, list[tuple[int, int, Mark]]]:
        x, style = min(self._emulator.cursor.x, self.size.width - 1), self._emulator.cursor_style
        if self.has_focus and style in (5, 6) and not row.text[x : x + 1].strip():
            # A bar has room only in a blank cell; elsewhere the block stands for it.
            drawn = Row(row.text, list(row.styles) if row.styles is not None else None)
            drawn.clusters, drawn.wide = row.clusters, row.wide
            drawn.put(x, _BAR, DEFAULT)
            return drawn, marks
        block = self.has_focus and style not in (3, 4)
        return row, [*marks, (x, x + 1, Mark.REVERSED if block else Mark.UNDERLINED)]

    # Cursor

    @property
    def _cursor_is_ours(self) -> bool:
        """Whether the program's cursor is shown, and not by the outer terminal."""
        return self.cursor_shown and not self._emulator.cursor.hidden and not self._cursor_is_outer

    @property
    def _cursor_is_outer(self) -> bool:
        return (
            self.outer_cursor
            and self.has_focus
            and self.own_cursor is None
            and self.status is None
            and OuterCursor.usable(self.app)
        )

    def moved(self) -> None:
        """The cursor is elsewhere in the view, or out of it."""
        self._place_cursor()

    def _place_cursor(self) -> None:
        """Tell where the cursor is, so that input methods open their windows there; show the outer one where it is
        ours to show."""
        if not self.is_attached:
            return
        if not self.has_focus or not self.screen.is_active:
            self._cursor.hide(self.app)
            return
        emulator = self._emulator
        y = emulator.history_total + emulator.cursor.y - self.first_line
        place = self.content_region.offset + Offset(min(emulator.cursor.x, emulator.columns - 1), y)
        self.app.cursor_position = place
        seen = self._shown and self.cursor_shown and not emulator.cursor.hidden and y < self.size.height
        if seen and self._cursor_is_outer:
            self._cursor.show(self.app, emulator.cursor_style, (place.x, place.y))
        else:
            self._cursor.hide(self.app)

    async def on_unmount(self) -> None:
        """Leave no cursor behind."""
        self._cursor.hide(self.app)


def _palette(app: App[object], base: RichStyle, changed: Mapping[int, int]) -> Palette:
    filters = app.get_line_filters()
    return Palette(
        base,
        system=None if any(isinstance(each, NoColor) for each in filters) else app.console.color_system,
        theme=app.ansi_theme if any(isinstance(each, ANSIToTruecolor) for each in filters) else None,
        monochrome=any(isinstance(each, Monochrome) for each in filters),
        filters=filters,
        underlines=OUTER_UNDERLINES,
        changed=changed,
    )
