"""How many cells a character takes, and the quick classes of text that need no look at each character."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from wcwidth import wcswidth, wcwidth

NARROW = re.compile(
    "[ -~\xa1-\xac\xae-\u02ff\u0370-\u0377\u0391-\u03a1\u03b1-\u0482\u2010-\u2015\u2018-\u2027"
    "\u2190-\u21ff\u2500-\u25fc\u2800-\u28ff\ue0a0-\ue0d4]+"
)
"""Runs of characters that take one cell each."""

WIDE = re.compile("[\u3041-\u3096\u30a0-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff60]+")
"""Runs of characters that take two cells each."""

MIXED = re.compile(f"(?:{NARROW.pattern}+|{WIDE.pattern}+)*+")
"""Text of characters of one and two cells each, none of which joins another. Without backtracking, which would take
for ever on a long line that ends in another character."""

_AFTER_WIDE = re.compile(f"(?<={WIDE.pattern[:-1]})")

SPANS = re.compile(f"({NARROW.pattern})|(.)", re.DOTALL)
"""Cuts any text into narrow runs (group 1) and single other characters (group 2)."""


def with_stubs(text: str, stub: str) -> str:
    """Text of `MIXED` with a stub after each character of two cells."""
    return _AFTER_WIDE.sub(stub, text)


@lru_cache(8192)
def cell_width(character: str) -> int:
    """0 for a mark that joins the character before it, 1 or 2 cells; -1 for what is never shown.

    Spacing marks take a cell, as the C library has it by which programs measure what they print.
    """
    width = wcwidth(character)
    return 1 if width == 0 and unicodedata.category(character) == "Mc" else width


@lru_cache(1024)
def shown_width(cluster: str) -> int:
    """How many cells a character takes with what joins it, as Unicode has it."""
    return wcswidth(cluster)
