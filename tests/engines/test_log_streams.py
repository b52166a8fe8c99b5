"""The log stream's bytes into lines, however they were cut."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.domain.engine import LogLine
from backend.engines.streams import MAX_LINE_BYTES, FrameDemultiplexer, LogDecoder
from backend.engines.timestamps import parse_timestamp, unix_text

STAMP = b"2026-01-02T03:04:05.678901234Z "
AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def frame(stream: int, payload: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(payload).to_bytes(4, "big") + payload


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:stop] for start, stop in pairwise(edges)]


def decode(parts: list[bytes], *, terminal: bool = False) -> list[LogLine]:
    decoder = LogDecoder(terminal=terminal)
    return [line for part in parts for line in decoder.feed(part)] + decoder.finish()


messages = st.lists(
    st.tuples(
        st.sampled_from([1, 2]),
        st.one_of(st.binary(max_size=60), st.text(max_size=30).map(str.encode)).map(lambda b: b.replace(b"\n", b"")),
        st.booleans(),
    ),
    max_size=12,
)
places = st.lists(st.integers(min_value=0, max_value=2000), max_size=20)


@given(messages, places)
def test_any_split_gives_the_same_frames(items: list[tuple[int, bytes, bool]], where: list[int]) -> None:
    data = b"".join(frame(stream, payload) for stream, payload, _ in items)
    demultiplexer = FrameDemultiplexer()
    found = [one for part in cut(data, where) for one in demultiplexer.feed(part)]
    assert found == [(stream, payload) for stream, payload, _ in items]


@given(messages, places)
def test_any_split_gives_the_same_lines(items: list[tuple[int, bytes, bool]], where: list[int]) -> None:
    data = b"".join(frame(stream, STAMP + text + (b"\n" if ends else b"")) for stream, text, ends in items)
    assert decode(cut(data, where)) == decode([data])
    for stream, name in ((1, "stdout"), (2, "stderr")):
        whole = b"".join(text + (b"\n" if ends else b"") for number, text, ends in items if number == stream)
        lines = [line.text for line in decode([data]) if line.stream == name]
        expected = [part.decode("utf-8", "replace").rstrip("\r") for part in whole.split(b"\n")]
        # an empty rest at the end is a line only where a message began it
        assert [text for line in lines if (text := line.rstrip("\r"))] == [text for text in expected if text]


@given(st.lists(st.text(st.characters(exclude_characters="\n\r", codec="utf-8"), max_size=30), max_size=8), places)
def test_a_terminals_stream_has_no_frames(texts: list[str], where: list[int]) -> None:
    data = b"".join(STAMP + text.encode() + b"\r\n" for text in texts)
    assert decode(cut(data, where), terminal=True) == [LogLine(AT, "stdout", text) for text in texts]


def test_a_long_line_comes_in_several_frames_and_keeps_its_characters() -> None:
    text = "é" * 5000
    raw = text.encode()
    data = frame(1, STAMP + raw[:4001]) + frame(2, STAMP + b"between\n") + frame(1, STAMP + raw[4001:] + b"\n")
    assert decode([data]) == [LogLine(AT, "stderr", "between"), LogLine(AT, "stdout", text)]


@pytest.mark.parametrize("terminal", [False, True])
def test_a_line_without_end_does_not_fill_the_memory(terminal: bool) -> None:
    decoder = LogDecoder(terminal=terminal)
    part = b"x" * 16384
    lines = []
    for _ in range(40):
        lines += decoder.feed(part if terminal else frame(1, STAMP + part))
    assert len(lines) == 2 and all(len(line.text) <= MAX_LINE_BYTES + 16384 for line in lines)


def test_what_has_no_newline_is_a_line_at_the_end() -> None:
    assert decode([frame(1, STAMP + b"no newline")]) == [LogLine(AT, "stdout", "no newline")]
    assert decode([STAMP + b"no newline"], terminal=True) == [LogLine(AT, "stdout", "no newline")]


def test_a_text_that_only_looks_like_a_timestamp_stays() -> None:
    looks = b"2026-99-99T99:99:99.999999999Z text"
    (line,) = decode([frame(1, looks + b"\n")])
    assert line.text == looks.decode()


@pytest.mark.parametrize(
    ("text", "micro"),
    [
        ("2026-01-02T03:04:05.678901234Z", 678901),
        ("2026-01-02T03:04:05Z", 0),
        ("2026-01-02T03:04:05.5Z", 500000),
        ("2026-01-02T05:04:05.25+02:00", 250000),
    ],
)
def test_timestamps_have_up_to_nine_digits(text: str, micro: int) -> None:
    assert parse_timestamp(text) == AT.replace(microsecond=micro)


def test_the_engines_zero_time_is_no_time() -> None:
    assert parse_timestamp("0001-01-01T00:00:00Z") is None
    with pytest.raises(ValueError):
        parse_timestamp("yesterday")


def test_times_go_out_with_all_their_digits() -> None:
    assert unix_text(AT) == f"{int(AT.timestamp())}.678901000"
    assert unix_text(AT, 999) == f"{int(AT.timestamp())}.678901999"
