"""Left and right margins (DECSLRM): drawing and scrolling within columns. Rare, so kept out of the quick ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyte import modes

from widgets.terminal.emulator.row import STUB, Row
from widgets.terminal.emulator.style import Style
from widgets.terminal.emulator.width import cell_width

if TYPE_CHECKING:
    from widgets.terminal.emulator.grid import Grid


def draw_within(grid: Grid, data: str) -> None:
    """Show text where lines wrap at the right margin. `grid.waiting` is the place of a cursor that waits to wrap."""
    cursor = grid.cursor
    for char in data:
        width = cell_width(char)
        waits = grid.waiting == (cursor.x, cursor.y)
        cursor.x += waits
        joined = width >= 0 and grid.join(char, width)
        cursor.x -= waits
        limit = grid.right + 1 if cursor.x <= grid.right else grid.columns
        if joined or not 0 < width <= limit - grid.left:
            continue
        x = cursor.x
        if waits or x + width > limit:
            if modes.DECAWM in grid.mode:
                grid.index()
                x = grid.left
                limit = grid.right + 1
            else:
                x = limit - width
        row = grid.rows[cursor.y]
        if modes.IRM in grid.mode:
            insert_within(row, x, width, limit, grid.columns, grid.pen.blank)
        row.put(x, char + STUB if width == 2 else char, grid.pen)
        row.wide = row.wide or width == 2
        grid.dirty.add(cursor.y)
        cursor.x = min(x + width, limit - 1)
        grid.waiting = (cursor.x, cursor.y) if x + width >= limit else None


def insert_within(row: Row, x: int, count: int, limit: int, columns: int, fill: Style) -> None:
    """Push cells to the right, up to before column `limit`; those from there on stay."""
    count = min(count, limit - x)
    if limit < columns:
        row.delete(limit - count, count, columns, fill)
    row.insert(x, count, columns, fill)


def delete_within(row: Row, x: int, count: int, limit: int, columns: int, fill: Style) -> None:
    """Pull cells to the left, up to before column `limit`; those from there on stay."""
    count = min(count, limit - x)
    row.delete(x, count, columns, fill)
    if limit < columns:
        row.insert(limit - count, count, columns, fill)


def scroll_within(grid: Grid, count: int, top: int) -> None:
    """Move what is between the margins up from line `top` on, down for a negative count."""
    left, right, bottom = grid.left, grid.right, grid.bottom
    pieces = [grid.rows[y].piece(left, right + 1) for y in range(top, bottom + 1)]
    for at, y in enumerate(range(top, bottom + 1)):
        row = grid.rows[y]
        row.wrapped = False
        if 0 <= at + count < len(pieces):
            row.place(left, pieces[at + count], right + 1 - left)
        else:
            row.put(left, " " * (right + 1 - left), grid.pen.blank)
    grid.dirty.update(range(top, bottom + 1))
