"""Searching bit by bit finds what searching at once does, while output goes on."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.widgets.terminal.test_emulator_faults import fed
from widgets.terminal.emulator import Screen, Stream
from widgets.terminal.search import MOST_HITS, Search

WORDS = st.text(st.sampled_from("ab漢 "), max_size=30)


def found(screen: Screen, pattern: str) -> list[tuple[int, int]]:
    looked = Search(screen, pattern)
    asyncio.run(looked.update())
    return [start for start, _ in looked.hits]


@settings(max_examples=150, derandomize=True, deadline=None)
@given(
    first=st.lists(WORDS, max_size=30),
    later=st.lists(WORDS, max_size=30),
    pattern=st.sampled_from(["a", "ab", "漢", "b漢", "a "]),
)
def test_the_same_as_at_once(first: list[str], later: list[str], pattern: str) -> None:
    screen = Screen(10, 3, 20)
    stream = Stream(screen)
    looked = Search(screen, pattern)
    for lines in (first, later):
        for line in lines:
            stream.feed(line + "\r\n")
        asyncio.run(looked.update())
        assert [start for start, _ in looked.hits] == found(screen, pattern)


@pytest.mark.parametrize(
    ("text", "pattern", "cells"),
    [
        ("Alpha alpha", "alpha", [(0, 0), (0, 6)]),
        ("Alpha alpha", "Alpha", [(0, 0)]),
        ("a.c abc", "a.c", [(0, 0)]),
        ("x" * 18 + "needle", "needle", [(0, 18)]),
        ("cafe\u0301 now", "café", [(0, 0)]),
        ("漢字漢", "漢", [(0, 0), (0, 4)]),
        ("nothing", "", []),
    ],
)
def test_what_is_found(text: str, pattern: str, cells: list[tuple[int, int]]) -> None:
    assert found(fed(text, 20, 4), pattern) == cells


def test_a_line_that_goes_from_the_scrollback_to_the_screen() -> None:
    screen = fed("x" * 18 + "needle" + "y" * 50, 20, 3)
    assert screen.history_total == 1
    assert found(screen, "needle") == [(0, 18)]
    looked = Search(screen, "needle")
    asyncio.run(looked.update())
    looked.step((0, 0), back=False)
    assert looked.spans_on(0) == [(18, 20, True)] and looked.spans_on(1) == [(0, 4, True)]


def test_steps_go_round() -> None:
    screen = fed("a b a b a", 20, 2)
    looked = Search(screen, "a")
    asyncio.run(looked.update())
    assert [looked.step(cell, back=back) for cell, back in (((0, 0), False), ((0, 8), False), ((0, 0), True))] == [
        ((0, 4), (0, 4)),
        ((0, 0), (0, 0)),
        ((0, 8), (0, 8)),
    ]
    assert looked.place == (3, 3)


def test_what_left_the_scrollback_is_forgotten() -> None:
    screen = Screen(20, 3, 5)
    stream = Stream(screen)
    looked = Search(screen, "old")
    stream.feed("old\r\n" * 5)
    asyncio.run(looked.update())
    assert len(looked.hits) == 5
    stream.feed("new\r\n" * 6)
    asyncio.run(looked.update())
    assert [start[0] for start, _ in looked.hits] == [4]
    stream.feed("new\r\n" * 100)
    asyncio.run(looked.update())
    assert looked.hits == []


def test_of_very_many_hits_the_newest_are_kept() -> None:
    screen = fed("a" * 199 + "\r\n" + ("a" * 199 + "\r\n") * 1500, 200, 3, scrollback=2000)
    looked = Search(screen, "a")
    asyncio.run(looked.update())
    assert MOST_HITS <= len(looked.hits) <= 2 * MOST_HITS + 10_000
    assert looked.hits[-1][0] == (1500, 198)
