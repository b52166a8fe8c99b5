"""A screen written out again is the same screen."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from hypothesis import given, settings

from tests.widgets.terminal.programs import PROGRAMS, SIZES
from tests.widgets.terminal.test_emulator_robustness import check_whole
from tests.widgets.terminal.test_terminal_against_tmux import drawn, looks
from tests.widgets.terminal.tmux_oracle import TmuxOracle
from widgets.terminal.emulator import DEFAULT, STUB, ByteStream, Row, Screen, Style, repaint
from widgets.terminal.emulator.repaint import joins_before, joins_over


def named(look: Style) -> str:
    """A look as text; the numbers of links without an id are of their own in each screen."""
    return re.sub("id='[0-9]+'|id='=-[0-9]+'", "id=''", repr(look))


def marked(row: Row, last: int) -> list[str]:
    """The marks, those past a line that was erased later on its last cell."""
    return [repr(mark if len(row.text) > last else replace(mark, column=min(mark.column, last))) for mark in row.marks]


def shown(row: Row) -> tuple[str, list[tuple[int, int, str]]]:
    """Text and looks of a line, without blanks at its end that nobody sees."""
    text = row.shown().rstrip(" ")
    return text, [(start, end, named(look)) for start, end, look in row.runs() if look is not DEFAULT]


def visible(rows: list[Row]) -> list[tuple[str, list[tuple[int, int, str]]]]:
    return [shown(row) for row in rows]


def held(x: int, rows: list[Row], y: int, last: int) -> int:
    """The column, of a cursor past a cell that would join the one before it the cell's own."""
    row = rows[min(y, len(rows) - 1)]
    return min(x, last) if x > last and joins_before(row, last - (row.text[last : last + 1] == STUB)) else x


def scrollback(screen: Screen, lines: int) -> list[Row]:
    first = max(screen.history_first, screen.history_total - lines)
    rows = [screen.line(number) for number in range(first, screen.history_total)]
    return [row for row in rows if row is not None]


def state(screen: Screen) -> dict[str, object]:
    cursor, last = screen.cursor, screen.columns - 1
    inside = screen.top <= cursor.y <= screen.bottom and screen.left <= min(cursor.x, last) <= screen.right
    origin_lost = 192 in screen.mode and not inside
    main, other = screen.both_rows()
    return {
        "main": visible(main),
        "other": [line for line in enumerate(visible(other)) if line[1] != ("", [])],
        "wrapped": [row.wrapped and not joins_over(row, after) for row, after in pairwise(main)],
        "history": visible(scrollback(screen, 9)),
        "cursor": (
            held(cursor.x, main if not screen.alternate else other, cursor.y, last),
            cursor.y,
            cursor.hidden,
            named(screen.pen),
            screen.cursor_style,
        ),
        "saved": [
            (replace(saved, pen=DEFAULT, x=held(saved.x, rows, saved.y, last)), named(saved.pen))
            for saved, rows in zip(screen.both_saved(), (screen.rows, main), strict=True)
        ],
        "waits": screen.waiting if screen.waiting == (cursor.x, cursor.y) else None,
        "sides": (screen.left, screen.right),
        "marks": [sorted(marked(row, last)) for row in main],
        "keyboard": (screen.keyboard_stack(False), screen.keyboard_flags, screen.modify_other_keys),
        "told": (screen.directory, screen.directory_host, screen.progress, screen.palette, screen.rectangle_extent),
        "mode": sorted(screen.mode - ({192} if origin_lost else set())),
        "margins": screen.margins,
        "charset": (screen.charset, screen.g0_charset, screen.g1_charset),
        "tabs": sorted(stop for stop in screen.tabstops if stop < screen.columns),
        "titles": (screen.title, screen.icon_name),
        "keypad": screen.application_keypad_on,
        "alternate": screen.alternate,
    }


@settings(max_examples=400, derandomize=True, deadline=None)
@given(data=PROGRAMS, size=SIZES)
def test_a_repainted_screen_is_the_same(data: bytes, size: tuple[int, int]) -> None:
    screen, again = Screen(*size, 20), Screen(*size, 20)
    ByteStream(screen).feed(data)
    ByteStream(again).feed(repaint(screen, 9))
    check_whole(again)
    assert state(again) == state(screen)


def test_what_a_program_began_goes_on_after_the_repaint() -> None:
    data = "a\x1b[1;31mb\x1b]2;a title\x07漢\x1bPq#0;2\x1b\\c\x1b[?1049hd\x1b]52;c;aGk=\x1b\\é\x1b(0q".encode()
    for cut in range(len(data) + 1):
        screen, again = Screen(10, 4), Screen(10, 4)
        first, second = ByteStream(screen), ByteStream(again)
        first.feed(data[:cut])
        second.feed(repaint(screen, 100) + first.unfinished)
        first.feed(data[cut:])
        second.feed(data[cut:])
        assert state(again) == state(screen), data[:cut]


def test_a_string_too_long_to_keep_stays_swallowed() -> None:
    for start, end in ((b"\x1b]2;", b"\x07"), (b"\x1bP", b"\x07still\x1b\\"), (b"\x1bk", b"\x1b\\")):
        screen, again = Screen(10, 4), Screen(10, 4)
        first, second = ByteStream(screen), ByteStream(again)
        first.feed(start + b"x" * 300_000)
        second.feed(repaint(screen, 100) + first.unfinished)
        second.feed(b"more" + end + b"ab")
        assert again.display[0].rstrip() == "ab" and not again.title


def test_only_as_much_scrollback_as_was_asked_for() -> None:
    screen, again = Screen(10, 4), Screen(10, 4)
    ByteStream(screen).feed(b"".join(b"%d\r\n" % number for number in range(50)))
    ByteStream(again).feed(repaint(screen, 5))
    assert again.history_total == 5 and [row.text for row in scrollback(again, 99)] == ["42", "43", "44", "45", "46"]


def test_tmux_sees_the_same(tmp_path: Path) -> None:
    data = "".join(f"\x1b[3{n % 8}mline {n} 漢字 e\u0301 {'long ' * (n % 30)}\x1b[m\r\n" for n in range(40))
    data += "\x1b[5;20r\x1b[?6h\x1b[3;3Hin\x1b[44mside\x1b[K"
    with TmuxOracle(tmp_path) as tmux:
        for more in ("", "\x1b[?1049h\x1b[2Jalternate\x1b[1;7mx", "\x1b[?6l\x1b[10H" + "y" * 80):
            screen = Screen(80, 24)
            ByteStream(screen).feed((data + more).encode())
            first, second = (tmux.picture(sent, 80, 24) for sent in ((data + more).encode(), repaint(screen, 50)))
            assert (second.lines, second.cursor) == (first.lines, first.cursor)
            one, other = (
                drawn(("\x1b)0" + "\r\n".join(picture.styled)).encode(), 81, 24).rows for picture in (first, second)
            )
            assert [looks(row) for row in one] == [looks(row) for row in other]
