"""Strips have exactly the width asked for, whatever is in the row."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style as RichStyle

from tests.widgets.terminal.test_emulator_faults import fed
from widgets.terminal.emulator import Row
from widgets.terminal.paint import Mark, Painter
from widgets.terminal.palette import Palette

BASE = RichStyle.parse("white on black")


def painter(**how: Any) -> Painter:
    made = Painter()
    made.palette = Palette(BASE, **how)
    return made


@example(data="aa漢🇩❤️", width=7, start=0, end=6)
@settings(max_examples=200, derandomize=True, deadline=None)
@given(
    data=st.lists(
        st.one_of(
            st.sampled_from(
                ["a", "漢", "e\u0301", "👩\u200d👧", "❤\ufe0f", "🇩", "\u200b", "\x1b[31m", "\x1b[4G", "\x1b[P"]
            ),
            st.characters(blacklist_categories=["Cs"]),
        ),
        max_size=40,
    ).map("".join),
    width=st.integers(1, 20),
    start=st.integers(-2, 20),
    end=st.integers(-2, 22),
)
def test_width(data: str, width: int, start: int, end: int) -> None:
    screen = fed(data, 16, 2)
    for row in screen.rows:
        for marks in ((), ((start, end, Mark.REVERSED),), ((start, end, Mark.HIT), (0, 2, Mark.UNDERLINED))):
            shown = painter().strip(row, width, marks)
            assert shown.cell_length == width
            assert sum(cell_len(segment.text) for segment in shown) == width


def test_a_strip_is_kept_until_its_row_changes() -> None:
    paint, row = painter(), Row("text")
    first = paint.strip(row, 10)
    assert paint.strip(row, 10) is first
    assert paint.strip(row, 11) is not first
    row.put(0, "T", fed("").pen)
    assert paint.strip(row, 11).text == "Text       "


def test_looks_reach_the_strip() -> None:
    screen = fed("\x1b[1;3;31;48;2;1;2;3ma\x1b[0;7;4;9mb\x1b[0;21;53mc", 5, 1)
    bold, reverse, double = [segment.style for segment in painter().strip(screen.rows[0], 3)]
    assert bold is not None and bold.bold and bold.italic and bold.color is not None and bold.color.number == 1
    assert bold.bgcolor is not None and bold.bgcolor.triplet == (1, 2, 3)
    assert reverse is not None and reverse.reverse and reverse.underline and reverse.strike
    assert double is not None and double.underline2 and double.overline and double.color == BASE.color
