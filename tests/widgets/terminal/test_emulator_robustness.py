"""Nothing that is fed raises or grows, and no split of it matters."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.widgets.terminal.programs import PROGRAMS, SIZES
from widgets.terminal.emulator import ByteStream, Screen
from widgets.terminal.emulator.stream import MAX_SEQUENCE, MAX_STRING


def state(screen: Screen) -> object:
    rows = [(row.shown(), [(a, b, repr(look)) for a, b, look in row.runs()], row.wrapped) for row in screen.rows]
    cursor = (screen.cursor.x, screen.cursor.y, screen.cursor.hidden, repr(screen.pen))
    told = (screen.title, screen.directory, screen.palette, screen.progress, screen.keyboard_flags)
    marks = [row.marks for row in screen.rows]
    return rows, cursor, sorted(screen.mode), screen.history_total, screen.margins, screen.sided, told, marks


def check_whole(screen: Screen) -> None:
    assert len(screen.rows) == screen.lines
    assert 0 <= screen.cursor.x <= screen.columns and 0 <= screen.cursor.y < screen.lines
    for row in screen.rows:
        assert len(row.text) <= screen.columns
        assert row.styles is None or len(row.styles) == len(row.text)
    assert len(screen.display) == screen.lines and screen.buffer is not None


@settings(max_examples=300, derandomize=True, deadline=None)
@given(data=PROGRAMS, size=SIZES, steps=st.lists(st.integers(1, 9), min_size=1, max_size=20))
def test_no_split_matters(data: bytes, size: tuple[int, int], steps: list[int]) -> None:
    whole, split = Screen(*size, 20), Screen(*size, 20)
    ByteStream(whole).feed(data)
    stream, at, turn = ByteStream(split), 0, 0
    while at < len(data):
        step = steps[turn % len(steps)]
        stream.feed(data[at : at + step])
        at, turn = at + step, turn + 1
    assert state(whole) == state(split)
    check_whole(whole)


@settings(max_examples=150, derandomize=True, deadline=None)
@given(
    parts=st.lists(st.tuples(PROGRAMS, st.tuples(st.integers(1, 40), st.integers(1, 100))), max_size=4),
    size=SIZES,
)
def test_resizing_in_the_middle_never_breaks_it(
    parts: list[tuple[bytes, tuple[int, int]]], size: tuple[int, int]
) -> None:
    screen = Screen(*size, 20)
    stream = ByteStream(screen)
    for data, (lines, columns) in parts:
        stream.feed(data)
        screen.resize(lines, columns)
        check_whole(screen)


@settings(max_examples=150, derandomize=True, deadline=None)
@given(data=st.binary(max_size=2000))
def test_random_bytes(data: bytes) -> None:
    screen = Screen(20, 6, 20)
    ByteStream(screen).feed(data)
    check_whole(screen)


def test_strings_and_sequences_without_an_end_are_bounded() -> None:
    screen = Screen(20, 4)
    stream = ByteStream(screen)
    stream.feed(b"\x1b]2;")
    for _ in range(40):
        stream.feed(b"x" * 65536)
    assert stream._string_size > MAX_STRING and sum(map(len, stream._string)) <= MAX_STRING
    stream.feed(b"\x07shown\r\n")
    assert screen.title == "" and screen.display[0].startswith("shown")
    for start in (b"\x1b[", b"\x1b"):
        stream.feed(start)
        for _ in range(200):
            stream.feed(b" " * 1000)
        assert len(stream._tail) <= MAX_SEQUENCE + 4
        stream.feed(b"mB")
    assert screen.display[1].strip() == "BB"


def test_long_sequences_act_the_same_in_one_piece_and_in_many() -> None:
    for length in range(MAX_SEQUENCE - 4, MAX_SEQUENCE + 5):
        data = b"\x1b[" + b"0" * (length - 2) + b"31mx\x1b[" + b"1;" * (length // 2) + b"1Hy"
        whole, split = Screen(10, 3), Screen(10, 3)
        ByteStream(whole).feed(data)
        stream = ByteStream(split)
        for at in range(len(data)):
            stream.feed(data[at : at + 1])
        assert state(whole) == state(split)


def test_long_text_of_any_width_takes_time_in_proportion_to_its_length() -> None:
    for tail in ("", "\u3000", "\u0301", "\u200d", "\xad", "\x07", "\x1b"):
        for body in ("a" * 1000, "漢" * 1000, "a漢" * 1000, "\x1b[31ma漢\x1b[m" * 500):
            for end in ("", "\r\n"):
                screen = Screen(80, 24)
                ByteStream(screen).feed((body + tail + end).encode() * 3)
                check_whole(screen)


def test_a_full_scrollback_is_small() -> None:
    lines = [
        b"".join(b"\x1b[38;5;%dm%s \x1b[0;1m%d\x1b[m " % (part * 9 % 256, b"word" * 3, number) for part in range(9))
        for number in range(3000)
    ]
    data = b"\r\n".join(lines)
    screen = Screen(200, 50)
    tracemalloc.start()
    ByteStream(screen).feed(data)
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert screen.history_total == 2950 and used < 2_000 * 3000
    again = Screen(200, 50, scrollback=100)
    ByteStream(again).feed(data)
    assert len(again.history) == 100 and again.history_total == 2950


def test_the_emulator_needs_no_textual() -> None:
    code = "import sys, widgets.terminal.emulator as e; print('textual' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
