"""How many cells a character takes, and the quick classes of text that need no look at each character."""

from __future__ import annotations

import re
from functools import lru_cache

from wcwidth import wcwidth

NARROW = re.compile(
    "[ -~\xa1-\xac\xae-\u02ff\u0370-\u0377\u0391-\u03a1\u03b1-\u0482\u2010-\u2015\u2018-\u2027"
    "\u2190-\u21ff\u2500-\u25fc\u2800-\u28ff\ue0a0-\ue0d4]+"
)
"""Runs of characters that take one cell each."""

SPANS = re.compile(f"({NARROW.pattern})|(.)", re.DOTALL)
"""Cuts any text into narrow runs (group 1) and single other characters (group 2)."""


@lru_cache(8192)
def cell_width(character: str) -> int:
    """0 for a mark that joins the character before it, 1 or 2 cells; -1 for what is never shown."""
    return wcwidth(character)
