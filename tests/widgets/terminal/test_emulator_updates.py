"""Updates of full-screen programs: taken whole, they do what their sequences do one by one."""

from __future__ import annotations

import pytest
from hypothesis import given, seed

from tests.widgets.terminal.robustness import state_of
from tests.widgets.terminal.streams import Program, programs
from tests.widgets.terminal.test_emulator_fuzz import FIXED
from widgets.terminal.emulator import ByteStream, Screen

_FULL_SCREEN = b"\x1b[?1049h"


class _OneByOne(Screen):
    takes_updates = False


def _check_same(program: Program) -> None:
    whole, single = Screen(*program.size, 20), _OneByOne(*program.size, 20)
    updates, tokens = ByteStream(whole), ByteStream(single)
    for number, part in enumerate(program.parts):
        if number:
            columns, lines = program.sizes[number - 1]
            whole.resize(lines, columns)
            single.resize(lines, columns)
        whole.dirty.clear()
        single.dirty.clear()
        updates.feed(_FULL_SCREEN + part)
        tokens.feed(_FULL_SCREEN + part)
        assert state_of(whole) == state_of(single)
        assert whole.dirty == single.dirty
        assert updates.unfinished == tokens.unfinished


@FIXED
@seed(11)
@given(program=programs(hostile=False))
def test_what_programs_print_has_the_same_effect(program: Program) -> None:
    _check_same(program)


@FIXED
@seed(12)
@given(program=programs(hostile=True))
def test_what_no_program_prints_has_the_same_effect(program: Program) -> None:
    _check_same(program)


@pytest.mark.parametrize(
    "output",
    [
        b"\x1b[2;3Hab\x1b[1mcd\x1b[Kx\x1b[9Cy\r\nz\x1b[2dw\x1b[3X!\x1b[3b",
        b"\x1b[44m\x1b[2;18Habc\x1b[K\x1b[3Xd\x1b[20C\r\n\n\n\n\n\ne",
        b"a\x1b[1;2\x1b[3;3Hb\x1b[\x08Cc\x1b]0;t\x1b[5;5Hd\x07e",
        b"a\x1b]2;left open\x1b[2;2Hb\x1b\\c\x1bP\x1b[3;3Hd",
        b"\x1b[20ha\nb\x1b[20lc\nd\x1b[4h\x1b[1Ge\x1b[4lf\x1b[?6hg\x1b[2;4r\x1b[Hh",
        b"\x1b(0q\x1b[3;3Hq\x1b(Bq\x1b[2;2H\x0eq\x0fq\x1b[?69h\x1b[3;9s\x1b[1;1Hwords that wrap",
        "\x1b[2;2H漢字\x1b[2;3Hx\x1b[3;1He\u0301\x1b[1mé─\x1b[1;19H漢漢\x1b[Ks".encode(),
        b"\x1b[1:2H-\x1b[?1m\x1b[1m+\x1b[31\x1b[" + b"1;" * 600 + b"mlong\x1b[" + b"0" * 30 + b"4Cz",
        b"text\x1b[?1049lnormal\x1b[2;2H\x1b[?1049hagain\x1b[3;3Hthere\x1bcreset\x1b[2;2H!",
    ],
)
def test_sequences_among_text_have_the_same_effect(output: bytes) -> None:
    _check_same(Program((20, 6), (output, output), ((20, 6),)))
