"""A screen written out again: the escape sequences that bring a fresh terminal of the same size to the same state.

Only sequences that xterm, tmux and this emulator understand alike are used. What cannot be said by any sequence (what
REP would repeat, saved private modes, whether the last line wrapped) is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from pyte import modes

from widgets.terminal.emulator.grid import Grid
from widgets.terminal.emulator.row import STUB, Row
from widgets.terminal.emulator.style import DEFAULT, Style, sgr_parameters

if TYPE_CHECKING:
    from widgets.terminal.emulator.screen import SavedCursor, Screen

_ALTERNATE = (47, 1047, 1049)
_PLACED = frozenset({3, 1048, 6, 25, 2026, *_ALTERNATE})
"""Private modes that act when they are set, and so have a place of their own."""


def repaint(screen: Screen, scrollback_lines: int) -> bytes:
    """What makes a fresh terminal of this size look and behave as `screen` does, in UTF-8.

    The newest `scrollback_lines` lines of the scrollback come first. The program's next output may follow directly; a
    sequence that it had begun is not part of the screen: append `ByteStream.unfinished`.
    """
    return "".join(_parts(screen, scrollback_lines)).encode()


def _parts(screen: Screen, scrollback_lines: int) -> Iterator[str]:
    numbers = {mode >> 5 for mode in screen.mode if mode >= 32 and not mode & 31}
    yield "\x1b[?25l"
    for number in (3, 1048):
        if number in numbers:
            yield f"\x1b[?{number}h"
    yield from _tab_stops(screen)
    main, other = screen.both_rows()
    history = screen.history
    kept = list(islice(history, max(0, len(history) - max(0, scrollback_lines)), None))
    yield from _lines([*(Row(line) if isinstance(line, str) else line for line in kept), *main], screen.columns)
    saved, saved_main = screen.both_saved()
    if screen.alternate:
        # 1049 saves the cursor by itself, so all must be in place when it comes.
        switch = "".join(f"\x1b[?{number}h" for number in _ALTERNATE if number in numbers)
        yield _saved(saved_main, main, screen.columns, switch) + "\x1b[H"
        yield from _lines(other, screen.columns)
    elif any(row.text for row in other):
        # What a program left there would be seen again by one that enters without clearing.
        yield "\x1b[?47h\x1b[H" + "".join(_lines(other, screen.columns)) + "\x1b[?47l"
    yield _saved(saved, screen.rows, screen.columns)
    yield from _state(screen, numbers)


def _tab_stops(screen: Screen) -> Iterator[str]:
    stops = sorted(stop for stop in screen.tabstops if stop < screen.columns)
    if stops != list(range(8, screen.columns, 8)):
        yield "\x1b[3g" + "".join(f"\x1b[{stop + 1}G\x1bH" for stop in stops) + "\r"


# Lines


def _lines(rows: Sequence[Row], columns: int) -> Iterator[str]:
    """The lines from the cursor's on, at whose start it is; wrapped ones so that they wrap again."""
    for index, row in enumerate(rows):
        following = rows[index + 1] if index + 1 < len(rows) else None
        text = _cells(row)
        plain = _draws_alike(row)
        if following is None:
            yield text if plain else _backwards(row)
            return
        length = len(row.text)
        if not row.wrapped:
            yield (text if plain else _backwards(row)) + "\r\n"
        elif plain and length == columns - 1 and following.wide and following.text[1:2] == STUB:
            # A wide character that found no room: it does so again.
            yield text
        else:
            yield text + " " * (columns - length) if plain else " " * columns
            yield " \r" if following.text else " \r\x1b[K"
            # What makes the line wrap is not always what it shows at last.
            again = "" if plain else _backwards(row)
            if length < columns:
                again += f"\x1b[{length + 1}G\x1b[{columns - length}X"
            if again:
                yield f"\x1b[A{again}\x1b[B\r"


def _draws_alike(row: Row) -> bool:
    """Whether the text, drawn from left to right, makes the same cells: a joiner may take in what was drawn earlier."""
    if not row.text or not (row.wide or row.clusters):
        return True
    trial = Grid(len(row.text), 1, 0)
    trial.draw(row.shown())
    return (trial.rows[0].text, trial.rows[0].clusters) == (row.text, row.clusters)


def _backwards(row: Row) -> str:
    """The cells from right to left: nothing joins what is not there yet."""
    ends = [x for x in range(len(row.text)) if row.text[x] != STUB]
    return "".join(f"\x1b[{x + 1}G{_cells(row, x, x + 1)}" for x in reversed(ends))


def _cells(row: Row, start: int = 0, end: int | None = None) -> str:
    """The cells with their looks, ending in the default look."""
    parts: list[str] = []
    for first, last, look in row.runs():
        first, last = max(first, start), last if end is None else min(last, end)
        if first >= last:
            continue
        text = row.shown(first, last)
        parts.append(text if look is DEFAULT else f"\x1b[{sgr_parameters(look)}m{text}\x1b[m")
    return "".join(parts)


# Cursor


def _place(x: int, y: int, rows: Sequence[Row], columns: int, top: int = 0) -> str:
    """Moves to a cell, lines counted from `top`; past the last one by drawing that again, so that the cursor waits to
    wrap."""
    if x < columns:
        return f"\x1b[{y - top + 1};{x + 1}H"
    row, last = rows[y], columns - 1
    if row.text[last : last + 1] == STUB:
        last -= 1
    return f"\x1b[{y - top + 1};{last + 1}H" + (_cells(row, last) or " ")


def _pen(look: Style) -> str:
    return "" if look is DEFAULT else f"\x1b[{sgr_parameters(look)}m"


def _charsets(g0: str, g1: str, charset: int) -> str:
    return ("\x1b(0" if g0 else "") + ("\x1b)0" if g1 else "") + ("\x0e" if charset else "")


def _saved(saved: SavedCursor, rows: Sequence[Row], columns: int, then: str = "") -> str:
    """DECSC with this content, what is to follow it at once, and the plain state after that."""
    return (
        ("\x1b[?6h" if saved.origin else "")
        + _place(saved.x, min(saved.y, len(rows) - 1), rows, columns)
        + (_pen(saved.pen) + _charsets(saved.g0, saved.g1, saved.charset) + "\x1b7" + then)
        + "\x1b[m\x1b(B\x1b)B\x0f\x1b[?6l"
    )


def _state(screen: Screen, numbers: set[int]) -> Iterator[str]:
    """Modes, titles, region, cursor and pen."""
    if screen.title:
        yield f"\x1b]2;{screen.title}\x1b\\"
    if screen.icon_name:
        yield f"\x1b]1;{screen.icon_name}\x1b\\"
    defaults = screen.default_private_modes
    for number in sorted((numbers ^ defaults) - _PLACED):
        yield f"\x1b[?{number}{'h' if number in numbers else 'l'}"
    if screen.application_keypad_on:
        yield "\x1b="
    if screen.cursor_style:
        yield f"\x1b[{screen.cursor_style} q"
    if screen.margins is not None:
        yield f"\x1b[{screen.top + 1};{screen.bottom + 1}r"
    cursor, y = screen.cursor, screen.cursor.y
    origin = 6 in numbers and screen.top <= y <= screen.bottom
    if origin:
        yield "\x1b[?6h"
    yield _place(cursor.x, y, screen.rows, screen.columns, screen.top if origin else 0)
    if modes.LNM in screen.mode:
        yield "\x1b[20h"
    if modes.IRM in screen.mode:
        yield "\x1b[4h"
    yield _pen(screen.pen) + _charsets(screen.g0_charset, screen.g1_charset, screen.charset)
    if not cursor.hidden:
        yield "\x1b[?25h"
    if 2026 in numbers:
        yield "\x1b[?2026h"
