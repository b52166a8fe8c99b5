"""A screen written out again: the escape sequences that bring a fresh terminal of the same size to the same state.

Only sequences that xterm, tmux and this emulator understand alike are used, or that the others ignore. What cannot be
said by any sequence, or is not worth one (what REP would repeat, saved private modes and titles, whether the last line
wrapped, a wrap or a waiting cursor between characters that would join), is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import quote

from pyte import modes

from widgets.terminal.emulator.colours import written_colour
from widgets.terminal.emulator.grid import Grid
from widgets.terminal.emulator.kept import restored
from widgets.terminal.emulator.row import STUB, Row
from widgets.terminal.emulator.style import DEFAULT, PROTECTED, Style, sgr_parameters
from widgets.terminal.emulator.width import cell_width

if TYPE_CHECKING:
    from widgets.terminal.emulator.screen import SavedCursor, Screen

_ALTERNATE = (47, 1047, 1049)
_PLACED = frozenset({3, 1048, 6, 25, 2026, 2027, *_ALTERNATE})
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
    kept = islice(history, max(0, len(history) - max(0, scrollback_lines)), None)
    yield from _lines([*map(restored, kept), *main], screen.columns)
    saved, saved_main = screen.both_saved()
    yield _keyboard(screen.keyboard_stack(alternate=False))
    if screen.alternate:
        # 1049 saves the cursor by itself, so all must be in place when it comes.
        switch = "".join(f"\x1b[?{number}h" for number in _ALTERNATE if number in numbers)
        yield _saved(saved_main, main, screen.columns, switch) + "\x1b[H"
        yield from _lines(other, screen.columns)
        yield _keyboard(screen.keyboard_stack(alternate=True))
    elif any(row.text for row in other):
        # What a program left there would be seen again by one that enters without clearing.
        yield "\x1b[?47h\x1b[H" + "".join(_lines(other, screen.columns)) + "\x1b[?47l"
    yield _saved(saved, screen.rows, screen.columns)
    yield from _told(screen)
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
        length, plain = len(row.text), _draws_alike(row)
        early, late = _marks(row, columns)
        if following is None or not row.wrapped or joins_over(row, following):
            filled = " " * columns + late + "\r" if late and not plain else ""
            yield early + (_cells(row) + late if plain else filled + _backwards(row))
            yield "" if following is None else "\r\n"
        elif plain and length == columns - 1 and following.text[1:2] == STUB and _draws_first(following):
            # A wide character that found no room: it does so again.
            yield early + _cells(row)
        else:
            yield early + (_cells(row) + " " * (columns - length) if plain else " " * columns) + late
            yield " \r" if following.text else " \r\x1b[K"
            # What makes the line wrap is not always what it shows at last.
            again = "" if plain else _backwards(row)
            if length < columns:
                again += f"\x1b[{length + 1}G\x1b[{columns - length}X"
            if again:
                yield f"\x1b[A{again}\x1b[B\r"


def joins_over(row: Row, following: Row) -> bool:
    """Whether the following line's first character, drawn after the line, would join the line's last."""
    flags = all("\U0001f1e6" <= char <= "\U0001f1ff" for char in (row.shown()[-1:] or " ", following.text[:1] or " "))
    return flags or row.shown().endswith("\u200d")


def _draws_first(row: Row) -> bool:
    """Whether nothing but its text is told for the line, so that its first character may wrap."""
    return not row.marks and _draws_alike(row)


def _draws_alike(row: Row) -> bool:
    """Whether the text, drawn from left to right, makes the same cells: a joiner may take in what was drawn earlier."""
    if not row.text or not (row.wide or row.clusters):
        return True
    trial = Grid(len(row.text), 1, 0)
    trial.draw(row.shown())
    return (trial.rows[0].text, trial.rows[0].clusters) == (row.text, row.clusters)


def _backwards(row: Row) -> str:
    """The cells from right to left: nothing joins what is not there yet."""
    return "".join(f"\x1b[{x + 1}G{_cell(row, x)}" for x in range(len(row.text) - 1, -1, -1) if row.text[x] != STUB)


def _cell(row: Row, x: int) -> str:
    """One character, in the mode in which it takes as many cells."""
    cell = _cells(row, x, x + 1)
    marks = (row.clusters or {}).get(x, "")
    widened = bool(marks) and cell_width(row.text[x]) == 1 and row.text[x + 1 : x + 2] == STUB
    toned = any("\U0001f3fb" <= mark <= "\U0001f3ff" for mark in marks)
    return f"\x1b[?2027h{cell}\x1b[?2027l" if widened or toned else cell


def _cells(row: Row, start: int = 0, end: int | None = None) -> str:
    """The cells with their looks, ending in the default look."""
    parts: list[str] = []
    whole = end is None and not (start or row.wide or row.clusters)
    for first, last, look in row.runs():
        if not whole:
            first, last = max(first, start), last if end is None else min(last, end)
            if first >= last:
                continue
        text = row.text[first:last] if whole else row.shown(first, last)
        if look is DEFAULT:
            parts.append(text)
        else:
            before, after = _begun(look)
            parts += (before, text, after)
    return "".join(parts)


@lru_cache(1024)
def _begun(look: Style) -> tuple[str, str]:
    """What turns the default look into this one, and back."""
    if look is DEFAULT:
        return "", ""
    before, after = f"\x1b[{sgr_parameters(look)}m", "\x1b[m"
    if look.link is not None:
        # Those that had no id are told apart by their numbers.
        name = look.link.id[1:] if look.link.id[0] == "=" else f"-{look.link.id}"
        before, after = f"\x1b]8;id={name};{look.link.address}\x1b\\{before}", f"{after}\x1b]8;;\x1b\\"
    if look.flags & PROTECTED:
        before, after = before + '\x1b[1"q', after + '\x1b[0"q'
    return before, after


def _marks(row: Row, columns: int) -> tuple[str, str]:
    """The shell's marks: those told on the empty line, and those told when a full line was drawn."""
    early, late = "", ""
    for mark in row.marks:
        told = f"\x1b]133;{mark.kind}" + ("" if mark.exit_status is None else f";{mark.exit_status}") + "\x1b\\"
        if mark.column >= columns and (row.wrapped or len(row.text) >= columns):
            late += told
        else:
            early += f"\x1b[{min(mark.column, columns - 1) + 1}G{told}"
    return early + "\r" if early else "", late


# Cursor


def _place(x: int, y: int, rows: Sequence[Row], last: int, waits: bool, home: tuple[int, int] = (0, 0)) -> str:
    """Moves to a cell, counted from `home`; where the cursor waits to wrap, by drawing the cell before it, in column
    `last`, again. One that would join its neighbour then is left alone, and the cursor is on it."""
    row, end = rows[y], last + 1
    if waits and row.text[last : last + 1] == STUB:
        last -= 1
    if not waits or joins_before(row, last):
        return f"\x1b[{y - home[1] + 1};{min(x, end - 1 if waits else x) - home[0] + 1}H"
    return f"\x1b[{y - home[1] + 1};{last - home[0] + 1}H" + (_cell(row, last) if last < len(row.text) else " ")


def joins_before(row: Row, x: int) -> bool:
    """Whether the cell would join the one before it if it were drawn now."""
    before = x - 2 if row.text[x - 1 : x] == STUB else x - 1
    if before < 0 or before >= len(row.text):
        return False
    marks = (row.clusters or {}).get(before, "")
    both_flags = all("\U0001f1e6" <= char <= "\U0001f1ff" for char in (row.text[before], row.text[x : x + 1] or " "))
    return marks.endswith("\u200d") or (both_flags and not marks)


def _pen(look: Style) -> str:
    return _begun(look)[0]


def _charsets(g0: str, g1: str, charset: int) -> str:
    return ("\x1b(0" if g0 else "") + ("\x1b)0" if g1 else "") + ("\x0e" if charset else "")


def _saved(saved: SavedCursor, rows: Sequence[Row], columns: int, then: str = "") -> str:
    """DECSC with this content, what is to follow it at once, and the plain state after that."""
    return (
        ("\x1b[?6h" if saved.origin else "")
        + _place(saved.x, min(saved.y, len(rows) - 1), rows, columns - 1, saved.x >= columns)
        + (_pen(saved.pen) + _charsets(saved.g0, saved.g1, saved.charset) + "\x1b7" + then)
        + _begun(saved.pen)[1]
        + "\x1b[m\x1b(B\x1b)B\x0f\x1b[?6l"
    )


# State


def _keyboard(stack: tuple[int, ...]) -> str:
    first, *pushed = stack
    return (f"\x1b[={first}u" if first else "") + "".join(f"\x1b[>{flags}u" for flags in pushed)


def _told(screen: Screen) -> Iterator[str]:
    """Titles, folder, progress and colours."""
    if screen.title:
        yield f"\x1b]2;{screen.title}\x1b\\"
    if screen.icon_name:
        yield f"\x1b]1;{screen.icon_name}\x1b\\"
    if screen.directory:
        yield f"\x1b]7;file://{screen.directory_host}{quote(screen.directory)}\x1b\\"
    if screen.progress is not None:
        yield f"\x1b]9;4;{screen.progress[0]};{screen.progress[1]}\x1b\\"
    for number, colour in sorted(screen.palette.items()):
        code = f"4;{number}" if number < 256 else str(number - 256)
        yield f"\x1b]{code};{written_colour(colour)}\x1b\\"


def _state(screen: Screen, numbers: set[int]) -> Iterator[str]:
    """Modes, region, cursor and pen."""
    for number in sorted((numbers ^ screen.default_private_modes) - _PLACED):
        yield f"\x1b[?{number}{'h' if number in numbers else 'l'}"
    if screen.application_keypad_on:
        yield "\x1b="
    if screen.cursor_style:
        yield f"\x1b[{screen.cursor_style} q"
    if screen.modify_other_keys:
        yield f"\x1b[>4;{screen.modify_other_keys}m"
    if screen.rectangle_extent:
        yield f"\x1b[{screen.rectangle_extent}*x"
    if screen.margins is not None:
        yield f"\x1b[{screen.top + 1};{screen.bottom + 1}r"
    if screen.sided:
        yield f"\x1b[{screen.left + 1};{screen.right + 1}s"
    x, y, last = screen.cursor.x, screen.cursor.y, screen.columns - 1
    home = (0, 0)
    if 6 in numbers and screen.top <= y <= screen.bottom and screen.left <= min(x, last) <= screen.right:
        home = (screen.left, screen.top)
        yield "\x1b[?6h"
    if screen.sided:
        yield _place(x, y, screen.rows, x, screen.waiting == (x, y), home)
    else:
        yield _place(x, y, screen.rows, last, x > last, home)
    if modes.LNM in screen.mode:
        yield "\x1b[20h"
    if modes.IRM in screen.mode:
        yield "\x1b[4h"
    yield _pen(screen.pen) + _charsets(screen.g0_charset, screen.g1_charset, screen.charset)
    if not screen.cursor.hidden:
        yield "\x1b[?25h"
    for number in (2026, 2027):
        if number in numbers:
            yield f"\x1b[?{number}h"
