"""What waits to be sent, and pastes that are cut up."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from widgets.terminal.outbox import PIECE, Outbox, Paste


def drained(outbox: Outbox) -> list[bytes]:
    pieces: list[bytes] = []
    while piece := outbox.take():
        pieces.append(piece)
    return pieces


def encode_paste(text: str, *, bracketed: bool) -> str:
    """All of it at once."""
    lines = text.replace("\r\n", "\r").replace("\n", "\r")
    shown = "".join(char for char in lines if char in "\t\r" or (char >= " " and not "\x7f" <= char <= "\x9f"))
    return f"\x1b[200~{shown}\x1b[201~" if bracketed else shown


@settings(max_examples=200, derandomize=True, deadline=None)
@given(
    start=st.integers(0, 4).map(lambda short: "x" * (PIECE - short)),
    text=st.text(st.sampled_from("a漢\r\n\t\x1b\x03\x9b[201~"), max_size=40),
    bracketed=st.booleans(),
)
def test_pieces_make_the_same_as_the_whole(start: str, text: str, bracketed: bool) -> None:
    outbox = Outbox()
    outbox.put_paste(Paste(start + text, bracketed=bracketed))
    assert b"".join(drained(outbox)) == encode_paste(start + text, bracketed=bracketed).encode()
    assert not outbox


def test_a_bracket_cannot_be_ended_from_within() -> None:
    outbox = Outbox()
    outbox.put_paste(Paste("one\x1b[201~\x9b201~two", bracketed=True))
    assert drained(outbox) == [b"\x1b[200~one[201~201~two\x1b[201~"]


def test_order_is_kept() -> None:
    outbox = Outbox()
    outbox.put(b"before ")
    outbox.put_paste(Paste("paste", bracketed=False))
    outbox.put(b" after")
    assert b"".join(drained(outbox)) == b"before paste after"


def test_a_paste_is_cut_up_only_as_it_is_taken() -> None:
    outbox = Outbox()
    outbox.put_paste(Paste("y" * 10 * PIECE, bracketed=True))
    assert len(outbox.take()) == PIECE + 6
    assert outbox.pasting == 9 * PIECE


def test_stopping_closes_the_bracket_and_keeps_keys() -> None:
    outbox = Outbox()
    outbox.put_paste(Paste("y" * 10 * PIECE, bracketed=True))
    outbox.put(b"k")
    outbox.take()
    outbox.stop_pastes()
    assert drained(outbox) == [b"\x1b[201~k"]
    outbox.put_paste(Paste("never begun", bracketed=True))
    outbox.stop_pastes()
    assert drained(outbox) == []


def test_nothing_but_control_characters_is_nothing() -> None:
    outbox = Outbox()
    outbox.put_paste(Paste("\x1b" * 3 * PIECE, bracketed=False))
    assert drained(outbox) == []
    outbox.put_paste(Paste("", bracketed=True))
    assert drained(outbox) == [b"\x1b[200~\x1b[201~"]


def test_text_that_is_no_unicode_is_sent_as_question_marks() -> None:
    outbox = Outbox()
    outbox.put_paste(Paste("a\ud800b", bracketed=False))
    assert drained(outbox) == [b"a?b"]
