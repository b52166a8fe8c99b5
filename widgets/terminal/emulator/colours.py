"""Colours as programs write them and ask for them: OSC 4, 10, 11, 12 and their resets."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_LOW: Final = (
    *(0x000000, 0xCD0000, 0x00CD00, 0xCDCD00, 0x0000EE, 0xCD00CD, 0x00CDCD, 0xE5E5E5),
    *(0x7F7F7F, 0xFF0000, 0x00FF00, 0xFFFF00, 0x5C5CFF, 0xFF00FF, 0x00FFFF, 0xFFFFFF),
)
_RGB = re.compile(r"rgb:([0-9a-f]{1,4})/([0-9a-f]{1,4})/([0-9a-f]{1,4})\Z", re.IGNORECASE)
_HASH = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6}|[0-9a-f]{9}|[0-9a-f]{12})\Z", re.IGNORECASE)


@lru_cache(1)
def xterm_palette() -> tuple[int, ...]:
    """xterm's 256 colours as 0xRRGGBB."""
    steps = (0, 95, 135, 175, 215, 255)
    cube = (red << 16 | green << 8 | blue for red in steps for green in steps for blue in steps)
    grey = (level << 16 | level << 8 | level for level in range(8, 248, 10))
    return (*_LOW, *cube, *grey)


def read_colour(text: str) -> int | None:
    """0xRRGGBB of `rgb:r/g/b` or `#rgb` with one to four digits each, as X11 writes them; None where it is neither."""
    found = _RGB.match(text)
    if found is not None:
        parts = [int(part, 16) * 255 // int("f" * len(part), 16) for part in found.groups()]
    elif _HASH.match(text):
        size = len(text) // 3
        parts = [int(text[1 + size * at : 1 + size * (at + 1)].ljust(2, "0")[:2], 16) for at in range(3)]
    else:
        return None
    return parts[0] << 16 | parts[1] << 8 | parts[2]


def written_colour(colour: int) -> str:
    """0xRRGGBB as answers write it."""
    red, green, blue = colour >> 16 & 255, colour >> 8 & 255, colour & 255
    return f"rgb:{red:02x}{red:02x}/{green:02x}{green:02x}/{blue:02x}{blue:02x}"
