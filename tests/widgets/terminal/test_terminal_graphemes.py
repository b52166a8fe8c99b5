"""Characters that are more than one code point, or more than one cell: as tmux has them, where that is sensible."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.widgets.terminal.test_terminal_against_tmux import assert_agrees, drawn
from tests.widgets.terminal.tmux_oracle import TmuxOracle

AS_TMUX = {
    "skin tone": "👍🏽x",
    "skin tone alone": "🏽x",
    "skin tone on a letter": "a🏽x",
    "pair of emoji": "👩\u200d👧x",
    "flag": "🇩🇪x",
    "two flags": "🇩🇪🇫🇷x",
    "heart as emoji": "❤\ufe0fx",
    "heart as text": "❤\ufe0ex",
    "keycap": "1\ufe0f\u20e3x",
    "wide as text": "⌚\ufe0ex",
    "variation of a letter": "a\ufe0fx",
    "heart on fire": "❤\ufe0f\u200d🔥x",
    "rainbow flag": "🏳\ufe0f\u200d🌈x",
    "hangul jamo": "\u1112\u1161\u11ab\u1100\u1173\u11afx",
    "hangul syllable with a final": "가\u11a8x",
    "vowel jamo alone": "\u1161x",
    "devanagari": "क\u094dषिx",
    "tamil": "நிx",
    "thai": "กำ\u0e49x",
    "arabic": "سلام\u064ex",
    "mark at the start": "\u0301ax",
    "joiner at the start": "\u200dax",
    "joiner after a blank": " \u200d👩x",
    "no-break space, soft hyphen": "a\u00a0b\u00adcx",
    "zero-width space, non-joiner, word joiner, BOM": "a\u200bb\u200cc\u2060d\ufeffex",
    "ambiguous": "§±×x",
    "emoji and text symbols": "⌚⏰☕☀☎✂x",
    "enclosed CJK": "㊗㈱x",
    "full and half width": "ＡＢｱﾞx",
    "private use": "\ue0a0\uf8ffx",
    "ideographic variation": "葛\U000e0100x",
    "variation at the edge": "\x1b[80Ga\ufe0fx",
    "mark on a pending wrap": "\x1b[80Ga\u0301x",
    "wide at the edge": "\x1b[80G漢x",
    "wide at the edge without autowrap": "\x1b[?7l\x1b[80G漢x",
    "wide over the first half": "漢字\r漢",
    "wide over the second half": "漢字\x1b[2G漢x",
    "marks in the middle of a line": "a\u0301b\u0308\x1b[1;2Hc\u0302",
}

_HALVES = "tmux shows a wide character of which one cell is left; it becomes blank, as in xterm and ghostty"
_LONG = "tmux keeps 21 bytes of a cluster and drops the rest"
_FLAG = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"

UNLIKE_TMUX = {
    "family": ("👨\u200d👩\u200d👧\u200d👦x", "👨\u200d👩\u200d👧\u200d👦x", 3, _LONG),
    "flag of tags": (f"{_FLAG}x", f"{_FLAG}x", 3, _LONG),
    "half a flag": ("🇩x", "🇩x", 3, "two cells wide since Unicode 16; tmux gives it one"),
    "joiner at the end": ("👩\u200dx", "👩\u200dx", 3, "tmux drops a joiner with nothing after it; a copy keeps it"),
    "narrow over each half": ("漢字漢字\x1b[2Gx\x1b[5Gy", " x字y 字", 5, _HALVES),
    "erased halves": ("漢字漢字\x1b[2G\x1b[X\x1b[5G\x1b[X", "  字  字", 4, _HALVES),
    "deleted halves": ("漢字漢字x\x1b[2G\x1b[P", " 字漢字x", 1, _HALVES),
    "inserted within": ("漢字x\x1b[2G\x1b[@", "   字x", 1, _HALVES),
}
"""What is drawn, the line and the column after it, and why it differs."""


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TmuxOracle]:
    with TmuxOracle(tmp_path_factory.mktemp("oracle")) as tmux:
        yield tmux


@pytest.mark.parametrize("name", AS_TMUX)
def test_clusters_as_in_tmux(oracle: TmuxOracle, name: str) -> None:
    assert_agrees(oracle, AS_TMUX[name].encode(), 80, 24)


@pytest.mark.parametrize("name", UNLIKE_TMUX)
def test_clusters_that_tmux_has_otherwise(oracle: TmuxOracle, name: str) -> None:
    data, shown, column, _reason = UNLIKE_TMUX[name]
    screen = drawn(data.encode(), 80, 24)
    assert (screen.display[0].rstrip(), screen.cursor.x) == (shown, column)
    picture = oracle.picture(data.encode(), 80, 24)
    assert (picture.lines[0], picture.cursor[0]) != (shown, column)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("❤\ufe0fx", 3),
        ("❤\ufe0ex", 2),
        ("❤x", 2),
        ("a\ufe0fx", 2),
        ("1\ufe0f\u20e3x", 3),
        ("👍🏽x", 3),
        ("👍🏽🏽x", 5),
        ("a🏽x", 4),
        ("漢🏽x", 5),
        ("❤\ufe0f\u200d🔥x", 3),
        ("👩🏽\u200d💻x", 3),
        ("🇩🇪x", 3),
        ("\x1b[31m❤\x1b[m\ufe0fx", 3),
        ("❤\x1b[D\ufe0fx", 1),
    ],
)
def test_clusters_are_as_wide_as_unicode_has_them_where_a_program_asks(text: str, column: int) -> None:
    screen = drawn(f"\x1b[?2027h{text}".encode(), 80, 24)
    assert screen.cursor.x == column
    if not text.startswith(("\x1b", "❤\x1b")):
        assert screen.display[0].rstrip() == text


def test_an_emoji_without_room_for_a_second_cell_stays_narrow() -> None:
    screen = drawn("\x1b[?2027h\x1b[80G❤\ufe0fx".encode(), 80, 24)
    assert screen.display[0].endswith("❤\ufe0f") and screen.display[1].startswith("x")
