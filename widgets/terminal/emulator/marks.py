"""Where a shell says that its prompts, inputs and outputs begin and end (OSC 133)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from widgets.terminal.emulator.grid import Grid

PROMPT: Final = "A"
INPUT: Final = "B"
OUTPUT: Final = "C"
FINISHED: Final = "D"

Cell = tuple[int, int]
"""Absolute line and column."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark before the cell in `column`. `exit_status` belongs to `FINISHED`; None where the shell did not tell."""

    kind: str
    column: int
    exit_status: int | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """A prompt and what came of it. `input`, `output` and `end` are where these begin, None where they have not;
    `end` is past the last cell of the output."""

    prompt: Cell
    input: Cell | None = None
    output: Cell | None = None
    end: Cell | None = None
    exit_status: int | None = None

    def told(self, mark: Mark, line: int) -> Command:
        """The command with what a further mark on this line says."""
        place = (line, mark.column)
        if mark.kind == INPUT:
            return replace(self, input=place)
        if mark.kind == OUTPUT:
            return replace(self, output=place)
        if mark.kind == FINISHED and self.end is None:
            return replace(self, end=place, exit_status=mark.exit_status)
        return self


def read_mark(text: str, column: int) -> Mark | None:
    """The mark of `OSC 133 ; text` at a column; None for what is none, as a prompt's further lines."""
    kind, *options = text.split(";", 8)[:8]
    if kind not in (PROMPT, INPUT, OUTPUT, FINISHED):
        return None
    if kind == PROMPT and any(option.startswith("k=") and option != "k=i" for option in options):
        return None
    status = options[0] if kind == FINISHED and options else ""
    return Mark(kind, column, int(status) if status.isascii() and status.isdecimal() and len(status) < 10 else None)


def with_mark(marks: tuple[Mark, ...], mark: Mark) -> tuple[Mark, ...]:
    """The marks of a line with one more; a prompt drawn anew takes the place of the one before."""
    return (*(other for other in marks if other.kind != mark.kind), mark)


def marks_of(grid: Grid, *, backwards: bool = False) -> Iterator[tuple[int, Mark]]:
    """All marks of scrollback and screen with their absolute lines, in order or against it."""
    if backwards:
        for y in range(grid.lines - 1, -1, -1):
            for mark in reversed(grid.rows[y].marks):
                yield grid.history_total + y, mark
        for back, held in enumerate(reversed(grid.history), 1):
            if not isinstance(held, str) and held.marks:
                for mark in reversed(held.marks):
                    yield grid.history_total - back, mark
        return
    for number, held in enumerate(grid.history, grid.history_first):
        if not isinstance(held, str) and held.marks:
            for mark in held.marks:
                yield number, mark
    for y, row in enumerate(grid.rows, grid.history_total):
        for mark in row.marks:
            yield y, mark


def commands(grid: Grid) -> list[Command]:
    """All prompts that are still kept with what came of them, oldest first."""
    found: list[Command] = []
    for line, mark in marks_of(grid):
        if mark.kind == PROMPT:
            if found and found[-1].output is not None and found[-1].end is None:
                found[-1] = replace(found[-1], end=(line, mark.column))
            found.append(Command((line, mark.column)))
        elif found:
            found[-1] = found[-1].told(mark, line)
    return found


def previous_prompt(grid: Grid, line: int) -> int | None:
    """The line of the nearest prompt above `line`; None where there is none."""
    return next(
        (at for at, mark in marks_of(grid, backwards=True) if mark.kind == PROMPT and at < line),
        None,
    )


def next_prompt(grid: Grid, line: int) -> int | None:
    """The line of the nearest prompt under `line`; None where there is none."""
    return next((at for at, mark in marks_of(grid) if mark.kind == PROMPT and at > line), None)


def command_at(grid: Grid, line: int) -> Command | None:
    """The command whose prompt, input or output is on this line; None above the first prompt."""
    found = None
    for command in commands(grid):
        if command.prompt[0] > line:
            break
        found = command
    return found


def output_span(grid: Grid, line: int) -> tuple[Cell, Cell] | None:
    """The output of the command at a line: its first cell, and the one past its last (the cursor while it runs).
    None where there is no command, or it has no output."""
    command = command_at(grid, line)
    if command is None or command.output is None:
        return None
    end = command.end or (grid.history_total + grid.cursor.y, grid.cursor.x)
    return (command.output, end) if command.output < end else None
