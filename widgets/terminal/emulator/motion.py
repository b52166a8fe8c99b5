"""Moving the cursor, tab stops and the scrolling region."""

from __future__ import annotations

from pyte import modes

from widgets.terminal.emulator.editing import Editing


class Motion(Editing):
    """Every move ends a pending wrap and stays on the screen. Counts of 0 or none mean 1; columns and lines that come
    from the stream are 1-based."""

    def ensure_hbounds(self) -> None:
        """Keep the cursor within the columns."""
        self.cursor.x = min(max(0, self.cursor.x), self.columns - 1)

    def ensure_vbounds(self, use_margins: bool | None = None) -> None:
        """Keep the cursor within the lines, or the region in origin mode."""
        if use_margins or modes.DECOM in self.mode:
            self.cursor.y = min(max(self.top, self.cursor.y), self.bottom)
        else:
            self.cursor.y = min(max(0, self.cursor.y), self.lines - 1)

    def next_line(self) -> None:
        """NEL: to the first column of the next line."""
        self.index()
        self.carriage_return()

    def backspace(self) -> None:
        """Left by one; from a pending wrap off the last cell, as xterm does."""
        self.cursor_back(1)

    def cursor_up(self, count: int | None = None, *_: int) -> None:
        """Up, not past the region's top where it started within it."""
        self._settle()
        y = self.cursor.y
        self.cursor.y = max(y - (count or 1), self.top if y >= self.top else 0)

    def cursor_down(self, count: int | None = None, *_: int) -> None:
        """Down, not past the region's bottom where it started within it."""
        self._settle()
        y = self.cursor.y
        self.cursor.y = min(y + (count or 1), self.bottom if y <= self.bottom else self.lines - 1)

    def cursor_up1(self, count: int | None = None, *_: int) -> None:
        """Up, to the first column."""
        self.cursor_up(count)
        self.carriage_return()

    def cursor_down1(self, count: int | None = None, *_: int) -> None:
        """Down, to the first column."""
        self.cursor_down(count)
        self.carriage_return()

    def cursor_forward(self, count: int | None = None, *_: int) -> None:
        """To the right, not past the right margin where it started within it."""
        x = self._settle()
        self.cursor.x = min(x + (count or 1), self.right if x <= self.right else self.columns - 1)

    def cursor_back(self, count: int | None = None, *_: int) -> None:
        """To the left, not past the left margin where it started within it."""
        x = self._settle()
        self.cursor.x = max(x - (count or 1), self.left if x >= self.left else 0)

    def cursor_position(self, line: int | None = None, column: int | None = None, *_: int) -> None:
        """To a line and column; they count from the margins in origin mode."""
        if modes.DECOM in self.mode:
            self.cursor_to_column(column)
            self.cursor_to_line(line)
            return
        cursor, x, y = self.cursor, (column or 1) - 1, (line or 1) - 1
        cursor.x = x if x < self.columns else self.columns - 1
        cursor.y = y if y < self.lines else self.lines - 1
        self.waiting = None

    def cursor_to_line(self, line: int | None = None, *_: int) -> None:
        """To a line, in the same column."""
        self._settle()
        y = max(1, line or 1) - 1
        if modes.DECOM in self.mode:
            self.cursor.y = min(y + self.top, self.bottom)
        else:
            self.cursor.y = min(y, self.lines - 1)

    def cursor_to_column(self, column: int | None = None, *_: int) -> None:
        """To a column, in the same line."""
        x = max(1, column or 1) - 1
        self.waiting = None
        if modes.DECOM in self.mode:
            self.cursor.x = min(x + self.left, self.right)
        else:
            self.cursor.x = min(x, self.columns - 1)

    def set_margins(self, top: int | None = None, bottom: int | None = None, *_: int) -> None:
        """DECSTBM: the region, and the cursor to its home. A region of less than two lines is ignored."""
        first = max(1, top or 1) - 1
        last = min(bottom or self.lines, self.lines) - 1
        if first < last:
            self.top, self.bottom = first, last
            self.cursor_position()

    def set_side_margins(self, left: int | None = None, right: int | None = None, *_: int) -> None:
        """DECSLRM: the margins, and the cursor to its home. Margins that leave less than two columns are ignored."""
        first = max(1, left or 1) - 1
        last = min(right or self.columns, self.columns) - 1
        if first < last:
            self.set_sides(first, last)
            self.cursor_position()

    def tab(self) -> None:
        """To the next tab stop, or the last column."""
        self.tab_forward(1)

    def tab_forward(self, count: int | None = None, *_: int) -> None:
        """CHT: to the n-th next tab stop, or the last column, where a pending wrap stays pending."""
        x = self.cursor.x
        last = self.right if x <= self.right else self.columns - 1
        if x >= last:
            return
        for _step in range(min(count or 1, self.columns)):
            x += 1
            while x < last and x not in self.tabstops:
                x += 1
            if x >= last:
                break
        self.cursor.x = min(x, last)
        self.waiting = None

    def tab_back(self, count: int | None = None, *_: int) -> None:
        """CBT: to the n-th tab stop before, or the first column."""
        x = self._settle()
        for _step in range(min(count or 1, self.columns)):
            x -= 1
            while x > 0 and x not in self.tabstops:
                x -= 1
            if x <= 0:
                break
        self.cursor.x = max(0, x)

    def set_tab_stop(self) -> None:
        """HTS: a tab stop here."""
        self.tabstops.add(min(self.cursor.x, self.columns - 1))

    def clear_tab_stop(self, how: int = 0, *_: int) -> None:
        """0: the one here, 3: all."""
        if how == 0:
            self.tabstops.discard(min(self.cursor.x, self.columns - 1))
        elif how == 3:
            self.tabstops.clear()
