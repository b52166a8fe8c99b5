"""Finding text in the scrollback and on the screen."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from bisect import bisect_left, bisect_right
from itertools import accumulate, islice
from time import monotonic
from typing import Final

from widgets.terminal.emulator import STUB, Row, Screen
from widgets.terminal.emulator.width import cell_width
from widgets.terminal.selection import Cell, logical_lines

Hit = tuple[Cell, Cell]
"""The first and last cell of what was found."""

MOST_HITS: Final = 100_000
"""Hits kept: of more, the newest."""

_SLICE: Final = 0.004
"""Seconds of looking before the rest of the app has its turn."""

_LONGEST: Final = 500
"""Lines taken as one where a line wrapped into more."""

_AROUND: Final = 50
"""The same for what is shown, on either side."""

_CHECKED: Final = 16
"""Lines between two looks at the clock."""


def compiled(pattern: str) -> re.Pattern[str]:
    """What finds a text in cells: wide characters have a stub after them, and accents that came as marks of their own
    are not among the cells, so that an accented letter also finds the bare one. Capitals count only where the text has
    some."""
    composed = unicodedata.normalize("NFC", pattern)
    flags = re.IGNORECASE if composed == composed.lower() else 0
    parts: list[str] = []
    for char in composed:
        width, bare = cell_width(char), unicodedata.normalize("NFD", char)[0]
        if width > 0:
            either = re.escape(char) if bare == char or width == 2 else f"[{re.escape(char)}{re.escape(bare)}]"
            parts.append(either + STUB * (width - 1))
    return re.compile("".join(parts), flags)


class Search:
    """All places of a text, oldest first. `update` looks at what is new; lines of the scrollback are looked at once.

    Lines that wrapped are one line. Make a new one after the screen was resized: lines have other numbers then.
    """

    def __init__(self, screen: Screen, pattern: str) -> None:
        self.pattern = pattern
        self.hits: list[Hit] = []
        self.current: Hit | None = None
        self._screen = screen
        self._finds = compiled(pattern)
        self._seen = screen.history_first
        """All lines before this one are looked at, and do not change any more."""

    async def update(self) -> None:
        """Look at all lines that were not looked at, in slices. The alternate screen has no scrollback."""
        screen = self._screen
        if not self._finds.pattern:
            return
        if screen.alternate:
            self.hits.clear()
            self._seen = screen.history_total
        before = -1
        while before < self._seen < screen.history_total:
            before = self._seen
            await asyncio.sleep(0)
            self._forget_gone()
            self._take_history(monotonic() + _SLICE)
            if len(self.hits) > 2 * MOST_HITS:
                del self.hits[:-MOST_HITS]
        self._forget_gone()
        # The screen's own lines change, with the start of one that goes on on it: they are looked at anew each time.
        number, end = self._seen, screen.history_total + screen.lines
        while number < end:
            last = self._end_of(number)
            self._take(number, last)
            number = last + 1

    def _forget_gone(self) -> None:
        """Hits that left the scrollback, and those in lines that are to be looked at anew."""
        first = self._screen.history_first
        self._seen = max(self._seen, first)
        del self.hits[bisect_left(self.hits, ((self._seen, 0), (0, 0))) :]
        del self.hits[: bisect_left(self.hits, ((first, 0), (0, 0)))]

    def _take_history(self, until: float) -> None:
        """Look at the next lines of the scrollback, up to a time of the monotonic clock."""
        screen, search, begin = self._screen, self._finds.search, self._seen
        looked = 0
        for number, line in enumerate(islice(screen.history, begin - screen.history_first, None), begin):
            if number < self._seen:
                continue  # a part of a line that was taken whole
            if looked >= _CHECKED:
                looked = 0
                if monotonic() > until:
                    return
            last = number
            if not isinstance(line, str) and line.wrapped:
                last = self._end_of(number)
                if last >= screen.history_total:
                    return
                self._take(number, last)
            elif search(line if isinstance(line, str) else line.text):
                self._take(number, number)
            looked += last - number + 1
            self._seen = last + 1

    def _end_of(self, number: int) -> int:
        """The last line of the one that begins here."""
        last = number
        while last - number < _LONGEST - 1 and (row := self._screen.line(last)) is not None and row.wrapped:
            if self._screen.line(last + 1) is None:
                break
            last += 1
        return last

    def _take(self, first: int, last: int) -> None:
        rows = [row for number in range(first, last + 1) if (row := self._screen.line(number)) is not None]
        self.hits += self._in_rows(first, rows)

    def _in_rows(self, first: int, rows: list[Row]) -> list[Hit]:
        starts = list(accumulate([len(row.text) for row in rows], initial=0))

        def cell(at: int) -> Cell:
            line = bisect_right(starts, at) - 1
            return first + line, at - starts[line]

        text = "".join([row.text for row in rows])
        return [
            (cell(match.start()), cell(match.end() - 1))
            for match in self._finds.finditer(text)
            if match.end() > match.start()
        ]

    # For showing

    def spans_on(self, number: int) -> list[tuple[int, int, bool]]:
        """First cell, one past the last, and whether it is the current one, of all hits on this line as it is now."""
        if not self._finds.pattern:
            return []
        first, last = logical_lines(self._screen, number, _AROUND)
        rows = [row for each in range(first, last + 1) if (row := self._screen.line(each)) is not None]
        spans: list[tuple[int, int, bool]] = []
        for start, end in self._in_rows(first, rows):
            if start[0] <= number <= end[0]:
                left = start[1] if start[0] == number else 0
                right = end[1] + 1 if end[0] == number else self._screen.columns
                spans.append((left, right, (start, end) == self.current))
        return spans

    # Going

    def step(self, cell: Cell, *, back: bool) -> Hit | None:
        """Make the next hit after a cell, or before it, the current one; at the end it goes on at the other end."""
        if not self.hits:
            self.current = None
        elif back:
            self.current = self.hits[bisect_left(self.hits, (cell, (0, 0))) - 1]
        else:
            at = bisect_right(self.hits, (cell, (1 << 62, 0)))
            self.current = self.hits[at if at < len(self.hits) else 0]
        return self.current

    @property
    def place(self) -> tuple[int, int]:
        """Which of how many hits the current one is, from 1; 0 where there is none."""
        if self.current is None:
            return 0, len(self.hits)
        at = bisect_left(self.hits, self.current)
        found = at < len(self.hits) and self.hits[at] == self.current
        return at + 1 if found else 0, len(self.hits)
