"""How a cell looks, and what SGR does to it.

Styles are interned, so that a run of equal cells is found by comparing identities; a duplicate (after the bounded
intern table let one go) only splits a run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from widgets.terminal.emulator.links import Link

BOLD: Final = 1
DIM: Final = 2
ITALIC: Final = 4
BLINK: Final = 8
REVERSE: Final = 16
CONCEAL: Final = 32
STRIKE: Final = 64
OVERLINE: Final = 128
PROTECTED: Final = 256
"""Not a look: selective erasing leaves the cell alone (DECSCA)."""

DEFAULT_COLOUR: Final = -1
RGB: Final = 0x1000000
"""Added to 0xRRGGBB; a colour below it is an index of the palette of 256, `DEFAULT_COLOUR` the terminal's own."""

_SET = {1: BOLD, 2: DIM, 3: ITALIC, 5: BLINK, 6: BLINK, 7: REVERSE, 8: CONCEAL, 9: STRIKE, 53: OVERLINE}
_CLEAR = {
    22: BOLD | DIM,
    23: ITALIC,
    25: BLINK,
    27: REVERSE,
    28: CONCEAL,
    29: STRIKE,
    55: OVERLINE,
}
_CODES = ((1, BOLD), (2, DIM), (3, ITALIC), (5, BLINK), (7, REVERSE), (8, CONCEAL), (9, STRIKE), (53, OVERLINE))
_MAX_PARAMETERS = 64
_TRUE_COLOUR = re.compile(r"\x1b\[38;2;([0-9]{1,3});([0-9]{1,3});([0-9]{1,3})m\Z")


class Style:
    """One look. `underline` is 0 none, 1 single, 2 double, 3 curly, 4 dotted, 5 dashed; `link` is where the text leads.

    Compared by identity: make them with `style()`. `blank` is what erasing leaves behind: the background alone. `after`
    is what runs of SGR sequences make of it, as far as known; styles that differ in the foreground alone share it.
    """

    __slots__ = ("_blank", "after", "bg", "fg", "flags", "link", "underline", "underline_colour")

    def __init__(self, fg: int, bg: int, flags: int, underline: int, underline_colour: int, link: Link | None) -> None:
        self.fg = fg
        self.bg = bg
        self.flags = flags
        self.underline = underline
        self.underline_colour = underline_colour
        self.link = link
        self._blank: Style | None = None
        plain = None if fg < 0 else style(DEFAULT_COLOUR, bg, flags, underline, underline_colour, link)
        self.after: dict[str, Style] = {} if plain is None else plain.after

    @property
    def blank(self) -> Style:
        if self._blank is None:
            self._blank = style(bg=self.bg)
        return self._blank

    def with_link(self, link: Link | None) -> Style:
        """The same look, leading there."""
        return style(self.fg, self.bg, self.flags, self.underline, self.underline_colour, link)

    def with_flags(self, flags: int) -> Style:
        """The same look with these flags instead of its own."""
        return style(self.fg, self.bg, flags, self.underline, self.underline_colour, self.link)

    def __repr__(self) -> str:
        return (
            f"Style(fg={self.fg:#x}, bg={self.bg:#x}, flags={self.flags}, underline={self.underline}, "
            f"underline_colour={self.underline_colour:#x}, link={self.link})"
        )


DEFAULT: Final = Style(DEFAULT_COLOUR, DEFAULT_COLOUR, 0, 0, DEFAULT_COLOUR, None)


@lru_cache(16384)
def _interned(fg: int, bg: int, flags: int, underline: int, underline_colour: int, link: Link | None) -> Style:
    return Style(fg, bg, flags, underline, underline_colour, link)


def forget_styles() -> None:
    """Let go of styles that no cell uses any more, and of their links."""
    _interned.cache_clear()
    _forget_learnt()


def style(
    fg: int = DEFAULT_COLOUR,
    bg: int = DEFAULT_COLOUR,
    flags: int = 0,
    underline: int = 0,
    underline_colour: int = DEFAULT_COLOUR,
    link: Link | None = None,
) -> Style:
    """The interned style with these looks."""
    if fg < 0 and bg < 0 and not flags and not underline and underline_colour < 0 and link is None:
        return DEFAULT
    return _interned(fg, bg, flags, underline, underline_colour, link)


def sgr_parameters(look: Style) -> str:
    """The SGR parameters that bring any pen to this look; only underlines use colons."""
    parts = ["0", *(str(code) for code, flag in _CODES if look.flags & flag)]
    if look.underline:
        parts.append("4" if look.underline == 1 else f"4:{look.underline}")
    for colour, first, bright in ((look.fg, 30, 90), (look.bg, 40, 100)):
        if colour >= RGB:
            parts.append(f"{first + 8};2;{colour >> 16 & 255};{colour >> 8 & 255};{colour & 255}")
        elif colour >= 16:
            parts.append(f"{first + 8};5;{colour}")
        elif colour >= 0:
            parts.append(str(first + colour if colour < 8 else bright + colour - 8))
    colour = look.underline_colour
    if colour >= RGB:
        parts.append(f"58:2::{colour >> 16 & 255}:{colour >> 8 & 255}:{colour & 255}")
    elif colour >= 0:
        parts.append(f"58:5:{colour}")
    return ";".join(parts)


def _number(text: str) -> int:
    """0 for nothing; a number that means nothing for what is none."""
    if not text:
        return 0
    return min(int(text), 9_999_999) if len(text) < 1000 and text.isdecimal() else 9_999_999


def _colon_colour(fields: list[str]) -> int | None:
    """The colour of `38:5:n`, `38:2::r:g:b` or `38:2:r:g:b`; None where it is none of these."""
    if len(fields) < 3:
        return None
    if fields[1] == "5":
        index = _number(fields[2])
        return index if index < 256 else None
    if fields[1] == "2":
        parts = [_number(field) for field in (fields[3:6] if len(fields) >= 6 else fields[2:5])]
        if len(parts) == 3 and all(part < 256 for part in parts):
            return RGB | parts[0] << 16 | parts[1] << 8 | parts[2]
    return None


def _semicolon_colour(fields: list[str], at: int) -> tuple[int | None, int]:
    """The colour whose `5;n` or `2;r;g;b` starts at `at`, and where the next parameter is."""
    kind = fields[at] if at < len(fields) else ""
    if kind == "5" and at + 1 < len(fields):
        index = _number(fields[at + 1])
        return (index if index < 256 else None), at + 2
    if kind == "2" and at + 3 < len(fields):
        parts = [_number(field) if ":" not in field else 256 for field in fields[at + 1 : at + 4]]
        if all(part < 256 for part in parts):
            return RGB | parts[0] << 16 | parts[1] << 8 | parts[2], at + 4
        return None, at + 4
    return None, len(fields)


_SGR = re.compile(r"\x1b\[([0-9;:]*+)m")
_MAX_LEARNT: Final = 8192
_MAX_RUN: Final = 64
_learnt: list[dict[str, Style]] = []
_of_pen: dict[tuple[Style, str], Style] = {}


def styled(pen: Style, run: str) -> Style:
    """The pen after a run of SGR sequences; others in it are skipped. Short runs are remembered."""
    known = pen.after.get(run) or _of_pen.get((pen, run))
    if known is not None:
        return known
    after, settled = pen, False
    direct = _TRUE_COLOUR.match(run)
    if direct is not None and max(colour := tuple(map(int, direct.groups()))) < 256:
        red, green, blue = colour
        rgb = RGB | red << 16 | green << 8 | blue
        after = _interned(rgb, pen.bg, pen.flags, pen.underline, pen.underline_colour, pen.link)
        settled = True
    else:
        for parameters in _SGR.findall(run):
            after, sets_foreground = _applied(after, parameters)
            settled = settled or sets_foreground
    if len(run) <= _MAX_RUN:
        if len(_learnt) + len(_of_pen) >= _MAX_LEARNT:
            _forget_learnt()
        if settled:
            pen.after[run] = after
            _learnt.append(pen.after)
        else:
            _of_pen[pen, run] = after
    return after


def _forget_learnt() -> None:
    for table in _learnt:
        table.clear()
    _learnt.clear()
    _of_pen.clear()


@dataclass(frozen=True, slots=True)
class Change:
    """What an SGR sequence does to any pen: None keeps, `fixed` is the outcome where a reset makes the pen moot."""

    fg: int | None
    bg: int | None
    set_flags: int
    clear_flags: int
    underline: int | None
    underline_colour: int | None
    fixed: Style | None


def apply_sgr(pen: Style, parameters: str) -> Style:
    """The pen after `CSI parameters m`. Takes semicolons and colons; ignores what it does not know."""
    return _applied(pen, parameters)[0]


def _applied(pen: Style, parameters: str) -> tuple[Style, bool]:
    """The pen after SGR, and whether it is the same for any foreground of the pen."""
    change = _understood(parameters)
    if change.fixed is not None:
        after = change.fixed
        if pen.link is not None or pen.flags & PROTECTED:
            # A reset is of looks alone: a link and protection end by sequences of their own.
            after = after.with_flags(after.flags | pen.flags & PROTECTED).with_link(pen.link)
        return after, True
    after = style(
        pen.fg if change.fg is None else change.fg,
        pen.bg if change.bg is None else change.bg,
        pen.flags & ~change.clear_flags | change.set_flags,
        pen.underline if change.underline is None else change.underline,
        pen.underline_colour if change.underline_colour is None else change.underline_colour,
        pen.link,
    )
    return after, change.fg is not None


@lru_cache(8192)
def _understood(parameters: str) -> Change:
    fg: int | None = None
    bg: int | None = None
    underline: int | None = None
    underline_colour: int | None = None
    set_flags = clear_flags = 0
    reset = False
    fields = parameters.split(";", _MAX_PARAMETERS)[:_MAX_PARAMETERS]
    at = 0
    while at < len(fields):
        field = fields[at]
        at += 1
        if ":" in field:
            parts = field.split(":", 8)
            code = _number(parts[0])
            if code == 4:
                kind = _number(parts[1])
                underline = kind if kind <= 5 else 1
                continue
            colour = _colon_colour(parts)
        else:
            code = _number(field)
            if code == 0:
                fg = bg = underline_colour = DEFAULT_COLOUR
                set_flags = underline = 0
                reset = True
                continue
            if code in _SET:
                set_flags |= _SET[code]
                clear_flags &= ~_SET[code]
                continue
            if code in _CLEAR:
                set_flags &= ~_CLEAR[code]
                clear_flags |= _CLEAR[code]
                continue
            colour = None
            if code in (38, 48, 58):
                colour, at = _semicolon_colour(fields, at)
        if 30 <= code <= 37:
            fg = code - 30
        elif 40 <= code <= 47:
            bg = code - 40
        elif 90 <= code <= 97:
            fg = code - 82
        elif 100 <= code <= 107:
            bg = code - 92
        elif code == 38 and colour is not None:
            fg = colour
        elif code == 48 and colour is not None:
            bg = colour
        elif code == 58 and colour is not None:
            underline_colour = colour
        elif code == 39:
            fg = DEFAULT_COLOUR
        elif code == 49:
            bg = DEFAULT_COLOUR
        elif code == 59:
            underline_colour = DEFAULT_COLOUR
        elif code == 4:
            underline = 1
        elif code == 21:
            underline = 2
        elif code == 24:
            underline = 0
    fixed = None
    if reset:
        fixed = style(
            DEFAULT_COLOUR if fg is None else fg,
            DEFAULT_COLOUR if bg is None else bg,
            set_flags,
            underline or 0,
            DEFAULT_COLOUR if underline_colour is None else underline_colour,
        )
    return Change(fg, bg, set_flags, clear_flags, underline, underline_colour, fixed)
