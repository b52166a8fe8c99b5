"""The cells: rows, scrollback, drawing and scrolling."""

from __future__ import annotations

from collections import deque
from typing import Final

import pyte
from pyte import modes
from pyte.screens import Char, Cursor, Margins

from widgets.terminal.emulator.kept import Kept, kept, restored
from widgets.terminal.emulator.matrix import matrix_cells
from widgets.terminal.emulator.row import STUB, Row
from widgets.terminal.emulator.sides import draw_within, scroll_within
from widgets.terminal.emulator.style import DEFAULT, Style
from widgets.terminal.emulator.width import MIXED, NARROW, SPANS, cell_width, shown_width, with_stubs

MAX_SIDE: Final = 2000
"""Most columns or lines a screen takes on."""

DEFAULT_SCROLLBACK: Final = 10_000

DEFAULT_MODES: Final = frozenset({modes.DECAWM, modes.DECTCEM, 1007 << 5})
"""With 1007, the wheel as arrow keys in the alternate screen: on unless the program turns it off."""
_CLUSTERS = 2027 << 5
"""The mode in which clusters are as wide as Unicode has them, not as the C library adds up their characters."""
_AS_EMOJI = "\ufe0f"
_DIRECTION_MARKS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c")
_IRM: Final = modes.IRM


class Grid(pyte.Screen):
    """Rows as text plus styles, behind pyte's names.

    `rows` are the lines on show, `history` the lines that scrolled away (made small, see `kept`), oldest first.
    `history_total` counts all lines that ever scrolled away: with it a viewer keeps its place while output goes on.
    A cursor with `x == columns` waits to wrap. `top` and `bottom` bound the scrolling region, both included.
    """

    def __init__(self, columns: int, lines: int, scrollback: int = DEFAULT_SCROLLBACK) -> None:
        # pyte's own __init__ would make its dictionary of cells, which this screen replaces.
        self.columns = max(1, min(columns, MAX_SIDE))
        self.lines = max(1, min(lines, MAX_SIDE))
        self.history: deque[Kept] = deque(maxlen=scrollback)
        self.history_total = 0
        self.dirty: set[int] = set()
        self.rows: list[Row] = []
        self.reset()

    def reset(self) -> None:
        """Back to the state after power-on; the scrollback stays."""
        self.rows = [Row() for _ in range(self.lines)]
        self.pen: Style = DEFAULT
        self.set_sides(0, self.columns - 1)
        self.top, self.bottom = 0, self.lines - 1
        self.mode: set[int] = set(DEFAULT_MODES)
        self.alternate = False
        self.title = ""
        self.icon_name = ""
        self.charset = 0
        self.g0_charset = self.g1_charset = ""
        self.tabstops = set(range(8, MAX_SIDE, 8))
        self.cursor = Cursor(0, 0)
        self.saved_columns = None
        self._table: dict[int, str] | None = None
        self._last_drawn = ""  # ends with the last character drawn
        self.touch_all()

    def set_sides(self, left: int, right: int) -> None:
        """The columns that bound drawing and scrolling, both included. `sided` where they are not the whole width."""
        self.left, self.right = left, right
        self.sided = left > 0 or right < self.columns - 1
        self.waiting: tuple[int, int] | None = None

    def touch_all(self) -> None:
        """Mark every line as changed."""
        if len(self.dirty) < self.lines:
            self.dirty.update(range(self.lines))

    # Reading

    @property
    def margins(self) -> Margins | None:
        """The scrolling region; None where it is the whole screen."""
        whole = self.top == 0 and self.bottom == self.lines - 1
        return None if whole else Margins(self.top, self.bottom)

    @margins.setter
    def margins(self, value: Margins | None) -> None:
        self.top, self.bottom = value or (0, self.lines - 1)

    @property
    def display(self) -> list[str]:
        """The lines on show as text, padded to the width."""
        return [row.shown(0, self.columns) + " " * max(0, self.columns - len(row.text)) for row in self.rows]

    @property
    def buffer(self) -> dict[int, dict[int, Char]]:  # type: ignore[override]  # a view, made on demand
        """pyte's matrix of cells, for readers that know pyte. Writing to it has no effect."""
        return {y: dict(enumerate(matrix_cells(row))) for y, row in enumerate(self.rows)}

    @property
    def history_first(self) -> int:
        """The absolute number of the oldest line kept; the first line on show has number `history_total`."""
        return self.history_total - len(self.history)

    def line(self, number: int) -> Row | None:
        """The line with this absolute number, from the scrollback or the screen; None where there is none."""
        if number >= self.history_total:
            y = number - self.history_total
            return self.rows[y] if y < self.lines else None
        at = number - self.history_first
        if at < 0:
            return None
        return restored(self.history[at])

    # Drawing

    def draw(self, data: str) -> None:
        """Show text at the cursor, wrapping as the modes say."""
        if self._table is not None:
            data = data.translate(self._table)
        if self.sided:
            self._last_drawn = data
            draw_within(self, data)
        elif data.isascii() or NARROW.fullmatch(data):
            cursor = self.cursor
            x = cursor.x
            end = x + len(data)
            if end <= self.columns and _IRM not in self.mode:
                self._last_drawn = data
                y = cursor.y
                self.rows[y].put(x, data, self.pen)
                self.dirty.add(y)
                cursor.x = end
            else:
                self._draw_narrow(data)
        elif MIXED.fullmatch(data):
            self._draw_mixed(data)
        else:
            self._draw_each(data)

    def _draw_narrow(self, data: str) -> None:
        """Draw text of one cell each."""
        self._last_drawn = data
        cursor, columns = self.cursor, self.columns
        at, length = 0, len(data)
        while True:
            x = cursor.x
            if x >= columns:
                x = self._wrap()
            count = min(length - at, columns - x)
            piece = data if count == length else data[at : at + count]
            row = self.rows[cursor.y]
            if _IRM in self.mode:
                row.insert(x, count, columns, self.pen.blank)
            row.put(x, piece, self.pen)
            self.dirty.add(cursor.y)
            cursor.x = x + count
            at += count
            if at == length:
                return
            if modes.DECAWM not in self.mode:
                row.put(columns - 1, data[-1], self.pen)
                return

    def _draw_mixed(self, data: str) -> None:
        """Draw characters of one and two cells each, which join others only after a joiner."""
        cursor, columns = self.cursor, self.columns
        cells = with_stubs(data, STUB)
        at, length = 0, len(cells)
        while at < length:
            x = cursor.x
            row = self.rows[cursor.y]
            if row.clusters or columns < 2 or modes.DECAWM not in self.mode or _IRM in self.mode:
                self._draw_each(cells[at:].replace(STUB, ""))
                return
            if x >= columns:
                self._wrap()
                continue
            end = at + columns - x
            if end < length and cells[end] == STUB:
                end -= 1
            if end == at:
                row.erase(x, columns, columns, self.pen.blank)
                cursor.x = columns
            else:
                piece = cells[at:end]
                row.put(x, piece, self.pen)
                row.wide = True
                cursor.x = x + len(piece)
            self.dirty.add(cursor.y)
            at = end
        self._last_drawn = data

    def _draw_each(self, data: str) -> None:
        """Draw any text, looking at each character that is not known to take one cell."""
        for span in SPANS.finditer(data):
            if span.lastindex == 1:
                self._draw_narrow(span[1])
            else:
                self._draw_one(span[2])

    def _draw_one(self, char: str) -> None:
        """Draw a character that may take no cell or two."""
        width = cell_width(char)
        if width < 0:
            return
        if self.join(char, width):
            return
        cursor, columns = self.cursor, self.columns
        if width > columns:
            return
        self._last_drawn = char
        x = cursor.x
        if x + width > columns:
            if modes.DECAWM in self.mode and x < columns:
                self.rows[cursor.y].erase(x, columns, columns, self.pen.blank)
                cursor.x = columns
            x = self._wrap() if cursor.x >= columns and modes.DECAWM in self.mode else columns - width
        row = self.rows[cursor.y]
        if modes.IRM in self.mode:
            row.insert(x, width, columns, self.pen.blank)
        if width == 2:
            row.put(x, char + STUB, self.pen)
            row.wide = True
        else:
            row.put(x, char, self.pen)
        self.dirty.add(cursor.y)
        cursor.x = x + width

    def join(self, char: str, width: int) -> bool:
        """Add the character to the one before the cursor where it belongs to it; False where it stands for itself."""
        if width == 0 or self._joins(char):
            self._combine(char)
            return True
        return False

    def _before(self) -> tuple[Row, int] | None:
        """The row and the cell of the character before the cursor, on this line or the one that wrapped into it."""
        x, y = min(self.cursor.x, self.columns) - 1, self.cursor.y
        if x < 0:
            if y == 0 or not self.rows[y - 1].wrapped:
                return None
            y -= 1
            x = self.columns - 1
        row = self.rows[y]
        if 0 < x < len(row.text) and row.text[x] == STUB:
            x -= 1
        self.dirty.add(y)
        return row, x

    def _joins(self, char: str) -> bool:
        """Whether a character of its own width belongs to the one before: after a joiner, or as the second half of a
        flag."""
        flag = "\U0001f1e6" <= char <= "\U0001f1ff"
        tone = "\U0001f3fb" <= char <= "\U0001f3ff" and _CLUSTERS in self.mode
        if not (flag or tone or self.rows[self.cursor.y].clusters):
            return False
        found = self._before()
        if found is None:
            return False
        row, x = found
        marks = (row.clusters or {}).get(x, "")
        if tone and not marks and x < len(row.text) and shown_width(row.text[x] + char) == 2:
            return True
        if flag:
            return not marks and x < len(row.text) and "\U0001f1e6" <= row.text[x] <= "\U0001f1ff"
        return marks.endswith("\u200d")

    def _combine(self, mark: str) -> None:
        """Join a mark to the character before the cursor.

        Marks that turn the direction of text are dropped: they would reach the text around the terminal.
        """
        if mark in _DIRECTION_MARKS:
            return
        found = self._before()
        if found is not None:
            row, x = found
            row.combine(x, mark)
            if mark == _AS_EMOJI and _CLUSTERS in self.mode and not self.sided:
                self._widen(row, x)

    def _widen(self, row: Row, x: int) -> None:
        """Give the character before the cursor its second cell, if as an emoji it is wide and there is room."""
        if self.cursor.x == x + 1 < self.columns and shown_width(row.text[x] + _AS_EMOJI) == 2:
            marks, styles = (row.clusters or {}).get(x, ""), row.styles
            row.put(x, row.text[x] + STUB, DEFAULT if styles is None else styles[x])
            row.clusters, row.wide = {**(row.clusters or {}), x: marks}, True
            self.cursor.x += 1

    def _wrap(self) -> int:
        """Go on in the next line, or stay on the last cell where autowrap is off; returns the column."""
        cursor = self.cursor
        if modes.DECAWM not in self.mode:
            cursor.x = self.columns - 1
            return cursor.x
        self.rows[cursor.y].wrapped = True
        cursor.x = 0
        self.index()
        return 0

    # Scrolling

    def index(self) -> None:
        """Down one line, scrolling the region at its bottom."""
        y = self.cursor.y
        if y == self.bottom:
            if not self.sided or self.left <= self.cursor.x <= self.right:
                self.scroll_region(1)
        elif y < self.lines - 1:
            self.cursor.y = y + 1

    def reverse_index(self) -> None:
        """Up one line, scrolling the region at its top."""
        y = self.cursor.y
        if y == self.top:
            if not self.sided or self.left <= self.cursor.x <= self.right:
                self.scroll_region(-1)
        elif y > 0:
            self.cursor.y = y - 1

    def linefeed(self) -> None:
        """Down one line; to the first column too in newline mode."""
        self.index()
        if modes.LNM in self.mode:
            self.carriage_return()

    def carriage_return(self) -> None:
        """To the first column, or the left margin where the cursor is not left of it."""
        self.cursor.x = self.left if self.sided and self.cursor.x >= self.left else 0
        self.waiting = None

    def scroll_region(self, count: int, top: int | None = None, keep: bool = True) -> None:
        """Move the region up by `count` lines, down for a negative one. What leaves at the top of the normal screen
        goes to the scrollback, unless `keep` is False."""
        rows = self.rows
        first = self.top if top is None else top
        if self.sided:
            scroll_within(self, count, first)
            return
        last = self.bottom
        fill = self.pen.blank
        size = last - first + 1
        moved = min(abs(count), size)
        if count > 0:
            if keep and first == 0 and not self.alternate:
                self.history_total += moved
                if self.history.maxlen:
                    self.history.extend(map(kept, rows[:moved]))
            if moved == 1:
                del rows[first]
                rows.insert(last, Row.blank(self.columns, fill))
            else:
                del rows[first : first + moved]
                rows[last + 1 - moved : last + 1 - moved] = [Row.blank(self.columns, fill) for _ in range(moved)]
        else:
            del rows[last + 1 - moved : last + 1]
            rows[first:first] = [Row.blank(self.columns, fill) for _ in range(moved)]
            rows[last].wrapped = False
        if first:
            rows[first - 1].wrapped = False
        if size == self.lines:
            self.touch_all()
        else:
            self.dirty.update(range(first, last + 1))
