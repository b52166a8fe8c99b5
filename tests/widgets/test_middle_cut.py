"""Names are cut in the middle, and two different names never look alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from widgets.middle_cut import middle_cut, middle_cuts

LABELS = st.text("ab-1é界", min_size=1, max_size=40)


def test_a_short_name_stays() -> None:
    assert middle_cut("api", 10) == "api"


def test_a_long_name_keeps_both_ends() -> None:
    assert middle_cut("my-very-long-deployment-api-2", 16) == "my-very-…t-api-2"


def test_names_that_differ_at_the_ends_keep_the_width() -> None:
    names = [f"my-very-long-deployment-api-{i}" for i in range(30)]
    cuts = middle_cuts(names, 14)
    assert len(set(cuts)) == 30 and max(map(cell_len, cuts)) == 14


def test_names_that_differ_in_the_middle_are_cut_around_the_difference() -> None:
    names = ["customer-facing-production-eu-west-web", "customer-facing-acceptance-eu-west-web"]
    cuts = middle_cuts(names, 16)
    assert cuts[0] != cuts[1]
    assert max(map(cell_len, cuts)) == 16


def test_where_no_cut_of_the_width_can_tell_them_apart_the_shortest_that_can_is_taken() -> None:
    names = ["a" * 20 + x + "b" * 20 + y + "c" * 20 for x in "12" for y in "34"]
    cuts = middle_cuts(names, 5)
    assert len(set(cuts)) == 4
    assert 5 < max(map(cell_len, cuts)) < 62


@pytest.mark.parametrize("width", [0, 1, 2])
def test_tiny_widths_do_not_fail(width: int) -> None:
    assert cell_len(middle_cut("abcdef", width)) <= width
    assert len(set(middle_cuts(["abcdef", "abcxef"], width))) == 2


@given(st.lists(LABELS, max_size=12), st.integers(1, 30))
def test_different_names_never_look_alike(names: list[str], width: int) -> None:
    cuts = middle_cuts(names, width)
    assert len(cuts) == len(names)
    assert len(set(cuts)) == len(set(names))
    assert dict(zip(names, cuts, strict=True)) == dict(zip(names, middle_cuts(names, width), strict=True))


@given(LABELS, st.integers(0, 30))
def test_a_lone_cut_never_exceeds_the_width(name: str, width: int) -> None:
    assert cell_len(middle_cut(name, width)) <= width
