"""Finding text on the screen and in the scrollback."""

from __future__ import annotations

import pytest

from tests.widgets.terminal.test_emulator_faults import fed
from widgets.terminal.emulator.search import search


def test_text_is_found_in_scrollback_and_screen() -> None:
    screen = fed("".join(f"line {n}\r\n" for n in range(100)) + "LINE x")
    found = search(screen, "line 9")
    assert [match.line for match in found] == [9, *range(90, 100)] and {match.column for match in found} == {0}
    assert found[0].spans == ((9, 0, 6),)
    assert [match.line for match in search(screen, "LINE", match_case=True)] == [100]
    assert len(search(screen, "Line")) == 101 and len(search(screen, "line", most=7)) == 7
    assert search(screen, "") == [] and search(screen, "nowhere") == [] and search(screen, "line .") == []


def test_regular_expressions() -> None:
    screen = fed("error: 12 of 345\r\nfine\r\n", 20)
    assert [match.spans for match in search(screen, "[0-9]+", as_regex=True)] == [((0, 7, 9),), ((0, 13, 16),)]
    with pytest.raises(ValueError, match="no regular expression"):
        search(screen, "(", as_regex=True)
    assert search(screen, "x*", as_regex=True) == []


def test_expressions_that_take_for_ever_are_given_up() -> None:
    screen = fed("a" * 60 + "!", 80)
    with pytest.raises(TimeoutError):
        search(screen, "(a|a)+$", as_regex=True, seconds=0.2)


def test_columns_are_cells() -> None:
    screen = fed("漢字 e\u0301x\x1b[31m漢\x1b[m y", 20)
    assert [match.spans for match in search(screen, "漢")] == [((0, 0, 2),), ((0, 7, 9),)]
    assert search(screen, "字 e\u0301")[0].spans == ((0, 2, 6),)
    assert search(screen, "x漢 Y")[0].spans == ((0, 6, 11),)


def test_what_wrapped_is_one_line() -> None:
    screen = fed("abcdefghijKLMNOPQRSTuv\r\nklm", 10, 3)
    assert [match.spans for match in search(screen, "jkl")] == [((0, 9, 10), (1, 0, 2))]
    assert [match.spans for match in search(screen, "klm")] == [((1, 0, 3),), ((3, 0, 3),)]
    assert search(screen, "ijklmnopqrstu")[0].spans == ((0, 8, 10), (1, 0, 10), (2, 0, 1))
