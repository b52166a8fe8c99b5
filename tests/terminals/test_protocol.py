"""Frames and questions, without a holder."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.terminals.protocol import (
    DATA,
    JSON,
    MAX_DATA,
    MAX_PAYLOAD,
    FrameDecoder,
    ProtocolFault,
    data_frame,
    json_frame,
    read_json,
)
from backend.terminals.queries import begun_query, split_queries

FRAMES = st.lists(st.one_of(st.binary(max_size=300), st.dictionaries(st.text(max_size=5), st.integers(), max_size=3)))


@given(frames=FRAMES, cuts=st.lists(st.integers(0, 4000), max_size=20))
def test_frames_arrive_as_they_were_however_they_are_cut(frames: list[object], cuts: list[int]) -> None:
    sent = b"".join(data_frame(one) if isinstance(one, bytes) else json_frame(one) for one in frames)  # type: ignore[arg-type]
    decoder = FrameDecoder()
    edges = sorted({0, len(sent), *(cut for cut in cuts if cut < len(sent))})
    found = [frame for at, end in pairwise(edges) for frame in decoder.feed(sent[at:end])]
    assert [kind for kind, _ in found] == [DATA if isinstance(one, bytes) else JSON for one in frames]
    assert [payload if kind == DATA else read_json(payload) for kind, payload in found] == frames


def test_long_output_is_cut_into_frames() -> None:
    data = bytes(range(256)) * 1000
    frames = FrameDecoder().feed(data_frame(data))
    assert all(len(payload) <= MAX_DATA for _, payload in frames)
    assert b"".join(payload for _, payload in frames) == data


@pytest.mark.parametrize("junk", [b"\xff" * 9, b"\0\0\0\1\2x", b"GET / HTTP/1.1\r\n"])
def test_junk_is_a_fault_at_once(junk: bytes) -> None:
    with pytest.raises(ProtocolFault):
        FrameDecoder().feed(junk)


@pytest.mark.parametrize("payload", [b"", b"[1]", b"{", b"\xff", b'"x"'])
def test_a_control_message_is_an_object(payload: bytes) -> None:
    with pytest.raises(ProtocolFault):
        read_json(payload)


def test_a_message_that_is_too_long_is_not_sent() -> None:
    with pytest.raises(ProtocolFault):
        json_frame({"text": "x" * MAX_PAYLOAD})


QUESTIONS = [
    b"\x1b[c", b"\x1b[0c", b"\x1b[>c", b"\x1b[=0c", b"\x1b[5n", b"\x1b[6n", b"\x1b[?6n", b"\x1b[?996n", b"\x1bZ",
    b"\x1b[?2004$p", b"\x1b[4$p", b"\x1b[>q", b"\x1b[>0q", b"\x1b[18t", b"\x1b[14;2t", b"\x1b[?u", b"\x1b[x",
    b"\x1b]10;?\x07", b"\x1b]11;?\x1b\\", b"\x1b]4;1;?\x07", b"\x1b]52;c;?\x07", b"\x1bP$qm\x1b\\",
    b"\x1bP+q544e\x1b\\",
]  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS)
def test_questions_are_found(question: bytes) -> None:
    assert list(split_queries(b"before" + question + b"after")) == [(b"before", question), (b"after", b"")]
    for cut in range(1, len(question)):
        begun = b"text" + question[:cut]
        assert begun_query(begun) == 4, f"{begun!r} may become a question"


OTHERS = [
    b"\x1b[1;31m", b"\x1b[2J", b"\x1b[10;20H", b"\x1b[?1049h", b"\x1b[22;0;0t", b"\x1b[8;24;80t", b"\x1b[u",
    b"\x1b[>1u",
    b"\x1b[2 q", b"\x1b[!p", b"\x1b]0;a title?\x07", b"\x1b]10;#ffffff\x07", b"\x1b]52;c;aGk=\x07", b"\x1b7", b"\x1b(B",
    b"\x1bPq#0;2;0;0;0#0!10~-\x1b\\",
]  # fmt: skip


@pytest.mark.parametrize("other", OTHERS)
def test_all_else_is_none(other: bytes) -> None:
    data = b"before" + other + b"after"
    assert list(split_queries(data)) == [(data, b"")]
    assert begun_query(data) == len(data)


@given(data=st.binary(max_size=2000))
def test_nothing_is_lost_in_any_output(data: bytes) -> None:
    assert b"".join(plain + question for plain, question in split_queries(data)) == data
    assert 0 <= begun_query(data) <= len(data)
