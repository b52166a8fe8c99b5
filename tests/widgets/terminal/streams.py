"""What a terminal may be fed, made up for hypothesis: what programs print, with new sizes in between, and what none
should."""

from __future__ import annotations

import lzma
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hypothesis import strategies as st

SIZES = [(20, 6), (20, 6), (12, 4), (40, 8), (80, 24), (5, 3)]
ODD_SIZES = [(20, 6), (12, 4), (3, 3), (2, 2), (5, 1), (1, 4)]
SESSIONS = Path(__file__).parent / "sessions"
_PRIVATE_MODES = [1, 5, 6, 6, 7, 7, 12, 25, 47, 1000, 1004, 1047, 1048, 1049, 1049, 2004, 2026]
_STRANGE_MODES = [3, 9, 40, 45, 66, 69, 80, 1034, 2027, 9999]
_ONE_NUMBER = "@ABCDEFGIJKLMPSTXZ`ade"
_TWO_NUMBERS = "HHHfr"
_MARKS = ["", "", "", "", "?", ">", "<", "=", "!"]
_BETWEEN = ["", "", "", "", "", " ", "!", "$", '"', "'", "*", "$ ", "#"]


@dataclass(frozen=True, slots=True)
class Program:
    """Output in parts; after each part but the last, the terminal takes on the size that follows it."""

    size: tuple[int, int]
    parts: tuple[bytes, ...]
    sizes: tuple[tuple[int, int], ...] = ()

    def __repr__(self) -> str:
        shown = f"{self.size[0]}x{self.size[1]}: {self.parts[0]!r}"
        for (columns, lines), part in zip(self.sizes, self.parts[1:], strict=True):
            shown += f", then {columns}x{lines}: {part!r}"
        return shown


_NUMBERS = st.one_of(
    st.sampled_from(["", "", "1", "1", "2", "2", "3", "4", "5", "6", "7", "9", "10", "19", "20", "21", "40", "999"]),
    st.integers(1, 30).map(str),
)
_ODD_NUMBERS = st.one_of(_NUMBERS, st.integers(0, 70_000).map(str), st.sampled_from(["0", "00", "99999999999"]))
_SGR = st.one_of(
    st.sampled_from(["0", "0", "1", "2", "3", "4", "5", "7", "8", "9", "21", "22", "23", "24", "25", "27", "28", "29"]),
    st.sampled_from(["31", "42", "39", "49", "95", "106", "53", "55", "59", "4:3", "4:0", "33", "44", "0;1", ";33"]),
    st.sampled_from(["38;5;200", "48;5;17", "38;2;1;2;3", "48;2;9;8;7", "38:2::1:2:3", "48:5:9", "58:5:1", "58;5;9"]),
)
_ODD_SGR = st.sampled_from(
    ["", "38", "38;5", "38;2;1", "48;9;1", "38;5;300", "38:5", "4:9", "38:2:1:2:3", "1:2", "6", "10", "26", "50", "99"]
)
_WORDS = st.sampled_from(
    ["a", "b", "word ", "hello, world", "0123456789", " ", "  ", "lqqk~", "x" * 19, "x" * 20, "x" * 41, "é", "─│┌┐"]
)
_WIDE = st.sampled_from(["漢", "漢字", "語" * 10, "한", "😀", "a漢", "漢b"])
_CLUSTERS = st.sampled_from(["ae\u0301", "n\u0303\u0323", "👩\u200d👧", "🇩🇪", "o\u0308"])
_ODD_CLUSTERS = st.sampled_from(
    ["\u0301", "\u200d", "🇩", "👍🏽", "❤\ufe0f", "\ufe0f", "\u200b", "\u00ad", "\u202e", "a\u200d漢", "\u0e33", "각"]
)
_ODD_CHARSETS = st.sampled_from([b"\x0e", b"\x0f", b"\x1b(0", b"\x1b)0", b"\x1b(B", b"\x1b)B", b"\x1b*0", b"\x1b[3b"])
_TEXT = st.one_of(_WORDS, _WORDS, _WORDS, _WIDE, _CLUSTERS).map(str.encode)
_CONTROLS = st.sampled_from([b"\r", b"\n", b"\r\n", b"\r\n", b"\t", b"\b", b"\x0b", b"\x0c", b"\x07"])
_ODD_CONTROLS = st.sampled_from([b"\0", b"\x7f", b"\x05", b"\x18", b"\x1a", b"\x1b", "\x85\x9b".encode()])
_ESCAPES = st.sampled_from([b"7", b"8", b"c", b"D", b"E", b"H", b"M", b"M", b"=", b">", b"#8"]).map(b"\x1b".__add__)
_FLOODS = st.sampled_from(
    [
        b"line\r\n" * 9,
        b"".join(b"%d\r\n" % number for number in range(30)),
        b"\x1b[32mok\x1b[0m done\r\n" * 8,
        b"\x1b[44m\r\n\x1b[Kx\r\n" * 4,
        b"\x1b[1mb\x1b(B\x1b[m plain\r\n" * 8,
        "✓ é passed → 漢\r\n".encode() * 7,
        b"word " * 30,
        b"\n" * 5,
    ]
)
_FILLED = b"\r\n".join(b"abcdefghijklmnopqrs"[at:] + b"ABCDEF"[:at] for at in range(5)) + b"\r\nlast"
_IN_USE = st.sampled_from(
    [
        b"\x1b(0lqqk\x1b(B",
        b"\x1b)0\x0ex x\x0f",
        b"-\x1b[7b",
        b"=\x1b[30b",
        b"\x1b7\x1b[1;1Htop\x1b8",
        b"\x1b[?25l\x1b[2;3Hx\x1b[K\x1b[?25h",
        b"\x1b[2;4r\x1b[4;1H\n\x1b[r",
        b"\x1b[?1049h\x1b[H\x1b[2Jfull\x1b[?1049l",
        b"\r\x1b[K 50 %",
        b"typed\b \b",
    ]
)
"""Sequences as programs put them together."""


@st.composite
def _sequences(draw: st.DrawFn) -> bytes:
    """A control sequence of those that move, erase, scroll, switch modes or style."""
    final = draw(st.sampled_from(_ONE_NUMBER + 2 * _TWO_NUMBERS + "mmmmghhllsu"))
    if final == "m":
        parameters = ";".join(draw(st.lists(_SGR, max_size=3)))
    elif final in "hl":
        parameters = draw(st.one_of(st.sampled_from(_PRIVATE_MODES).map("?{}".format), st.sampled_from(["4", "20"])))
    elif final == "g":
        parameters = draw(st.sampled_from(["0", "3"]))
    elif final in "JK":
        parameters = draw(st.sampled_from(["", "0", "1", "2"]))
    elif final in "su":
        parameters = ""
    else:
        parameters = ";".join(draw(st.lists(_NUMBERS, max_size=2 if final in _TWO_NUMBERS else 1)))
    return f"\x1b[{parameters}{final}".encode()


@st.composite
def _edits(draw: st.DrawFn) -> bytes:
    """A control sequence at a place of the screen, with a letter where the cursor is then."""
    line, column = draw(st.integers(1, 6)), draw(st.integers(1, 20))
    return f"\x1b[{line};{column}H".encode() + draw(_sequences()) + draw(st.sampled_from([b"", b"!"]))


@st.composite
def _strings(draw: st.DrawFn) -> bytes:
    """OSC, DCS and the like."""
    kind = draw(st.sampled_from([b"\x1b]", b"\x1b]", b"\x1bP", b"\x1b_", b"\x1b^"]))
    command = draw(st.sampled_from([b"0;", b"2;", b"8;;", b"8;;http://x", b"52;c;eA==", b"133;A", b"7;file://h/"]))
    body = draw(st.sampled_from([b"", b"text", "漢é".encode(), b"1;2;3", b"$qm", b"+q544e"]))
    end = draw(st.sampled_from([b"\x07", b"\x1b\\"])) if kind == b"\x1b]" else b"\x1b\\"
    return kind + (command if kind == b"\x1b]" else b"") + body + end


@cache
def _recorded() -> list[bytes]:
    return [lzma.decompress(path.read_bytes()) for path in sorted(SESSIONS.glob("*.xz"))]


@st.composite
def _excerpts(draw: st.DrawFn) -> bytes:
    """A piece of a recorded session."""
    session = draw(st.sampled_from(_recorded()))
    start = draw(st.integers(0, max(0, len(session) - 1)))
    piece = session[start : start + draw(st.integers(1, 200))]
    # Whole sequences only: what a cut one does is for the other kind of programs.
    starts = [at for at, byte in enumerate(piece) if byte == 0x1B]
    return piece[starts[0] : starts[-1]] if starts else b""


# What no program should print


@st.composite
def _strange_sequences(draw: st.DrawFn) -> bytes:
    """Any control sequence, most of them without a meaning."""
    mark, between = draw(st.sampled_from(_MARKS)), draw(st.sampled_from(_BETWEEN))
    fields = draw(st.lists(st.one_of(_ODD_NUMBERS, _ODD_SGR), max_size=4))
    parameters = draw(st.sampled_from([";", ";", ";", ":"])).join(fields)
    return f"\x1b[{mark}{parameters}{between}".encode() + bytes([draw(st.integers(0x40, 0x7E))])


@st.composite
def _strange_modes(draw: st.DrawFn) -> bytes:
    mode, final = draw(st.sampled_from(_STRANGE_MODES)), draw(st.sampled_from("hlsr"))
    return f"\x1b[?{mode}{final}".encode()


@st.composite
def _strange_strings(draw: st.DrawFn) -> bytes:
    """Strings with anything in them, ended or not."""
    start = draw(st.sampled_from([b"\x1b]", b"\x1bP", b"\x1b_", b"\x1b^", b"\x1bX", b"\x1bk", b"\x1b]8;;", b"\x1b]2;"]))
    end = draw(st.sampled_from([b"\x07", b"\x1b\\", b"\x18", b"\x1a", b"", b"\x1b[m"]))
    return start + draw(st.one_of(st.binary(max_size=6), st.binary(min_size=300, max_size=300))) + end


@st.composite
def _mutated(draw: st.DrawFn) -> bytes:
    """A piece of a session with something put in its place."""
    piece = draw(_excerpts())
    at = draw(st.integers(0, len(piece)))
    put = draw(st.one_of(st.binary(max_size=3), _sequences(), _TEXT, _strange_sequences()))
    return piece[:at] + put + piece[at + draw(st.integers(0, 3)) :]


_LIVELY = [
    *(_TEXT, _TEXT, _TEXT, _CONTROLS, _CONTROLS, _ESCAPES, _FLOODS, _IN_USE, _strings()),
    *(_sequences(), _edits(), _edits(), _edits(), _edits(), _edits(), _edits(), _excerpts()),
]
_STRANGE = [
    *(_strange_sequences(), _strange_sequences(), _strange_modes(), _strange_strings(), st.binary(max_size=4)),
    *(_mutated(), _ODD_CONTROLS, _ODD_CHARSETS, _ODD_CLUSTERS.map(str.encode)),
]


@st.composite
def _output(draw: st.DrawFn, pieces: list[st.SearchStrategy[bytes]], cut: bool) -> bytes:
    drawn = draw(st.lists(st.one_of(*pieces), min_size=4, max_size=25))
    if cut and drawn and draw(st.integers(0, 3)) == 0:
        # The middle of a sequence or a character, and on with something else.
        at = draw(st.integers(0, len(drawn) - 1))
        drawn[at] = drawn[at][: draw(st.integers(0, len(drawn[at])))]
    return draw(st.sampled_from([b"", _FILLED])) + b"".join(drawn)


@st.composite
def programs(draw: st.DrawFn, *, hostile: bool, resizes: int = 2) -> Program:
    """What programs print; with `hostile` also what none should: odd numbers, unknown, cut and unended sequences, odd
    clusters of characters, bytes that are no text, tiny screens."""
    pieces = [*_LIVELY, *_STRANGE] if hostile else _LIVELY
    size = draw(st.sampled_from(ODD_SIZES if hostile else SIZES))
    parts = [draw(_output(pieces, hostile))]
    sizes = []
    while len(sizes) < resizes and draw(st.integers(0, 5 if hostile else 15)) == 0:
        sizes.append((draw(st.integers(1 if hostile else 4, 45)), draw(st.integers(1 if hostile else 2, 12))))
        parts.append(draw(_output(pieces, hostile)))
    return Program(size, tuple(parts), tuple(sizes))
