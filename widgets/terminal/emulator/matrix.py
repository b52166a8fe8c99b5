"""Rows as pyte's cells, for readers that know pyte."""

from __future__ import annotations

import pyte
from pyte.screens import Char

from widgets.terminal.emulator.row import STUB, Row
from widgets.terminal.emulator.style import BLINK, BOLD, DEFAULT, ITALIC, REVERSE, RGB, STRIKE

_NAMES = ("black", "red", "green", "brown", "blue", "magenta", "cyan", "white")


def _colour_name(colour: int) -> str:
    """pyte's word for a colour."""
    if colour < 0:
        return "default"
    if colour < 8:
        return _NAMES[colour]
    if colour < 16:
        return "bright" + _NAMES[colour - 8]
    return f"{colour - RGB:06x}" if colour >= RGB else pyte.graphics.FG_BG_256[colour]


def matrix_cells(row: Row) -> list[Char]:
    """The cells of a row; the second one of a wide character is empty."""
    cells = []
    for x, char in enumerate(row.text):
        look = row.styles[x] if row.styles is not None else DEFAULT
        data = "" if char == STUB else char + (row.clusters or {}).get(x, "")
        cells.append(
            Char(
                data,
                _colour_name(look.fg),
                _colour_name(look.bg),
                bold=bool(look.flags & BOLD),
                italics=bool(look.flags & ITALIC),
                underscore=bool(look.underline),
                strikethrough=bool(look.flags & STRIKE),
                reverse=bool(look.flags & REVERSE),
                blink=bool(look.flags & BLINK),
            )
        )
    return cells
