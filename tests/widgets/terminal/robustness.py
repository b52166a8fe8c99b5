"""What must hold for our emulator whatever it is fed."""

from __future__ import annotations

from operator import attrgetter

from tests.widgets.terminal.streams import Program
from widgets.terminal.emulator import ByteStream, Screen
from widgets.terminal.emulator.stream import MAX_SEQUENCE, MAX_STRING

HISTORY = 20
_LOOK = attrgetter("fg", "bg", "flags", "underline", "underline_colour", "link")
_STEPS = (1, 3, 2, 7, 1, 16)


def check_robust(program: Program) -> None:
    """Fed whole and in small steps, it does not raise, ends in the same state, and keeps no more than it may. Raises
    AssertionError."""
    whole, split = Screen(*program.size, HISTORY), Screen(*program.size, HISTORY)
    at_once, in_steps = ByteStream(whole), ByteStream(split)
    for turn, part in enumerate(program.parts):
        if turn:
            columns, lines = program.sizes[turn - 1]
            whole.resize(lines, columns)
            split.resize(lines, columns)
        at_once.feed(part)
        at, step = 0, turn
        while at < len(part):
            size = _STEPS[step % len(_STEPS)]
            in_steps.feed(part[at : at + size])
            at, step = at + size, step + 1
        _check_whole(whole)
        assert state_of(whole) == state_of(split), f"cut into pieces it differs: {state_of(whole)} {state_of(split)}"
        for stream in (at_once, in_steps):
            assert len(stream._tail) <= MAX_SEQUENCE + 4
            assert sum(map(len, stream._string)) <= MAX_STRING


def state_of(screen: Screen) -> object:
    """All that a program can see of a screen, and its scrollback."""
    rows = [(row.shown(), [(a, b, _LOOK(look)) for a, b, look in row.runs()], row.wrapped) for row in screen.rows]
    kept = [line if isinstance(line, str) else line.shown() for line in screen.history]
    cursor = (screen.cursor.x, screen.cursor.y, screen.cursor.hidden, _LOOK(screen.pen), screen.waiting)
    return (
        rows,
        kept,
        cursor,
        sorted(screen.mode),
        screen.history_total,
        screen.title,
        screen.margins,
        screen._last_drawn[-1:],
    )


def _check_whole(screen: Screen) -> None:
    assert len(screen.rows) == screen.lines and len(screen.history) <= HISTORY
    assert 0 <= screen.cursor.x <= screen.columns and 0 <= screen.cursor.y < screen.lines
    for row in screen.rows:
        assert len(row.text) <= screen.columns
        assert row.styles is None or len(row.styles) == len(row.text)
        assert not row.clusters or max(row.clusters) < len(row.text)
    assert len(screen.display) == screen.lines
