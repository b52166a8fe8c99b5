"""Copy mode without a screen: a cursor that goes over lines by vi's keys, and what it selects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from widgets.terminal.emulator import STUB, Screen
from widgets.terminal.selection import Cell, Selection, Shape

COPY_KEYS: Final = (
    (("h", "left", "backspace"), "left", "left"),
    (("j", "down", "ctrl+n"), "down", "down"),
    (("k", "up", "ctrl+p"), "up", "up"),
    (("l", "right", "space"), "right", "right"),
    (("w",), "next_word", "next word"),
    (("b",), "previous_word", "word before"),
    (("e",), "word_end", "end of word"),
    (("0", "home"), "line_start", "start of line"),
    (("circumflex_accent",), "first_character", "first character"),
    (("dollar_sign", "end"), "line_end", "end of line"),
    (("g", "ctrl+home"), "top", "oldest line"),
    (("G", "ctrl+end"), "bottom", "newest line"),
    (("H",), "view_top", "top of view"),
    (("M",), "view_middle", "middle of view"),
    (("L",), "view_bottom", "bottom of view"),
    (("ctrl+u",), "half_page_up", "half a page up"),
    (("ctrl+d",), "half_page_down", "half a page down"),
    (("ctrl+b", "pageup"), "page_up", "page up"),
    (("ctrl+f", "pagedown"), "page_down", "page down"),
    (("v",), "select_cells", "select"),
    (("V",), "select_lines", "select lines"),
    (("ctrl+v",), "select_block", "select a block"),
    (("o",), "other_end", "other end of the selection"),
    (("y",), "copy", "copy and leave"),
    (("enter",), "enter", "copy and leave; on a link, open it"),
    (("slash",), "search_forward", "search down"),
    (("question_mark",), "search_back", "search up"),
    (("n",), "next_hit", "next hit"),
    (("N",), "previous_hit", "hit before"),
    (("left_square_bracket",), "previous_prompt", "command before"),
    (("right_square_bracket",), "next_prompt", "next command"),
    (("O",), "select_output", "select the command's output"),
    (("tab",), "next_link", "next link"),
    (("shift+tab",), "previous_link", "link before"),
    (("x",), "open_link", "open the link, after asking"),
    (("escape",), "escape", "end the selection, or leave"),
    (("q", "ctrl+c"), "leave", "leave"),
)
"""Keys, action and help of each command of the copy mode."""

ACTIONS: Final = {key: action for keys, action, _ in COPY_KEYS for key in keys}
_MOST: Final = 100_000


class CopyMode:
    """The cursor and the selection. Motions are methods; `move` calls them by their name in `COPY_KEYS`."""

    def __init__(self, screen: Screen, cell: Cell) -> None:
        self._screen = screen
        self._motions: dict[str, Callable[[], None]] = {
            name: getattr(self, f"_{name}") for _, name, _ in COPY_KEYS if hasattr(self, f"_{name}")
        }
        self.cursor = cell
        self.start: Cell | None = None
        self.shape = Shape.CELLS
        self.view = (0, 0)
        """The first line on show, and how many are."""
        self._goal = cell[1]
        self._count = 0
        self.go_to(cell)

    @property
    def first(self) -> int:
        """The oldest line there is."""
        return self._screen.history_total if self._screen.alternate else self._screen.history_first

    @property
    def last(self) -> int:
        """The newest line."""
        return self._screen.history_total + self._screen.lines - 1

    @property
    def selection(self) -> Selection | None:
        """What is selected; None where nothing is."""
        return None if self.start is None else Selection(self.start, self.cursor, self.shape)

    def count(self, key: str) -> bool:
        """Whether the key is a digit of a count."""
        if len(key) == 1 and key in "0123456789" and (self._count or key != "0"):
            self._count = min(self._count * 10 + int(key), _MOST)
            return True
        return False

    def move(self, action: str) -> bool:
        """Do a motion, as often as was counted; False for what is none."""
        motion = self._motions.get(action)
        times, self._count = max(1, self._count), 0
        if motion is None:
            return False
        for _ in range(times):
            before = (self.cursor, self.start, self.shape)
            motion()
            if (self.cursor, self.start, self.shape) == before:
                break
        return True

    def go_to(self, cell: Cell) -> None:
        """Put the cursor on a cell, or the nearest one that there is."""
        line = min(max(cell[0], self.first), self.last)
        column = min(max(cell[1], 0), self._screen.columns - 1)
        self.cursor = (line, self._settled(line, column))
        self._goal = column

    def _settled(self, line: int, column: int) -> int:
        """The column, or the one before where it is the second half of a wide character."""
        text = self._text(line)
        return column - 1 if 0 < column < len(text) and text[column] == STUB else column

    def _text(self, line: int) -> str:
        row = self._screen.line(line)
        return "" if row is None else row.text

    def _to_line(self, line: int) -> None:
        line = min(max(line, self.first), self.last)
        self.cursor = (line, self._settled(line, self._goal))

    # Motions

    def _left(self) -> None:
        self.go_to((self.cursor[0], self.cursor[1] - 1))

    def _right(self) -> None:
        line, column = self.cursor
        wide = self._text(line)[column + 1 : column + 2] == STUB
        self.go_to((line, column + (2 if wide else 1)))

    def _up(self) -> None:
        self._to_line(self.cursor[0] - 1)

    def _down(self) -> None:
        self._to_line(self.cursor[0] + 1)

    def _line_start(self) -> None:
        self.go_to((self.cursor[0], 0))

    def _first_character(self) -> None:
        text = self._text(self.cursor[0])
        self.go_to((self.cursor[0], len(text) - len(text.lstrip(" "))))

    def _line_end(self) -> None:
        self.go_to((self.cursor[0], max(0, len(self._text(self.cursor[0]).rstrip(" ")) - 1)))

    def _top(self) -> None:
        self.go_to((self.first, 0))

    def _bottom(self) -> None:
        line = self.last
        while line > self._screen.history_total + self._screen.cursor.y and not self._text(line).strip():
            line -= 1
        self.go_to((line, 0))

    def _view_top(self) -> None:
        self.go_to((self.view[0], self.cursor[1]))

    def _view_middle(self) -> None:
        self.go_to((self.view[0] + self.view[1] // 2, self.cursor[1]))

    def _view_bottom(self) -> None:
        self.go_to((self.view[0] + self.view[1] - 1, self.cursor[1]))

    def _half_page_up(self) -> None:
        self._to_line(self.cursor[0] - max(1, self.view[1] // 2))

    def _half_page_down(self) -> None:
        self._to_line(self.cursor[0] + max(1, self.view[1] // 2))

    def _page_up(self) -> None:
        self._to_line(self.cursor[0] - max(1, self.view[1] - 1))

    def _page_down(self) -> None:
        self._to_line(self.cursor[0] + max(1, self.view[1] - 1))

    # Words

    def _kind(self, cell: Cell) -> int:
        """0 for a blank, 1 for a part of a word, 2 for other characters."""
        char = self._text(cell[0])[cell[1] : cell[1] + 1]
        if not char.strip():
            return 0
        return 1 if char == STUB or char.isalnum() or char == "_" else 2

    def _after(self, cell: Cell) -> Cell | None:
        """The next cell; the start of the next line after the last character of one."""
        line, column = cell
        if column + 1 < len(self._text(line)):
            return line, column + 1
        return (line + 1, 0) if line < self.last else None

    def _before(self, cell: Cell) -> Cell | None:
        line, column = cell
        if column > 0:
            return line, min(column, len(self._text(line))) - 1 if self._text(line) else 0
        return (line - 1, max(0, len(self._text(line - 1)) - 1)) if line > self.first else None

    def _next_word(self) -> None:
        cell: Cell | None = self.cursor
        kind, line = self._kind(self.cursor), self.cursor[0]
        while cell is not None and kind and cell[0] == line and self._kind(cell) == kind:
            cell = self._after(cell)
        while cell is not None and not self._kind(cell):
            cell = self._after(cell)
        if cell is not None:
            self.go_to(cell)

    def _word_end(self) -> None:
        cell = self._after(self.cursor)
        while cell is not None and not self._kind(cell):
            cell = self._after(cell)
        while cell is not None:
            following = self._after(cell)
            if following is None or following[0] != cell[0] or self._kind(following) != self._kind(cell):
                self.go_to(cell)
                return
            cell = following

    def _previous_word(self) -> None:
        cell = self._before(self.cursor)
        while cell is not None and not self._kind(cell):
            cell = self._before(cell)
        while cell is not None:
            before = self._before(cell)
            if before is None or before[0] != cell[0] or self._kind(before) != self._kind(cell):
                self.go_to(cell)
                return
            cell = before

    # Selecting

    def _select_cells(self) -> None:
        self._select(Shape.CELLS)

    def _select_lines(self) -> None:
        self._select(Shape.LINES)

    def _select_block(self) -> None:
        self._select(Shape.BLOCK)

    def _select(self, shape: Shape) -> None:
        """Begin, change the shape, or end with the same key again."""
        if self.start is not None and self.shape is shape:
            self.start = None
        else:
            self.start = self.start or self.cursor
            self.shape = shape

    def _other_end(self) -> None:
        if self.start is not None:
            start, self.start = self.start, self.cursor
            self.go_to(start)
