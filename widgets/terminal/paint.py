"""Rows of the emulator as Textual strips, drawn without Rich: a flood of colours is mostly the making of styles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import Any, Final

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.cache import FIFOCache
from textual.strip import Strip

from widgets.terminal.emulator import DEFAULT, STUB, Row, Style
from widgets.terminal.emulator.style import BOLD, CONCEAL, REVERSE, style
from widgets.terminal.emulator.width import NARROW
from widgets.terminal.palette import Palette

_MAX_STRIPS: Final = 512
_MAX_MARKED: Final = 4096
_RESET: Final = "\x1b[0m"
_CACHES: Final = frozenset(name for name in Strip.__slots__ if name.endswith("_cache"))


class Mark(Enum):
    """What is shown of a cell besides its own look."""

    REVERSED = "reversed"  # the block cursor and what is selected: visible without colours too
    UNDERLINED = "underlined"  # the underline cursor, and a link under the mouse
    HIT = "hit"
    CURRENT = "current"  # the hit that the search is at


Marks = Sequence[tuple[int, int, Mark]]
"""Spans of cells, first and one past the last, with what marks them; later ones lie over earlier ones."""


class RowStrip(Strip):
    """A strip that draws its runs itself. Rich's segments, and what Strip keeps of pieces of itself, are made only
    where something else asks for them."""

    __slots__ = ("_made", "_palette", "_runs")

    def __init__(self, runs: list[tuple[str, Style]], width: int, palette: Palette) -> None:
        # Strip's own would make seven caches, which costs more than the line.
        self._made: list[Segment] | None = None
        self._runs = runs
        self._palette = palette
        self._cell_length = width
        self._render_cache = None
        self._link_ids = None
        self._cell_count = None

    def __getattr__(self, name: str) -> Any:
        """A cache of Strip's, at its first use."""
        if name not in _CACHES:
            raise AttributeError(name)
        made: FIFOCache[Any, Any] = FIFOCache(4)
        setattr(self, name, made)
        return made

    @property
    def _segments(self) -> list[Segment]:
        if self._made is None:
            self._made = [Segment(text, self._palette.rich(look)) for text, look in self._runs]
        return self._made

    @_segments.setter
    def _segments(self, _: list[Segment]) -> None:
        """Not from outside."""
        raise AttributeError("the segments of a row are made of its runs")

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        """The strip itself where nothing lies over it."""
        cuts = list(cuts)
        return [self] if cuts == [self._cell_length] else super().divide(cuts)

    @property
    def text(self) -> str:
        """The text of all runs."""
        return "".join([text for text, _ in self._runs])

    def render(self, console: Console) -> str:
        """The strip as the outer terminal takes it."""
        if self._render_cache is None:
            sgr = self._palette.sgr
            self._render_cache = "".join([sgr(look) + text for text, look in self._runs]) + _RESET
        return self._render_cache


class Painter:
    """Makes strips, and keeps those of rows that did not change."""

    def __init__(self) -> None:
        self._palette = Palette(RichStyle.null())
        self._strips: dict[Row, tuple[int, int, RowStrip]] = {}
        self._marked: dict[tuple[Style, Mark], Style] = {}

    @property
    def palette(self) -> Palette:
        """How looks become colours."""
        return self._palette

    @palette.setter
    def palette(self, palette: Palette) -> None:
        if palette is not self._palette:
            self._palette = palette
            self._strips.clear()
            self._marked.clear()

    def strip(self, row: Row | None, width: int, marks: Marks = ()) -> RowStrip:
        """The row in `width` cells, cut or filled up."""
        row = row if row is not None else Row()
        if marks:
            return self._made(row, width, self._marked_runs(row, width, marks))
        kept = self._strips.get(row)
        if kept is not None and kept[0] == row.version and kept[1] == width:
            return kept[2]
        strip = self._made(row, width, row.runs())
        if len(self._strips) >= _MAX_STRIPS:
            self._strips.clear()
        self._strips[row] = (row.version, width, strip)
        return strip

    def line(self, text: str, width: int, *, reverse: bool = True) -> RowStrip:
        """A line of the widget's own in `width` cells: what it says of itself."""
        row = Row("".join(char for char in text if char.isprintable()))
        return self.strip(row, width, ((0, width, Mark.REVERSED),) if reverse else ())

    def _made(self, row: Row, width: int, runs: Iterator[tuple[int, int, Style]]) -> RowStrip:
        text = row.text
        if not row.clusters and (text.isascii() or NARROW.fullmatch(text)) and len(text) <= width:
            plain = [(text[start:end].ljust(end - start), look) for start, end, look in runs]
            if filled := width - sum([len(part) for part, _ in plain]):
                plain.append((" " * filled, DEFAULT))
            return RowStrip(plain, width, self._palette)
        made: list[tuple[str, Style]] = []
        filled = 0
        for start, end, look in runs:
            if start >= width:
                break
            end = min(end, width)
            text = row.shown(start, end)
            if end > len(row.text):
                text += " " * (end - max(start, len(row.text)))
            if not (len(text) == end - start and text.isascii()) and cell_len(text) != end - start:
                text = _of_exact_width(row, start, end)
            made.append((text, look))
            filled = end
        if filled < width:
            made.append((" " * (width - filled), DEFAULT))
        return RowStrip(made, width, self._palette)

    def _marked_runs(self, row: Row, width: int, marks: Marks) -> Iterator[tuple[int, int, Style]]:
        """The row's runs under its marks. A wide character is marked whole."""
        text = row.text
        cells = (row.styles or [DEFAULT] * len(text))[:width]
        cells += [DEFAULT] * (width - len(cells))
        for start, end, mark in marks:
            start, end = max(0, start), min(end, width)
            if 0 < start < len(text) and text[start] == STUB:
                start -= 1
            if start < end < min(width, len(text)) and text[end] == STUB:
                end += 1
            cells[start:end] = [self._under(look, mark) for look in cells[start:end]]
        start = 0
        for x in range(1, width + 1):
            if x == width or cells[x] is not cells[start]:
                yield start, x, cells[start]
                start = x

    def _under(self, look: Style, mark: Mark) -> Style:
        made = self._marked.get((look, mark))
        if made is None:
            if len(self._marked) >= _MAX_MARKED:
                self._marked.clear()
            made = self._marked[look, mark] = _marked(look, mark, self._palette.colourless)
        return made


def _marked(look: Style, mark: Mark, colourless: bool) -> Style:
    flags = look.flags
    if mark is Mark.REVERSED:
        # What is hidden becomes visible in the selection: it would be copied too.
        return style(look.fg, look.bg, (flags ^ REVERSE) & ~CONCEAL, look.underline, look.underline_colour)
    if mark is Mark.UNDERLINED:
        return style(look.fg, look.bg, flags, 2 if look.underline == 1 else 1, look.underline_colour)
    current = mark is Mark.CURRENT
    if colourless:
        shown = flags & ~CONCEAL | REVERSE | (BOLD if current else 0)
        return style(look.fg, look.bg, shown, 1 if current else 0)
    return style(0, 11 if current else 3, BOLD if current else 0, 1 if current else 0)


def _of_exact_width(row: Row, start: int, end: int) -> str:
    """The cells one by one, where Rich measures the whole differently: what does not fit its cells becomes blank, so
    that the rest of the line stays in place."""
    parts: list[str] = []
    for x in range(start, end):
        if x >= len(row.text):
            parts.append(" ")
            continue
        if row.text[x] == STUB:
            if x == start:
                parts.append(" ")
            continue
        wide = x + 1 < len(row.text) and row.text[x + 1] == STUB
        room = min(2 if wide else 1, end - x)
        shown = row.shown(x, x + 1)
        if cell_len(shown) != room:
            shown = row.text[x] if cell_len(row.text[x]) == room else " " * room
        parts.append(shown)
    return "".join(parts)
