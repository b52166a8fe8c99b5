"""Recorded sessions of real programs look as they look in tmux."""

from __future__ import annotations

import lzma
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyte import modes

from tests.widgets.terminal.record_sessions import PROGRAMS, SESSIONS, SIZES
from tests.widgets.terminal.tmux_oracle import TmuxOracle
from widgets.terminal.emulator import DEFAULT, ByteStream, Row, Screen
from widgets.terminal.emulator.style import PROTECTED

CUTS = 15
"""Places in each session, besides its end, where the screens are compared."""


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TmuxOracle]:
    with TmuxOracle(tmp_path_factory.mktemp("oracle")) as tmux:
        yield tmux


def drawn(data: bytes, columns: int, rows: int) -> Screen:
    screen = Screen(columns, rows)
    ByteStream(screen).feed(data)
    return screen


def looks(row: Row) -> list[str]:
    """The look of each cell up to the last character; tmux does not tell that of blanks after it."""
    styles = row.styles or [DEFAULT] * len(row.text)
    pairs = list(zip(row.text, styles, strict=True))
    while pairs and pairs[-1][0] == " ":
        pairs.pop()
    return [f"{char}{look.fg},{look.bg},{look.flags & ~PROTECTED},{look.underline}" for char, look in pairs]


def assert_agrees(oracle: TmuxOracle, data: bytes, columns: int, rows: int, *, styles: bool = True) -> None:
    picture = oracle.picture(data, columns, rows)
    screen = drawn(data, columns, rows)
    assert [line.rstrip() for line in screen.display] == picture.lines
    # Without autowrap, tmux does not tell a cursor past the last cell from one on it.
    last = columns if modes.DECAWM in screen.mode else columns - 1
    assert (min(screen.cursor.x, last), screen.cursor.y) == picture.cursor
    if styles:
        # tmux writes only what changes from one line to the next; one column more, so that nothing wraps.
        theirs = drawn(("\x1b)0" + "\r\n".join(picture.styled)).encode(), columns + 1, rows)
        assert [looks(row) for row in screen.rows] == [looks(row) for row in theirs.rows]


@pytest.mark.parametrize("path", sorted(SESSIONS.glob("*.xz")), ids=lambda path: path.stem)
def test_sessions(oracle: TmuxOracle, path: Path) -> None:
    data = lzma.decompress(path.read_bytes())
    columns, rows = map(int, path.stem.rpartition("-")[2].split("x"))
    places = random.Random(path.stem)
    # Anywhere, so most are within a sequence, and some within a character.
    for cut in [*sorted(places.randrange(len(data)) for _ in range(CUTS)), len(data)]:
        assert_agrees(oracle, data[:cut], columns, rows)


def test_all_programs_were_recorded() -> None:
    recorded = {path.stem for path in SESSIONS.glob("*.xz")}
    assert recorded == {f"{name}-{columns}x{rows}" for name in PROGRAMS for columns, rows in SIZES}


PATTERNS = {
    "wrap": b"x" * 200 + b"\r\n" + b"y" * 80 + b"z",
    "wide at the edge": b"a" * 79 + "漢字".encode() + b"\x1b[5;80H" + "語".encode() + b"!",
    "half of a wide one overwritten": "漢字漢字\r\x1b[2Cx\x1b[6Gy".encode(),
    "marks": "e\u0301 a\u0308o\u0302 n\u0303\r\n".encode() + b"x" * 80 + "\u0301".encode(),
    "joined": "👩\u200d👧a🇩🇪b❤\ufe0fc👍🏽d\r\n".encode(),
    "regions": b"\x1b[5;10r\x1b[10;1H" + b"".join(b"line %d\r\n" % n for n in range(20)) + b"\x1b[5H\x1bM\x1bM",
    "origin mode": b"\x1b[5;10r\x1b[?6h\x1b[1;1Htop\x1b[99;1Hbottom\x1b[?6l\x1b[r",
    "insert and delete": b"abcdefghij\x1b[3G\x1b[2@XY\x1b[8G\x1b[3P\x1b[2G\x1b[4X" + b"\r\n\x1b[L\x1b[2Mz",
    "insert mode": b"abcdef\x1b[3G\x1b[4hXYZ\x1b[4l!",
    "tabs": b"\tx\ty\x1b[Z\x1b[Zzq\x1b[3g\tr\x1b[20G\x1bH\r\ts",
    "repeat": b"ab\x1b[5bc\x1b[10b",
    "scrolling": b"".join(b"%d\r\n" % n for n in range(50)) + b"\x1b[3S\x1b[2Tx",
    "colours": b"\x1b[31;44mred\x1b[1;4;7mall\x1b[0m\x1b[38;5;200mp\x1b[48;2;1;2;3mt\x1b[m\x1b[95;103mbright\x1b[0m",
    "colons": b"\x1b[38:2::1:2:3mrgb\x1b[0m\x1b[48:5:9mpalette\x1b[4:3mcurly\x1b[4:0m off",
    "erasing in colour": b"\x1b[2J\x1b[44mx\x1b[K\r\n\x1b[42m\x1b[1J\x1b[5;5H\x1b[41m\x1b[0J",
    "alternate screen": b"main\x1b[?1049halt\x1b[5;5Hthere\x1b[?1049l back",
    "alignment": b"\x1b#8\x1b[5;5Hx",
    "strings": b"a\x1bPq#0;2;0;0;0\x1b\\b\x1b_apc\x1b\\c\x1b^pm\x1b\\d\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\",
    "moves outside the region": b"\x1b[5;10r\x1b[2;1H\x1b[9Aa\x1b[20;1H\x1b[9Bb\x1b[12;1H\x1b[20Ac\x1b[3;1H\x1b[20Bd",
    "saved cursor": b"\x1b[3;3H\x1b[31m\x1b7\x1b[10;10H\x1b[mx\x1b8y\x1b[10;20H\x1b8z",
    "unknown": b'\x1b[?5;7mvim\x1b[>4;2m\x1b[<u\x1b[=1;1u\x1b[1"q\x1b[?996n.\x1b[5;1;7;9A\x1b[3 qend',
    "linefeed forms": b"a\x0bb\x0cc\x1bDd\x1bEe",
    "backspaces": b"abc\b\b\x1b[Kx\r\b\by",
    "reset": b"\x1b[31mtext\x1b[5;10r\x1bcclean",
}


@pytest.mark.parametrize("name", PATTERNS)
def test_patterns(oracle: TmuxOracle, name: str) -> None:
    assert_agrees(oracle, PATTERNS[name], 80, 24)
