"""Ghostty's terminal core as an oracle: the same bytes through libghostty-vt."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Any

from pyghostty import Terminal, ffi, lib
from pyghostty.core import init_sized

from widgets.terminal.emulator import style as looks

Look = tuple[int, int, int, int]
"""Foreground, background (as in the emulator's styles), flags and underline."""

_PLAIN: Look = (-1, -1, 0, 0)
_FLAGS = {
    "bold": looks.BOLD,
    "faint": looks.DIM,
    "italic": looks.ITALIC,
    "blink": looks.BLINK,
    "inverse": looks.REVERSE,
    "invisible": looks.CONCEAL,
    "strikethrough": looks.STRIKE,
    "overline": looks.OVERLINE,
}
_MAX_CLUSTER = 64
CLUSTERS = b"\x1b[?2027h"
"""What makes a terminal give clusters of characters the width that Unicode says."""


def with_clusters(data: bytes) -> bytes:
    """Output that does not lose mode 2027 when it resets the terminal."""
    return data.replace(b"\x1bc", b"\x1bc" + CLUSTERS)


@dataclass(frozen=True, slots=True)
class Picture:
    """A screen: of each row the cells (character with its marks, and look; a wide one is followed by an empty cell)
    without unstyled blanks at the end, and whether it went on in the next row; the cursor, and whether it waits to
    wrap."""

    rows: tuple[tuple[tuple[str, Look], ...], ...]
    wrapped: tuple[bool, ...]
    cursor: tuple[int, int]
    waits: bool


class GhosttyOracle:
    """A terminal of libghostty; a context manager. Clusters of characters (mode 2027) are on from the start."""

    def __init__(self, columns: int, lines: int) -> None:
        self._terminal = Terminal(columns, lines, 100)
        self._terminal.feed(CLUSTERS)
        self._ref = init_sized("GhosttyGridRef")
        self._style = init_sized("GhosttyStyle")
        self._cell = ffi.new("GhosttyCell*")
        self._row = ffi.new("GhosttyRow*")
        self._int = ffi.new("int32_t*")
        self._bool = ffi.new("bool*")
        self._index = ffi.new("GhosttyColorPaletteIndex*")
        self._rgb = ffi.new("GhosttyColorRgb*")
        self._marks = ffi.new("uint32_t[]", _MAX_CLUSTER)
        self._count = ffi.new("size_t*")

    def __enter__(self) -> GhosttyOracle:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._terminal.close()

    def feed(self, data: bytes) -> None:
        """Take in output."""
        self._terminal.feed(with_clusters(data))

    def resize(self, columns: int, lines: int) -> None:
        """Take on a size."""
        self._terminal.resize(columns, lines)

    def picture(self) -> Picture:
        """What is on the screen."""
        columns, lines = self._terminal.size
        rows, wrapped = [], []
        for y in range(lines):
            ref = self._terminal.ref(0, y)
            lib.ghostty_grid_ref_row(ref, self._row)
            lib.ghostty_row_get(self._row[0], lib.GHOSTTY_ROW_DATA_WRAP, self._bool)
            wrapped.append(bool(self._bool[0]))
            cells = []
            for x in range(columns):
                ref.x = x
                cells.append(self._read(ref))
            while cells and cells[-1] == (" ", _PLAIN):
                cells.pop()
            rows.append(tuple(cells))
        waits = self._terminal.get("cursor_pending_wrap", "bool")
        return Picture(tuple(rows), tuple(wrapped), self._terminal.cursor, bool(waits))

    def _read(self, ref: Any) -> tuple[str, Look]:
        lib.ghostty_grid_ref_cell(ref, self._cell)
        cell = self._cell[0]
        if not cell:
            return " ", _PLAIN
        tag = self._of_cell(cell, lib.GHOSTTY_CELL_DATA_CONTENT_TAG)
        if tag == lib.GHOSTTY_CELL_CONTENT_BG_COLOR_PALETTE:
            lib.ghostty_cell_get(cell, lib.GHOSTTY_CELL_DATA_COLOR_PALETTE, self._index)
            return " ", (-1, self._index[0], 0, 0)
        if tag == lib.GHOSTTY_CELL_CONTENT_BG_COLOR_RGB:
            lib.ghostty_cell_get(cell, lib.GHOSTTY_CELL_DATA_COLOR_RGB, self._rgb)
            return " ", (-1, _rgb(self._rgb[0]), 0, 0)
        text = ""
        if self._of_cell(cell, lib.GHOSTTY_CELL_DATA_WIDE) != lib.GHOSTTY_CELL_WIDE_SPACER_TAIL:
            lib.ghostty_grid_ref_graphemes(ref, self._marks, _MAX_CLUSTER, self._count)
            text = "".join(chr(self._marks[at]) for at in range(self._count[0])) or " "
        lib.ghostty_cell_get(cell, lib.GHOSTTY_CELL_DATA_HAS_STYLING, self._bool)
        if not self._bool[0]:
            return text, _PLAIN
        lib.ghostty_grid_ref_style(ref, self._style)
        return text, self._look()

    def _of_cell(self, cell: int, what: int) -> int:
        lib.ghostty_cell_get(cell, what, self._int)
        return int(self._int[0])

    def _look(self) -> Look:
        style = self._style[0]
        flags = sum(flag for name, flag in _FLAGS.items() if getattr(style, name))
        return _colour(style.fg_color), _colour(style.bg_color), flags, style.underline


def _colour(colour: Any) -> int:
    if colour.tag == lib.GHOSTTY_STYLE_COLOR_PALETTE:
        return int(colour.value.palette)
    if colour.tag == lib.GHOSTTY_STYLE_COLOR_RGB:
        return _rgb(colour.value.rgb)
    return -1


def _rgb(colour: Any) -> int:
    return looks.RGB | int(colour.r) << 16 | int(colour.g) << 8 | int(colour.b)
