"""What programs print into terminals: generated from a fixed seed, and recorded from real ones."""

from __future__ import annotations

import lzma
import random
from collections.abc import Callable
from pathlib import Path

SESSIONS = Path(__file__).parents[1] / "tests" / "widgets" / "terminal" / "sessions"

_SEED = 20_240_229
_TEXT = (
    "the quick brown fox compiled 17 objects in 0.42 s and linked libterminal.so.2 against /usr/lib/x86_64 with no "
    "warnings INFO DEBUG request GET /api/v1/orders/000417 200 13 ms user=42 region=eu-central cache=hit bytes=6231"
)
_WORDS = _TEXT.split()


def _lines(size: int, columns: int) -> list[str]:
    """Lines of words that fit the columns, with about `size` characters in all."""
    chance = random.Random(_SEED)
    lines, total = [], 0
    while total < size:
        line, room = "", chance.randint(columns // 3, columns)
        while len(word := chance.choice(_WORDS)) + len(line) < room:
            line += word + " "
        lines.append(line.rstrip())
        total += len(line) + 2
    return lines


def plain(size: int, columns: int = 80) -> bytes:
    """Lines of ASCII, as of a build or a log."""
    return "".join(line + "\r\n" for line in _lines(size, columns)).encode()


def sgr_256(size: int, columns: int = 80) -> bytes:
    """Each word in a colour of the palette of 256."""
    chance = random.Random(_SEED)
    return _coloured(size, columns, lambda: f"\x1b[38;5;{chance.randrange(256)}m")


def true_colour(size: int, columns: int = 80) -> bytes:
    """Each word in a colour of its own."""
    chance = random.Random(_SEED)

    def colour() -> str:
        return f"\x1b[38;2;{chance.randrange(256)};{chance.randrange(256)};{chance.randrange(256)}m"

    return _coloured(size, columns, colour)


def _coloured(size: int, columns: int, colour: Callable[[], str]) -> bytes:
    parts, total = [], 0
    for line in _lines(size, columns):
        made = " ".join(colour() + word for word in line.split()) + "\x1b[0m\r\n"
        parts.append(made)
        total += len(made)
        if total >= size:
            break
    return "".join(parts).encode()


def unicode_text(size: int, columns: int = 80) -> bytes:
    """Lines as of a test runner: marks, arrows, letters with accents, some wide characters."""
    chance = random.Random(_SEED)
    marks = ("✓", "✗", "→", "│", "é", "ü", "…", "漢字", "語")
    lines = [f"{chance.choice(marks)} {line[:-12]} {chance.choice(marks)}" for line in _lines(size, columns)]
    return "".join(line + "\r\n" for line in lines).encode()


def session(program: str, columns: int, lines: int) -> bytes:
    """What a real program printed into a terminal of that size while keys were sent to it."""
    return lzma.decompress((SESSIONS / f"{program}-{columns}x{lines}.xz").read_bytes())
