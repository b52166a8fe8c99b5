"""Text from outside made safe to draw: SGR colours become spans, everything else that could move a terminal goes."""

from __future__ import annotations

import re
from typing import NamedTuple

from rich.color import Color
from rich.style import Style

MAX_LINE = 16_384
"""Characters kept of one line; what is over is named at its end."""

_RISKY = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_ESCAPE = re.compile(
    "\x1b\\[([0-9;:]{0,128})m"  # SGR: the only one with an effect
    "|(?:\x1b\\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]"  # any other CSI
    "|(?:\x1b[\\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]{0,4096}(?:\x07|\x1b\\\\|\x9c)"  # OSC, DCS, SOS, PM, APC
    "|\x1b[ -/]{1,4}[0-~]"  # character sets and the like
    "|\x1b[0-Z\\\\^-~]"  # two-byte escapes
    "|\t"
)
_TAB = 8


class Span(NamedTuple):
    """Characters `start` to `end` (exclusive) in `style`."""

    start: int
    end: int
    style: Style


def clean(text: str) -> tuple[str, tuple[Span, ...]]:
    """Plain text without any control character, and the spans its SGR sequences gave.

    Tabs become spaces, what a carriage return overwrote is gone, other control characters become visible pictures.
    """
    if len(text) > MAX_LINE:
        text = f"{text[:MAX_LINE]}… ({len(text) - MAX_LINE:,} more characters)"
    if not _RISKY.search(text):
        return text, ()
    text = text.rstrip("\r\n")
    if "\r" in text:
        text = text.rsplit("\r", 1)[1]
    plain: list[str] = []
    spans: list[Span] = []
    length = at = style_start = 0
    style = Style.null()
    for found in _ESCAPE.finditer(text):
        piece = _visible(text[at : found.start()])
        plain.append(piece)
        length += len(piece)
        at = found.end()
        if found[0] == "\t":
            blank = " " * (_TAB - length % _TAB)
            plain.append(blank)
            length += len(blank)
        elif found[1] is not None:
            if style and length > style_start:
                spans.append(Span(style_start, length, style))
            style, style_start = _sgr(found[1], style), length
    piece = _visible(text[at:])
    plain.append(piece)
    length += len(piece)
    if style and length > style_start:
        spans.append(Span(style_start, length, style))
    return "".join(plain), tuple(spans)


def _visible(text: str) -> str:
    return _RISKY.sub(_picture, text)


def _picture(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else "�"


_SWITCHES: dict[int, Style] = {
    1: Style(bold=True),
    2: Style(dim=True),
    3: Style(italic=True),
    4: Style(underline=True),
    7: Style(reverse=True),
    9: Style(strike=True),
    22: Style(bold=False, dim=False),
    23: Style(italic=False),
    24: Style(underline=False),
    27: Style(reverse=False),
    29: Style(strike=False),
    39: Style(color="default"),
    49: Style(bgcolor="default"),
}


def _sgr(parameters: str, style: Style) -> Style:
    codes = [int(part) if part and len(part) < 6 else 0 for part in re.split("[;:]", parameters)]
    at = 0
    while at < len(codes):
        code = codes[at]
        at += 1
        if code == 0:
            style = Style.null()
        elif code in _SWITCHES:
            style += _SWITCHES[code]
        elif 30 <= code <= 37 or 90 <= code <= 97:
            style += Style(color=Color.from_ansi(code - 30 if code < 90 else code - 82))
        elif 40 <= code <= 47 or 100 <= code <= 107:
            style += Style(bgcolor=Color.from_ansi(code - 40 if code < 100 else code - 92))
        elif code in (38, 48):
            color, at = _extended(codes, at)
            if color is not None:
                style += Style(color=color) if code == 38 else Style(bgcolor=color)
    return style


def _extended(codes: list[int], at: int) -> tuple[Color | None, int]:
    kind = codes[at] if at < len(codes) else 0
    if kind == 5 and at + 1 < len(codes):
        return Color.from_ansi(min(codes[at + 1], 255)), at + 2
    if kind == 2 and at + 3 < len(codes):
        red, green, blue = (min(value, 255) for value in codes[at + 1 : at + 4])
        return Color.from_rgb(red, green, blue), at + 4
    return None, len(codes)
