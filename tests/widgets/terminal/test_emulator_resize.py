"""What a new size does to the text."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.widgets.terminal.test_emulator_faults import fed, text
from widgets.terminal.emulator import Screen, Stream


def whole_text(screen: Screen) -> str:
    """All lines, wrapped ones joined."""
    parts: list[str] = []
    for number in range(screen.history_first, screen.history_total + screen.lines):
        row = screen.line(number)
        assert row is not None
        parts.append(row.shown() + ("" if row.wrapped else "\n"))
    return "".join(parts).rstrip("\n")


def test_wrapped_lines_are_laid_out_anew() -> None:
    screen = fed("abcdefghijklmno\r\nxy", 10, 4)
    screen.resize(4, 5)
    assert text(screen) == ["abcde", "fghij", "klmno", "xy"]
    assert (screen.cursor.x, screen.cursor.y) == (2, 3)
    screen.resize(4, 20)
    assert text(screen)[:2] == ["abcdefghijklmno", "xy"] and (screen.cursor.x, screen.cursor.y) == (2, 1)


def test_fewer_lines_go_to_the_scrollback_and_come_back() -> None:
    screen = fed("a\r\nb\r\nc\r\nd", 10, 4)
    screen.resize(2, 10)
    assert text(screen) == ["c", "d"] and screen.cursor.y == 1
    screen.resize(4, 10)
    assert text(screen) == ["a", "b", "c", "d"] and screen.cursor.y == 3


def test_blank_lines_under_the_cursor_make_room_first() -> None:
    screen = fed("a\r\nb", 10, 6)
    screen.resize(3, 10)
    assert text(screen) == ["a", "b", ""] and not screen.history


def test_the_alternate_screen_is_cut_and_the_normal_one_is_laid_out() -> None:
    screen = fed("abcdefgh\x1b[?1049h\x1b[Hxxxxxxxx", 10, 4)
    screen.resize(3, 4)
    assert text(screen) == ["xxxx", "", ""]
    Stream(screen).feed("\x1b[?1049l")
    assert text(screen)[:2] == ["abcd", "efgh"]


def test_wide_characters_and_marks_survive() -> None:
    screen = fed("a漢字e\u0301漢字", 10, 4)
    for columns in (4, 3, 7, 12):
        screen.resize(4, columns)
        assert whole_text(screen) == "a漢字e\u0301漢字"


@settings(max_examples=80, derandomize=True, deadline=None)
@given(
    lines=st.lists(st.text(alphabet="ab 漢é", max_size=40), max_size=12),
    sizes=st.lists(st.tuples(st.integers(1, 12), st.integers(2, 30)), max_size=4),
)
def test_no_text_is_lost(lines: list[str], sizes: list[tuple[int, int]]) -> None:
    screen = fed("\r\n".join(lines), 20, 6)
    before = whole_text(screen)
    for rows, columns in sizes:
        screen.resize(rows, columns)
        assert len(screen.rows) == rows and all(len(row.text) <= columns for row in screen.rows)
        assert 0 <= screen.cursor.y < rows and 0 <= screen.cursor.x <= columns
        assert whole_text(screen) == before
