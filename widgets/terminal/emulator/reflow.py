"""What happens to the lines when the size changes."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from widgets.terminal.emulator.kept import kept, restored
from widgets.terminal.emulator.marks import with_mark
from widgets.terminal.emulator.row import STUB, Row
from widgets.terminal.emulator.style import DEFAULT

if TYPE_CHECKING:
    from widgets.terminal.emulator.grid import Grid


def resize_alternate(rows: list[Row], columns: int, lines: int) -> list[Row]:
    """Cut or grow at the bottom and on the right: its program draws it anew."""
    kept = rows[:lines]
    for row in kept:
        row.clip(columns)
    return kept + [Row() for _ in range(lines - len(kept))]


def resize_main(grid: Grid, rows: list[Row], columns: int, lines: int, x: int, y: int) -> tuple[int, int]:
    """Lay out scrollback and `rows` for the new size, in place; returns where the cursor at (x, y) went.

    The cursor keeps its place in its text. Blank lines under it make room first; what does not fit goes to the
    scrollback, and lines come back from there when the screen grows.
    """
    history = grid.history
    count = len(history)
    all_rows = [*map(restored, history), *rows]
    at = count + y
    if columns != grid.columns:
        all_rows, at, x = _rewrap(all_rows, columns, at, x)
    while len(all_rows) > at + 1 and not (all_rows[-1].text or all_rows[-1].wrapped or all_rows[-1].marks):
        all_rows.pop()
    first = max(0, len(all_rows) - lines)
    if first > at:
        first = at
        del all_rows[first + lines :]
    gone = all_rows[:first]
    rows[:] = all_rows[first:] + [Row() for _ in range(lines - (len(all_rows) - first))]
    grid.history_total = max(0, grid.history_total - count + len(gone))
    grid.history = deque(map(kept, gone), maxlen=history.maxlen)
    return min(x, columns), at - first


def _rewrap(rows: list[Row], columns: int, at: int, x: int) -> tuple[list[Row], int, int]:
    """Join lines that wrapped and cut them at the new width; follows the cell (x, at)."""
    laid: list[Row] = []
    new_at, new_x = 0, 0
    index = 0
    while index < len(rows):
        last = index
        while rows[last].wrapped and last + 1 < len(rows):
            last += 1
        if index == last and len(rows[index].text) <= columns:
            if index == at:
                new_at, new_x = len(laid), min(x, columns)
            laid.append(rows[index])
        else:
            parts = rows[index : last + 1]
            inside = at - index if index <= at <= last else None
            offset = None
            if inside is not None:
                offset = sum(len(part.text) for part in parts[:inside]) + x
            pieces = _cut(_joined(parts), columns)
            if offset is not None:
                step = 0
                while step + 1 < len(pieces) and offset >= len(pieces[step].text):
                    offset -= len(pieces[step].text)
                    step += 1
                new_at, new_x = len(laid) + step, min(offset, columns)
            laid += pieces
        index = last + 1
    return laid, new_at, new_x


def _joined(parts: list[Row]) -> Row:
    """One long line of several."""
    whole = Row()
    for part in parts:
        start = len(whole.text)
        if part.styles is not None and whole.styles is None:
            whole.styles = [DEFAULT] * start
        if whole.styles is not None:
            whole.styles += part.styles if part.styles is not None else [DEFAULT] * len(part.text)
        whole.text += part.text
        whole.wide = whole.wide or part.wide
        for mark in part.marks:
            whole.marks = with_mark(whole.marks, replace(mark, column=mark.column + start))
        if part.clusters:
            whole.clusters = (whole.clusters or {}) | {start + x: mark for x, mark in part.clusters.items()}
    return whole


def _cut(whole: Row, columns: int) -> list[Row]:
    """The lines of a long line; a wide character is never cut in two."""
    pieces: list[Row] = []
    start, length = 0, len(whole.text)
    while start < length or not pieces:
        end = min(start + columns, length)
        if end < length and whole.text[end] == STUB and end - 1 > start:
            end -= 1
        piece = Row(whole.text[start:end], whole.styles[start:end] if whole.styles is not None else None)
        piece.wide = whole.wide
        if whole.clusters:
            marks = {x - start: mark for x, mark in whole.clusters.items() if start <= x < end}
            piece.clusters = marks or None
        last = end >= length
        piece.marks = tuple(
            replace(mark, column=mark.column - start)
            for mark in whole.marks
            if start <= mark.column and (mark.column < end or last)
        )
        piece.wrapped = not last
        pieces.append(piece)
        start = end
    return pieces
