"""Lines of the scrollback, as small as they get: plain ones are bare strings, styled ones keep styles by run."""

from __future__ import annotations

from widgets.terminal.emulator.row import Row

Kept = Row | str
"""A line of the scrollback."""


def kept(row: Row) -> Kept:
    """The line as the scrollback keeps it."""
    return row.packed()


def restored(line: Kept) -> Row:
    """The line as a row again."""
    return Row(line) if isinstance(line, str) else line
