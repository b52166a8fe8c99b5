"""Rows of the emulator as Textual strips."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.strip import Strip

from widgets.terminal.emulator import DEFAULT, RGB, STUB, Row, Style
from widgets.terminal.emulator import style as looks

_MAX_STYLES = 4096
_MAX_STRIPS = 512


def _colour(colour: int) -> Color | None:
    """A colour of the emulator as Rich's; None for the terminal's own."""
    if colour < 0:
        return None
    if colour >= RGB:
        rgb = colour - RGB
        return Color.from_rgb(rgb >> 16, rgb >> 8 & 255, rgb & 255)
    return Color.from_ansi(colour)


def inverted(style: RichStyle | None) -> RichStyle:
    """The style with foreground and background swapped."""
    current = style or RichStyle.null()
    return current + RichStyle(reverse=not current.reverse)


class Painter:
    """Makes strips, and keeps those of rows that did not change."""

    def __init__(self) -> None:
        self._base = RichStyle.null()
        self._styles: dict[Style, RichStyle] = {}
        self._strips: dict[Row, tuple[int, int, Strip]] = {}

    def set_base(self, base: RichStyle) -> None:
        """The look of cells without a style: the widget's own colours."""
        if base != self._base:
            self._base = base
            self._styles.clear()
            self._strips.clear()

    def strip(self, row: Row | None, width: int) -> Strip:
        """The row in `width` cells, cut or filled up."""
        if row is None:
            return Strip.blank(width, self._base)
        kept = self._strips.get(row)
        if kept is not None and kept[0] == row.version and kept[1] == width:
            return kept[2]
        strip = self._made(row, width)
        if len(self._strips) >= _MAX_STRIPS:
            self._strips.clear()
        self._strips[row] = (row.version, width, strip)
        return strip

    def _made(self, row: Row, width: int) -> Strip:
        segments: list[Segment] = []
        filled = 0
        for start, end, look in row.runs():
            if start >= width:
                break
            end = min(end, width)
            text = row.shown(start, end)
            plain = len(text) == end - start and text.isascii()
            if not plain and cell_len(text) != end - start:
                text = _of_exact_width(row, start, end)
            segments.append(Segment(text, self._base if look is DEFAULT else self._rich(look)))
            filled = end
        if filled < width:
            segments.append(Segment(" " * (width - filled), self._base))
        return Strip(segments, width)

    def _rich(self, look: Style) -> RichStyle:
        made = self._styles.get(look)
        if made is None:
            flags = look.flags
            made = self._base + RichStyle(
                color=_colour(look.fg),
                bgcolor=_colour(look.bg),
                bold=bool(flags & looks.BOLD) or None,
                dim=bool(flags & looks.DIM) or None,
                italic=bool(flags & looks.ITALIC) or None,
                blink=bool(flags & looks.BLINK) or None,
                reverse=bool(flags & looks.REVERSE) or None,
                conceal=bool(flags & looks.CONCEAL) or None,
                strike=bool(flags & looks.STRIKE) or None,
                overline=bool(flags & looks.OVERLINE) or None,
                underline=look.underline not in (0, 2) or None,
                underline2=look.underline == 2 or None,
            )
            if len(self._styles) >= _MAX_STYLES:
                self._styles.clear()
            self._styles[look] = made
        return made


def _of_exact_width(row: Row, start: int, end: int) -> str:
    """The cells one by one, where Rich measures the whole differently: what does not fit its cells becomes blank, so
    that the rest of the line stays in place."""
    parts: list[str] = []
    for x in range(start, end):
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


def invert(strip: Strip, start: int, end: int) -> Strip:
    """The strip with the cells from `start` to before `end` in reverse: visible without colours too."""
    return _restyled(strip, start, end, underline=False)


def underline(strip: Strip, start: int, end: int) -> Strip:
    """The strip with these cells underlined."""
    return _restyled(strip, start, end, underline=True)


def _restyled(strip: Strip, start: int, end: int, *, underline: bool) -> Strip:
    width = strip.cell_length
    start, end = max(0, start), min(end, width)
    if start >= end:
        return strip
    under = RichStyle(underline=True)
    middle = [
        Segment(text, (style or RichStyle.null()) + under if underline else inverted(style))
        for text, style, _ in strip.crop(start, end)
    ]
    pieces = ((strip.crop(0, start), start), (Strip(middle), end - start), (strip.crop(end, width), width - end))
    return Strip.join([_exact(piece, cells) for piece, cells in pieces])


def _exact(piece: Iterable[Segment], width: int) -> Strip:
    """A piece that takes `width` cells, also where Rich measures it otherwise than within its line."""
    segments = list(piece)
    real = sum(cell_len(segment.text) for segment in segments)
    if real > width:
        segments, real = [], 0
    return Strip([*segments, Segment(" " * (width - real))] if real < width else segments, width)
