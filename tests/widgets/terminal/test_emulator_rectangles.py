"""Rectangles, protected cells, and margins on the sides."""

from __future__ import annotations

import pytest

from tests.widgets.terminal.test_emulator_faults import fed, replies, text
from widgets.terminal.emulator.style import BOLD, REVERSE

FULL = "".join(f"\x1b[{n};1H{n}bcdefghij" for n in range(1, 5))
SIDES = "\x1b[?69h\x1b[3;6s"


def test_rectangles_are_copied_filled_and_erased() -> None:
    assert text(fed(FULL + "\x1b[1;2;2;4;1;3;6$v")) == ["1bcdefghij", "2bcdefghij", "3bcdebcdij", "4bcdebcdij"]
    assert text(fed(FULL + "\x1b[1;1;3;10;1;2;1$v")) == ["1bcdefghij", "1bcdefghij", "2bcdefghij", "3bcdefghij"]
    assert text(fed(FULL + "\x1b[1;2;1;4;1;4;9$v"))[3] == "4bcdefghbc"
    assert text(fed(FULL + "\x1b[42;2;3;3;4$x"))[1:3] == ["2b**efghij", "3b**efghij"]
    assert text(fed(FULL + "\x1b[2;3;3;4$z"))[1:3] == ["2b  efghij", "3b  efghij"]
    assert text(fed(FULL + "\x1b[$z")) == [""] * 4
    assert text(fed(FULL + "\x1b[7;2;3;3;4$x\x1b[3;3;2;2$z\x1b[1;1;2;2;1;99;99$v"))[:3] == text(fed(FULL))[:3]


def test_copies_cut_wide_characters_in_halves_that_are_blank() -> None:
    screen = fed("漢字x\x1b[1;2;1;5;1;2;2$v")
    assert text(screen)[:2] == ["漢字x", "  字x"]
    assert text(fed("漢e\u0301\x1b[1;1;1;3;1;2;1$v"))[1] == "漢e\u0301"


def test_origin_mode_counts_from_the_margins() -> None:
    assert text(fed(FULL + "\x1b[2;3r\x1b[?6h\x1b[42;1;1;9;2$x")) == [
        "1bcdefghij",
        "**cdefghij",
        "**cdefghij",
        "4bcdefghij",
    ]


def test_rectangles_are_restyled() -> None:
    def flags(data: str, line: int) -> list[int]:
        row = fed(FULL + data).rows[line]
        return [0] * 10 if row.styles is None else [look.flags for look in row.styles]

    assert flags("\x1b[2*x\x1b[1;2;2;3;1;7$r", 1) == [0, 17, 17, *[0] * 7]
    assert flags("\x1b[1;9;2;2;1$r", 0) == [*[0] * 8, BOLD, BOLD]
    assert flags("\x1b[1;9;2;2;1$r", 1) == [BOLD, BOLD, *[0] * 8]
    assert flags("\x1b[2*x\x1b[1;1;4;4;1$r\x1b[1;1;4;2;0$r", 0) == [0, 0, BOLD, BOLD, *[0] * 6]
    assert flags("\x1b[2*x\x1b[1;1;4;4;7$r\x1b[1;1;4;2;7$t", 0) == [0, 0, REVERSE, REVERSE, *[0] * 6]


def test_selective_erasing_leaves_protected_cells() -> None:
    start = 'ab\x1b[1"qcd\x1b[2"qef'
    assert text(fed(start + "\x1b[?2K"))[0] == "  cd"
    assert text(fed(start + "\x1b[2G\x1b[?K"))[0] == "a cd"
    assert text(fed(start + "\x1b[5G\x1b[?1K"))[0] == "  cd f"
    assert text(fed(start + "\r\ngh\x1b[?2J"))[:2] == ["  cd", ""]
    assert text(fed(start + "\x1b[1;1;4;10${"))[0] == "  cd"
    assert text(fed(start + "\x1b[2K"))[0] == "" and text(fed("ab\r\x1b[?K"))[0] == ""
    assert text(fed('\x1b[1"qa\x1b[mb\x1b[31mc\x1b[?2K'))[0] == "abc"


def test_text_wraps_at_the_right_margin_and_starts_at_the_left_one() -> None:
    assert text(fed(SIDES + "\x1b[1;3Habcdefg\r\nh")) == ["  abcd", "  efg", "  h", ""]
    assert text(fed(SIDES + "\x1b[1;8Habcdef")) == [" " * 7 + "abc", "  def", "", ""]
    assert text(fed(SIDES + "\x1b[1;3Habc漢e\u0301")) == ["  abc", "  漢e\u0301", "", ""]
    assert text(fed(SIDES + "\x1b[1;5Hxy\u0301\x1b[Dz"))[0] == "    zy\u0301"
    assert text(fed("\x1b[?7l" + SIDES + "\x1b[1;3Habcdefg"))[0] == "  abcg"


def test_lines_scroll_between_the_margins() -> None:
    assert text(fed(FULL + SIDES + "\x1b[4;3H\n")) == [
        "1bcdefghij",
        "2bcdefghij",
        "3bcdefghij",
        "4b    ghij",
    ]
    assert fed(FULL + SIDES + "\x1b[4;3H\n").history_total == 0
    numbered = "".join(f"\x1b[{n};1H" + str(n) * 10 for n in range(1, 5))
    assert text(fed(numbered + SIDES + "\x1b[4;3H\n")) == ["1122221111", "2233332222", "3344443333", "44    4444"]
    assert text(fed(numbered + SIDES + "\x1b[1;3H\x1bM")) == ["11    1111", "2211112222", "3322223333", "4433334444"]
    assert text(fed(numbered + SIDES + "\x1b[4;1H\n")) == ["1" * 10, "2" * 10, "3" * 10, "4" * 10]
    assert text(fed(numbered + SIDES + "\x1b[2;4H\x1b[M")) == ["1" * 10, "2233332222", "3344443333", "44    4444"]
    assert text(fed(numbered + SIDES + "\x1b[2;4H\x1b[Lx"))[1:3] == ["22x   2222", "3322223333"]
    assert text(fed(numbered + SIDES + "\x1b[2;1H\x1b[M"))[1] == "2" * 10


def test_characters_are_inserted_and_deleted_between_the_margins() -> None:
    assert text(fed(FULL + SIDES + "\x1b[1;4H\x1b[2@"))[0] == "1bc  dghij"
    assert text(fed(FULL + SIDES + "\x1b[1;4H\x1b[2P"))[0] == "1bcf  ghij"
    assert text(fed(FULL + SIDES + "\x1b[1;8H\x1b[2P\x1b[2@"))[0] == "1bcdefghij"
    assert text(fed(FULL + SIDES + "\x1b[4h\x1b[1;4HXY"))[0] == "1bcXYdghij"


def test_columns_are_inserted_deleted_and_scrolled() -> None:
    assert text(fed(FULL + "\x1b[2;3r\x1b[2;4H\x1b[2'}")) == ["1bcdefghij", "2bc  defgh", "3bc  defgh", "4bcdefghij"]
    assert text(fed(FULL + "\x1b[2;4H\x1b[2'~"))[0] == "1bcfghij"
    assert text(fed(FULL + "\x1b[2 @"))[0] == "cdefghij" and text(fed(FULL + "\x1b[ A"))[0] == " 1bcdefghi"
    assert text(fed(FULL + SIDES + "\x1b[ @"))[0] == "1bdef ghij"
    assert text(fed(FULL + "\x1b[1;1H\x1b6"))[0] == " 1bcdefghi"
    assert text(fed(FULL + "\x1b[1;10H\x1b9"))[0] == "bcdefghij"
    assert fed(FULL + "\x1b[1;5H\x1b6\x1b6\x1b9").cursor.x == 3


@pytest.mark.parametrize(
    ("moves", "column"),
    [
        ("\x1b[1;4H\x1b[9D", 2),
        ("\x1b[1;4H\x1b[9C", 5),
        ("\x1b[1;2H\x1b[9D", 0),
        ("\x1b[1;8H\x1b[9C", 9),
        ("\x1b[1;5H\r", 2),
        ("\x1b[1;2H\r", 0),
        ("\x1b[1;3H\b", 2),
        ("\x1b[1;4H\t", 5),
        ("\x1b[?6h\x1b[1;2H", 3),
        ("\x1b[?6h\x1b[1;99H", 5),
        ("\x1b[1;5H\x1b[E", 2),
        ("\x1b[1;5H\x1b[?69l\r", 0),
        ("\x1b[9;2s", 0),
    ],
)
def test_moves_stop_at_the_margins_they_start_within(moves: str, column: int) -> None:
    assert fed(SIDES + moves).cursor.x == column


def test_places_are_told_from_the_margins_in_origin_mode() -> None:
    assert replies("\x1b[?69h\x1b[3;9s\x1b[2;5r\x1b[?6h\x1b[2;3H\x1b[6n") == "\x1b[2;3R"


def test_margins_need_their_mode_and_go_with_resets() -> None:
    assert not fed("\x1b[3;6s").sided
    for reset in ("\x1b[?69l", "\x1bc", "\x1b[!p", "\x1b#8"):
        assert not fed(SIDES + reset).sided
    screen = fed(SIDES)
    screen.resize(4, 20)
    assert not screen.sided and screen.right == 19
