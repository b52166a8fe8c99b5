"""Rectangles of cells (VT420) and erasing that leaves protected cells alone (VT220)."""

from __future__ import annotations

from collections.abc import Iterator

from pyte import modes

from widgets.terminal.emulator.row import Row
from widgets.terminal.emulator.sides import delete_within, insert_within
from widgets.terminal.emulator.style import BLINK, BOLD, PROTECTED, REVERSE, apply_sgr
from widgets.terminal.emulator.updates import Updates

_RESTYLING = frozenset({0, 1, 4, 5, 7, 22, 24, 25, 27})
_REVERSED = {1: BOLD, 5: BLINK, 7: REVERSE}


class Rectangles(Updates):
    """Corners are 1-based and count from the margins in origin mode; 0 or none is the screen's first or last."""

    rectangle_extent = 0

    def _area(self, top: int, left: int, bottom: int, right: int) -> tuple[int, int, int, int] | None:
        """First line, first column, last line and one past the last column; None where there is no cell."""
        origin = modes.DECOM in self.mode
        up, aside = (self.top, self.left) if origin else (0, 0)
        last, far = (self.bottom, self.right) if origin else (self.lines - 1, self.columns - 1)
        first, start = max(top, 1) - 1 + up, max(left, 1) - 1 + aside
        last = min(bottom - 1 + up if bottom else last, last)
        far = min(right - 1 + aside if right else far, far)
        return (first, start, last, far + 1) if first <= last and start <= far else None

    def copy_rectangle(
        self,
        top: int = 0,
        left: int = 0,
        bottom: int = 0,
        right: int = 0,
        _page: int = 0,
        y: int = 0,
        x: int = 0,
        *_: int,
    ) -> None:
        """DECCRA. There is one page."""
        area = self._area(top, left, bottom, right)
        target = self._area(y, x, 0, 0)
        if area is None or target is None:
            return
        first, start, last, end = area
        y, x, low, far = target
        pieces = [self.rows[line].piece(start, end) for line in range(first, last + 1)]
        for line, piece in enumerate(pieces[: low + 1 - y], y):
            self.rows[line].place(x, piece, min(end - start, far - x))
            self.dirty.add(line)

    def fill_rectangle(
        self, char: int = 0, top: int = 0, left: int = 0, bottom: int = 0, right: int = 0, *_: int
    ) -> None:
        """DECFRA: with a character of Latin 1, in the pen's look."""
        area = self._area(top, left, bottom, right)
        if area is not None and (32 <= char <= 126 or 160 <= char <= 255):
            first, start, last, end = area
            for line in range(first, last + 1):
                self.rows[line].put(start, chr(char) * (end - start), self.pen)
                self.dirty.add(line)

    def erase_rectangle(self, top: int = 0, left: int = 0, bottom: int = 0, right: int = 0, *_: int) -> None:
        """DECERA."""
        area = self._area(top, left, bottom, right)
        if area is not None:
            first, start, last, end = area
            for line in range(first, last + 1):
                self.rows[line].erase(start, end, self.columns, self.pen.blank)
                self.dirty.add(line)

    def erase_rectangle_selectively(
        self, top: int = 0, left: int = 0, bottom: int = 0, right: int = 0, *_: int
    ) -> None:
        """DECSERA."""
        area = self._area(top, left, bottom, right)
        if area is not None:
            first, start, last, end = area
            for line in range(first, last + 1):
                self._erase_unprotected(line, start, end)

    def set_rectangle_extent(self, extent: int = 0, *_: int) -> None:
        """DECSACE: whether restyling takes the text between two cells (0, 1) or a rectangle (2)."""
        if extent <= 2:
            self.rectangle_extent = extent

    def _restyled_spans(self, top: int, left: int, bottom: int, right: int) -> Iterator[tuple[Row, int, int]]:
        stream = self.rectangle_extent != 2
        # As a stream, the text may end left of the column where it began.
        area = self._area(top, left, bottom, 0 if stream else right)
        if area is None:
            return
        first, start, last, end = area
        if stream:
            end = (self._area(0, 0, 0, right) or area)[3]
        for line in range(first, last + 1):
            row = self.rows[line]
            begin, stop = start, end
            if stream:
                begin = start if line == first else 0
                stop = end if line == last else self.columns
            if begin >= stop:
                continue
            row.pad(stop)
            self.dirty.add(line)
            yield row, begin, stop

    def restyle_rectangle(self, *parameters: int) -> None:
        """DECCARA: bold, underline, blink and reverse, set and unset by their SGR numbers; 0 unsets all."""
        top, left, bottom, right, *wanted = [*parameters, *[0] * (4 - len(parameters))]
        codes = ["22;24;25;27" if code == 0 else str(code) for code in wanted or [0] if code in _RESTYLING]
        for row, start, end in self._restyled_spans(top, left, bottom, right):
            row.restyle(start, end, lambda look: apply_sgr(look, ";".join(codes)) if codes else look)

    def reverse_rectangle(self, *parameters: int) -> None:
        """DECRARA: the same attributes, each turned into its opposite."""
        top, left, bottom, right, *wanted = [*parameters, *[0] * (4 - len(parameters))]
        numbers = [1, 4, 5, 7] if 0 in (wanted or [0]) else wanted
        flags = sum(flag for number, flag in _REVERSED.items() if number in numbers)
        for row, start, end in self._restyled_spans(top, left, bottom, right):
            row.restyle(start, end, lambda look: look.with_flags(look.flags ^ flags))
            if 4 in numbers:
                row.restyle(start, end, lambda look: apply_sgr(look, "24" if look.underline else "4"))

    # Selective erasing

    def _erase_unprotected(self, line: int, start: int, end: int) -> None:
        row = self.rows[line]
        self.dirty.add(line)
        if row.styles is None:
            row.erase(start, end, self.columns, self.pen.blank)
            return
        for first, last, look in list(row.runs()):
            first, last = max(first, start), min(last, end)
            if first < last and not look.flags & PROTECTED:
                row.put(first, " " * (last - first), self.pen.blank)

    def erase_selectively_in_line(self, how: int = 0, *_: int) -> None:
        """DECSEL: as EL, but protected cells stay."""
        x, y = self._settle(), self.cursor.y
        if how <= 2:
            self._erase_unprotected(y, x if how == 0 else 0, x + 1 if how == 1 else self.columns)

    def erase_selectively_in_display(self, how: int = 0, *_: int) -> None:
        """DECSED: as ED, but protected cells stay."""
        y = self.cursor.y
        if how <= 2:
            for line in range(0 if how else y + 1, y if how == 1 else self.lines):
                self._erase_unprotected(line, 0, self.columns)
            if how != 2:
                self.erase_selectively_in_line(how)

    # Columns

    def _shift_columns(self, x: int, count: int) -> None:
        """Push the columns from `x` on to the right within the margins, pull them for a negative count."""
        limit = min(self.right + 1, self.columns)
        change = insert_within if count > 0 else delete_within
        for y in range(self.top, self.bottom + 1):
            change(self.rows[y], x, abs(count), limit, self.columns, self.pen.blank)
            self.dirty.add(y)

    def _inside(self) -> bool:
        return self.left <= self.cursor.x <= self.right and self.top <= self.cursor.y <= self.bottom

    def insert_columns(self, count: int = 1, *_: int) -> None:
        """DECIC."""
        x = self._settle()
        if self._inside():
            self._shift_columns(x, count or 1)

    def delete_columns(self, count: int = 1, *_: int) -> None:
        """DECDC."""
        x = self._settle()
        if self._inside():
            self._shift_columns(x, -(count or 1))

    def scroll_left(self, count: int = 1, *_: int) -> None:
        """SL: the columns between the margins."""
        self._shift_columns(self.left, -(count or 1))

    def scroll_right(self, count: int = 1, *_: int) -> None:
        """SR."""
        self._shift_columns(self.left, count or 1)

    def back_index(self) -> None:
        """DECBI: to the left, or the columns to the right where the cursor is at the left margin."""
        x = self._settle()
        if x == self.left and self._inside():
            self._shift_columns(x, 1)
        elif x > 0:
            self.cursor.x = x - 1

    def forward_index(self) -> None:
        """DECFI: to the right, or the columns to the left where the cursor is at the right margin."""
        x = self._settle()
        if x == self.right and self._inside():
            self._shift_columns(self.left, -1)
        elif x < self.columns - 1:
            self.cursor.x = x + 1
