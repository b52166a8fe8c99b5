"""Which screen rows the lines of a log take: wrapping and line numbers of rows, pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from rich.cells import cell_len, get_character_cell_size


def wrap_starts(text: str, width: int) -> list[int]:
    """Character offsets where the rows of `text` begin when it is broken at `width` cells; at least [0]."""
    if width <= 0 or len(text) <= width // 2:
        return [0]
    if text.isascii():
        return list(range(0, len(text), width)) or [0]
    if cell_len(text) <= width:
        return [0]
    starts, used = [0], 0
    for offset, character in enumerate(text):
        size = get_character_cell_size(character)
        if used + size > width and used:
            starts.append(offset)
            used = 0
        used += size
    return starts


def height(text: str, width: int) -> int:
    """Rows that `text` takes at `width` cells; 1 where `width` is 0 (no wrapping)."""
    if width <= 0 or len(text) <= width // 2:
        return 1
    if text.isascii():
        return -(-len(text) // width)
    return len(wrap_starts(text, width))


class RowIndex:
    """Rows of consecutive lines. Rows have absolute numbers that stay theirs when lines go from the front."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._end = 0

    def __len__(self) -> int:
        """Number of lines held."""
        return len(self._starts)

    @property
    def first(self) -> int:
        """Absolute number of the first row held."""
        return self._starts[0] if self._starts else self._end

    @property
    def end(self) -> int:
        return self._end

    @property
    def count(self) -> int:
        return self._end - self.first

    def extend(self, heights: Iterable[int]) -> None:
        for rows in heights:
            self._starts.append(self._end)
            self._end += rows

    def trim(self, lines: int) -> int:
        """Forget that many lines at the front; how many rows went with them."""
        before = self.first
        del self._starts[:lines]
        return self.first - before

    def line_at(self, row: int) -> tuple[int, int] | None:
        """(index of the line, which of its rows) for an absolute row."""
        if not self._starts or not self.first <= row < self._end:
            return None
        index = bisect_right(self._starts, row) - 1
        return index, row - self._starts[index]

    def start_of(self, index: int) -> int:
        """Absolute first row of a line."""
        return self._starts[index]
