"""Erasing, inserting and deleting."""

from __future__ import annotations

from typing import Any

from widgets.terminal.emulator.flood import Flood
from widgets.terminal.emulator.row import Row
from widgets.terminal.emulator.sides import delete_within, insert_within


class Editing(Flood):
    """What changes cells without drawing. Erased cells take the pen's background. Counts of 0 or none mean 1."""

    def _settle(self) -> int:
        """End a pending wrap; returns the column."""
        cursor = self.cursor
        self.waiting = None
        if cursor.x >= self.columns:
            cursor.x = self.columns - 1
        return cursor.x

    def erase_in_line(self, how: int = 0, private: bool = False, *_: Any) -> None:
        """0: from the cursor on, 1: up to and with the cursor, 2: the whole line."""
        x, y = self._settle(), self.cursor.y
        row = self.rows[y]
        if how == 0:
            if x < len(row.text) or self.pen.bg >= 0:
                row.erase(x, self.columns, self.columns, self.pen.blank)
            row.wrapped = False
        elif how == 1:
            row.erase(0, x + 1, self.columns, self.pen.blank)
        elif how == 2:
            row.erase(0, self.columns, self.columns, self.pen.blank)
            row.wrapped = False
        self.dirty.add(y)

    def erase_in_display(self, how: int = 0, *_: Any, **__: Any) -> None:
        """0: from the cursor on, 1: up to and with the cursor, 2: the screen, 3: the scrollback."""
        y = self.cursor.y
        if how == 0:
            span = range(y + 1, self.lines)
            self.erase_in_line(0)
        elif how == 1:
            span = range(y)
            self.erase_in_line(1)
        elif how == 2:
            span = range(self.lines)
        elif how == 3:
            self.history.clear()
            self.touch_all()
            return
        else:
            return
        fill = self.pen.blank
        for line in span:
            self.rows[line] = Row.blank(self.columns, fill)
        self.dirty.update(span)

    def erase_characters(self, count: int | None = None, *_: int) -> None:
        """Blank cells from the cursor on."""
        x = self._settle()
        self.rows[self.cursor.y].erase(x, min(x + (count or 1), self.columns), self.columns, self.pen.blank)
        self.dirty.add(self.cursor.y)

    def insert_characters(self, count: int | None = None, *_: int) -> None:
        """Push the rest of the line to the right, within the margins."""
        x, row, blank = self._settle(), self.rows[self.cursor.y], self.pen.blank
        if not self.sided:
            row.insert(x, count or 1, self.columns, blank)
        elif self.left <= x <= self.right:
            insert_within(row, x, count or 1, self.right + 1, self.columns, blank)
        self.dirty.add(self.cursor.y)

    def delete_characters(self, count: int | None = None, *_: int) -> None:
        """Pull the rest of the line to the left, within the margins."""
        x, row, blank = self._settle(), self.rows[self.cursor.y], self.pen.blank
        if not self.sided:
            row.delete(x, count or 1, self.columns, blank)
        elif self.left <= x <= self.right:
            delete_within(row, x, count or 1, self.right + 1, self.columns, blank)
        self.dirty.add(self.cursor.y)

    def insert_lines(self, count: int | None = None, *_: int) -> None:
        """Push the lines from the cursor on down within the region."""
        self._shift_lines(-(count or 1))

    def delete_lines(self, count: int | None = None, *_: int) -> None:
        """Pull the lines under the cursor up within the region."""
        self._shift_lines(count or 1)

    def _shift_lines(self, count: int) -> None:
        x, y = min(self.cursor.x, self.columns - 1), self.cursor.y
        if self.top <= y <= self.bottom and self.left <= x <= self.right:
            self.scroll_region(count, top=y, keep=False)
            self.cursor.x = self.left
            self.waiting = None

    def scroll_up(self, count: int | None = None, *_: int) -> None:
        """SU: move the region up, the cursor stays."""
        self.scroll_region(count or 1)

    def scroll_down(self, count: int | None = None, *rest: int) -> None:
        """SD: move the region down, the cursor stays. With more parameters it asks for mouse tracking: ignored."""
        if not rest:
            self.scroll_region(-(count or 1))

    def repeat(self, count: int | None = None, *_: int) -> None:
        """REP: draw the character drawn just before again, at most a screenful of it; one that was repeated is not
        repeated once more."""
        if self._last_drawn:
            self.draw_untranslated(self._last_drawn[-1] * min(count or 1, self.columns * self.lines))
            self._last_drawn = ""

    def draw_untranslated(self, data: str) -> None:
        """Draw text that already went through the character set."""
        table, self._table = self._table, None
        self.draw(data)
        self._table = table

    def alignment_display(self) -> None:
        """DECALN: fill the screen with E."""
        self.rows = [Row("E" * self.columns) for _ in range(self.lines)]
        self.top, self.bottom = 0, self.lines - 1
        self.set_sides(0, self.columns - 1)
        self.cursor.x = self.cursor.y = 0
        self.touch_all()
