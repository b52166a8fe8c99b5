"""Lines of dots in character cells: braille (2 by 4 dots a cell) or ASCII (1 by 1). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
ASCII_MARKS = "*o+x#%"


class Canvas:
    """`columns` by `rows` cells; dots have (0, 0) at the bottom left."""

    def __init__(self, columns: int, rows: int, *, ascii_only: bool = False) -> None:
        self.columns = columns
        self.rows = rows
        self.ascii_only = ascii_only
        self.width = columns if ascii_only else columns * 2
        self.height = rows if ascii_only else rows * 4
        self._bits = [[0] * columns for _ in range(rows)]
        self._owner = [[-1] * columns for _ in range(rows)]

    def dot(self, x: int, y: int, owner: int) -> None:
        """Set one dot for series `owner`; outside the canvas it is nothing."""
        if not (0 <= x < self.width and 0 <= y < self.height):
            return
        y = self.height - 1 - y
        if self.ascii_only:
            column, row, bit = x, y, 1
        else:
            column, row, bit = x // 2, y // 4, _DOTS[y % 4][x % 2]
        self._bits[row][column] |= bit
        self._owner[row][column] = owner

    def column(self, x: int, low: int, high: int, owner: int) -> None:
        """Set the dots of one column from `low` to `high`, both included."""
        for y in range(min(low, high), max(low, high) + 1):
            self.dot(x, y, owner)

    def runs(self, row: int) -> Iterator[tuple[str, int]]:
        """Text of a row in runs of one owner (-1: nothing there)."""
        text, owner = "", -2
        for bits, cell_owner in zip(self._bits[row], self._owner[row], strict=True):
            if cell_owner != owner and text:
                yield text, owner
                text = ""
            owner = cell_owner
            if not bits:
                text += " "
            elif self.ascii_only:
                text += ASCII_MARKS[owner % len(ASCII_MARKS)]
            else:
                text += chr(0x2800 + bits)
        if text:
            yield text, owner


def draw_series(
    canvas: Canvas,
    points: Sequence[tuple[float, float | None]],
    *,
    start: float,
    end: float,
    top: float,
    owner: int,
    gap: float | None,
) -> None:
    """Draw (time, value) points, oldest first, from `start` to `end` and 0 to `top`.

    Points next to each other are joined, unless a None stands between them or they are more than `gap` seconds apart.
    Where several fall in one column of dots, it spans from the lowest to the highest, so that no peak is lost.
    """
    if end <= start or top <= 0 or canvas.width < 1:
        return
    across = (canvas.width - 1) / (end - start)
    up = (canvas.height - 1) / top
    before: tuple[float, int, int] | None = None
    for time, value in points:
        if value is None:
            before = None
            continue
        x = round((time - start) * across)
        y = round(max(0.0, min(value, top)) * up)
        if before is not None and (gap is None or time - before[0] <= gap):
            _join(canvas, before[1], before[2], x, y, owner)
        else:
            canvas.dot(x, y, owner)
        before = (time, x, y)


def _join(canvas: Canvas, x1: int, y1: int, x2: int, y2: int, owner: int) -> None:
    if x2 == x1:
        canvas.column(x1, y1, y2, owner)
        return
    last = y1
    for x in range(max(x1 + 1, 0), min(x2, canvas.width) + 1):
        y = round(y1 + (y2 - y1) * (x - x1) / (x2 - x1))
        step = 1 if y > last else -1
        canvas.column(x, y if abs(y - last) <= 1 else last + step, y, owner)
        last = y
