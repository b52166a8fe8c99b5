"""What a WebSocket's messages mean, without a WebSocket."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Opcode

from backend.domain.terminals import EndReason, TerminalEnd
from backend.terminals.web_frames import BinaryFrames, DevPocketFrames

END = TerminalEnd(EndReason.EXITED, 3, "the process ended with code 3")


def test_bytes_go_as_they_are_and_control_as_text() -> None:
    frames = BinaryFrames()
    assert list(frames.output(b"\xff\0")) == [(Opcode.BINARY, b"\xff\0")]
    assert frames.input(b"\xff\0", False) == b"\xff\0"
    assert frames.input(b'{"type": "resize", "columns": 120, "rows": 40}', True) == (120, 40)
    [(opcode, told)] = frames.end(END, 1000)
    assert (opcode, json.loads(told)["code"], json.loads(told)["reason"]) == (Opcode.TEXT, 3, "exited")


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "[]", "null", "{}", '{"type": "resize"}', '{"type": "resize", "columns": 0, "rows": 24}',
        '{"type": "resize", "columns": 80, "rows": 1001}', '{"type": "resize", "columns": true, "rows": 24}',
        '{"type": "resize", "columns": "80", "rows": 24}', '{"type": "dance", "columns": 80, "rows": 24}',
        "[" * 100_000, "\\ud800",
    ],
)  # fmt: skip
def test_what_is_no_resize_is_not_understood(text: str) -> None:
    assert BinaryFrames().input(text.encode(), True) is None
    assert DevPocketFrames().input(text.replace("columns", "cols").encode(), True) is None


def test_the_documents_messages() -> None:
    frames = DevPocketFrames()
    assert frames.input('{"type":"input","data":"é\\n"}'.encode(), True) == "é\n".encode()
    assert frames.input(b'{"type":"resize","cols":80,"rows":24}', True) == (80, 24)
    assert frames.input(b'{"type":"ping"}', True) == (Opcode.TEXT, b'{"type":"pong"}')
    for wrong in (b'{"type":"input"}', b'{"type":"input","data":1}', b'{"type":"input","data":"\\ud800"}', b"\xff"):
        assert frames.input(wrong, True) is None
    assert list(frames.end(END, 1000)) == []
    [(_, told)] = frames.end(END, 4400)
    assert json.loads(told) == {"type": "error", "message": END.message}


@given(text=st.text(), cuts=st.lists(st.integers(0, 400), max_size=8))
def test_characters_cut_in_two_are_whole(text: str, cuts: list[int]) -> None:
    data, frames = text.encode(), DevPocketFrames()
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    sent = [
        json.loads(payload)["data"] for start, end in pairwise(edges) for _, payload in frames.output(data[start:end])
    ]
    assert "".join(sent) == text


def test_bytes_that_are_no_character_are_shown_as_such_at_the_end_too() -> None:
    frames = DevPocketFrames()
    assert [json.loads(payload)["data"] for _, payload in frames.output(b"a\xff\xe2\x82")] == ["a\ufffd"]
    assert [json.loads(payload)["data"] for _, payload in frames.end(END, 1000)] == ["\ufffd"]


def test_a_large_screen_goes_in_messages_that_clients_take() -> None:
    data = "\x1b€".encode() * 100_000
    sent = list(BinaryFrames().output(data))
    assert b"".join(payload for _, payload in sent) == data
    texts = list(DevPocketFrames().output(data))
    assert "".join(json.loads(payload)["data"] for _, payload in texts) == data.decode()
    assert all(len(payload) < 2**20 for _, payload in (*sent, *texts))
