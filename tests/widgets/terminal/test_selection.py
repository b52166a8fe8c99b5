"""What is selected reads as it is seen; words and lines go on where they wrapped."""

from __future__ import annotations

import pytest

from tests.widgets.terminal.test_emulator_faults import fed
from widgets.terminal.copy_mode import ACTIONS, CopyMode
from widgets.terminal.emulator import Screen, Stream
from widgets.terminal.selection import Selection, Shape, logical_lines, word_around


def test_lines_that_wrapped_are_one() -> None:
    screen = fed("abcdefghijKLM\r\nnext   \r\nlast", 10, 5)
    assert Selection((0, 2), (3, 1)).text(screen) == "cdefghijKLM\nnext\nla"
    assert Selection((3, 1), (0, 2)).text(screen) == "cdefghijKLM\nnext\nla"
    assert logical_lines(screen, 1) == (0, 1)
    assert logical_lines(screen, 2) == (2, 2)


def test_a_block_is_cut_from_each_line() -> None:
    screen = fed("one two\r\nthree four\r\nab", 12, 4)
    assert Selection((0, 1), (2, 4), Shape.BLOCK).text(screen) == "ne t\nhree\nb"
    assert Selection((2, 4), (0, 1), Shape.BLOCK).span(1) == (1, 5)


def test_whole_lines() -> None:
    screen = fed("one two\r\nthree", 12, 4)
    assert Selection((0, 3), (1, 1), Shape.LINES).text(screen) == "one two\nthree"


def test_no_wide_character_is_cut() -> None:
    screen = fed("a漢字b", 10, 1)
    assert Selection((0, 2), (0, 3)).text(screen) == "漢字"


def test_words_wrap_too() -> None:
    screen = fed("say /usr/share/doc ok", 10, 3)
    assert word_around(screen, (0, 6)) == ((0, 4), (1, 7))
    assert word_around(screen, (1, 2)) == ((0, 4), (1, 7))
    assert word_around(screen, (0, 3)) == ((0, 3), (0, 3))


def test_lines_keep_their_numbers_while_output_scrolls() -> None:
    screen = fed("first\r\nsecond\r\n", 10, 3)
    chosen = Selection((0, 0), (1, 9))
    assert chosen.text(screen) == "first\nsecond"
    Stream(screen).feed("x\r\n" * 100)
    assert chosen.text(screen) == "first\nsecond"


# Copy mode

TEXT = "alpha beta-2  gamma\r\n\r\n  delta (epsilon)\r\n漢字 end"


def walked(keys: str, screen: Screen | None = None) -> CopyMode:
    copy = CopyMode(screen or fed(TEXT, 30, 6), (0, 0))
    copy.view = (0, 6)
    for key in keys.split():
        if not copy.count(key):
            copy.move(ACTIONS[key])
    return copy


@pytest.mark.parametrize(
    ("keys", "cell"),
    [
        ("w", (0, 6)),
        ("w w", (0, 10)),
        ("w w w", (0, 11)),
        ("4 w", (0, 14)),
        ("5 w", (2, 2)),
        ("5 w b", (0, 14)),
        ("e", (0, 4)),
        ("e e", (0, 9)),
        ("6 e", (2, 6)),
        ("dollar_sign", (0, 18)),
        ("dollar_sign 0", (0, 0)),
        ("j j circumflex_accent", (2, 2)),
        ("G", (3, 0)),
        ("G l", (3, 2)),
        ("G l h", (3, 0)),
        ("G g", (0, 0)),
        ("1 0 l", (0, 10)),
        ("L", (5, 0)),
        ("M", (3, 0)),
        ("ctrl+d", (3, 0)),
        ("9 9 j", (5, 0)),
        ("w j", (1, 6)),
        ("w j j", (2, 6)),
    ],
)
def test_vi_motions(keys: str, cell: tuple[int, int]) -> None:
    assert walked(keys).cursor == cell


def test_selecting_by_keys() -> None:
    screen = fed(TEXT, 30, 6)

    def text(keys: str) -> str:
        selection = walked(keys, screen).selection
        return "" if selection is None else selection.text(screen)

    assert text("w v e") == "beta"
    assert text("w v e v") == ""
    assert text("V j j") == "alpha beta-2  gamma\n\n  delta (epsilon)"
    assert text("l l ctrl+v j j l l") == "pha\n\ndel"
    assert text("w v e o b") == "alpha beta"
    assert text("v V") == "alpha beta-2  gamma"


def test_the_alternate_screen_has_no_scrollback() -> None:
    screen = fed("x\r\n" * 50 + "\x1b[?1049hfull", 30, 6)
    assert walked("g", screen).cursor[0] == screen.history_total
