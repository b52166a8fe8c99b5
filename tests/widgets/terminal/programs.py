"""Random programs for a terminal: whole sequences, pieces of them, text of all widths and noise."""

from __future__ import annotations

from hypothesis import strategies as st

# fmt: off
_WHOLE = [
    *(f"\x1b[{number}{final}" for number in ("", "1", "3", "7") for final in "@ABCDEFGHIJKLMPSTXZ`abdefgmnu"),
    *(f"\x1b[?{number}{how}" for number in (1, 3, 5, 6, 7, 25, 47, 1000, 1002, 1006, 1047, 1048, 1049, 2004, 2026, 2027)
      for how in "hl"),
    "\x1b[4h", "\x1b[4l", "\x1b[20h", "\x1b[20l", "\x1b[2;4r", "\x1b[3;5r", "\x1b[r", "\x1b[3;5H", "\x1b[99;99H",
    "\x1b[2J", "\x1b[3J", "\x1b[2K", "\x1b[3g", "\x1bH", "\x1b7", "\x1b8", "\x1bM", "\x1bD", "\x1bE", "\x1b=", "\x1b>",
    "\x1b#8", "\x1bc", "\x1b(0", "\x1b(B", "\x1b)0", "\x1b)B", "\x0e", "\x0f", "\x1b[!p", "\x1b[5 q", "\x1b[2 q",
    "\x1b[1m", "\x1b[7m", "\x1b[4:3m", "\x1b[38;5;200m", "\x1b[48;2;1;2;3m", "\x1b[44m", "\x1b[95;103m", "\x1b[58:5:9m",
    "\x1b[58:2::1:2:3m", "\x1b[2;3;5;8;9;53m", "\x1b[21m", "\x1b[m", "\x1b[0;1m",
    "\x1b[?69h", "\x1b[?69l", "\x1b[2;5s", "\x1b[3;8s", "\x1b[1\"q", "\x1b[\"q", "\x1b[?J", "\x1b[?1K",
    "\x1b6", "\x1b9",
    "\x1b[2'}", "\x1b['~", "\x1b[2 @", "\x1b[ A", "\x1b[1;2;2;5;1;2;3$v", "\x1b[88;2;2;3;6$x", "\x1b[2;2;3;4$z",
    "\x1b[1;1;3;4${", "\x1b[1;2;2;3;1;7$r", "\x1b[1;2;2;3;4$t", "\x1b[2*x", "\x1b[>5u", "\x1b[=3;2u",
    "\x1b[<u", "\x1b[>4;2m",
    "\x1b]8;;http://x\x1b\\", "\x1b]8;id=a;http://y\x1b\\", "\x1b]8;;\x1b\\", "\x1b]133;A\x07",
    "\x1b]133;B\x07", "\x1b]133;C\x07",
    "\x1b]133;D;1\x07", "\x1b]4;1;#123456\x07", "\x1b]11;rgb:1/2/3\x07", "\x1b]104\x07", "\x1b]7;file://host/a%20b\x07",
    "\x1b]9;4;1;50\x07", "\x1b]2;title\x07", "\x1b]0;both\x1b\\", "\x1b]1;icon\x07", "\x1bkname\x1b\\",
]
_PARTS = [
    *("\x1b[", "\x1b]", "\x1bP", "\x1b_", "\x1b", "?", ">", ";", ":", "$", " ", "!", "\x07", "\x1b\\"),
    *("m", "H", "h", "l", "r", "J", "K", "L", "M", "@", "P", "X", "S", "T", "b", "n", "c", "p", "A", "B", "C", "D"),
    *("I", "Z", "s", "u", "q", "t", "0", "1", "4", "7", "38;5;", "48;2;1;2;3", "1049", "2026", "99999999", "\x18"),
]
_TEXT = [
    "\r", "\n", "\r\n", "\t", "\b", "abc", "x", " ", "x" * 50, "line\r\n" * 8, "漢", "漢字", "e\u0301", "\u0301",
    "👩\u200d👧", "─", "🇩🇪", "🇫", "❤\ufe0f", "👍🏽", "한", "\u200d",
]
# fmt: on
_PIECE = st.one_of(
    st.sampled_from([piece.encode() for piece in _TEXT]),
    st.sampled_from([piece.encode() for piece in _WHOLE]),
    st.sampled_from([*(piece.encode() for piece in _PARTS), b"\xe6", b"\xff", b"\xc2\x9b"]),
    st.binary(max_size=4),
)

PROGRAMS = st.lists(_PIECE, max_size=60).map(b"".join)
"""What a program might print."""

SENSIBLE = st.lists(st.sampled_from([piece.encode() for piece in [*_TEXT, *_WHOLE]]), max_size=60).map(b"".join)
"""Whole sequences and text only."""

SIZES = st.sampled_from([(80, 24), (10, 5), (3, 3), (2, 1), (1, 1)])
"""Columns and lines."""
