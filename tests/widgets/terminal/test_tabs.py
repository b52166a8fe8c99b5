"""Tabs: whatever is opened, split, moved and closed, every terminal is in one tab, and one is in front."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from widgets.terminal.tabs import Tabs


def sound(tabs: Tabs, panes: set[str]) -> None:
    """What must hold at any time."""
    assert sorted(tabs.panes) == sorted(panes)
    assert all(tab.panes and tab.active in tab.panes for tab in tabs)
    assert all(not tab.zoomed or len(tab.panes) > 1 for tab in tabs)
    assert (tabs.front is None) == (not panes)
    assert 0 <= tabs.at < max(1, len(tabs))


def test_a_new_tab_comes_beside_the_one_in_front() -> None:
    tabs = Tabs()
    for name in ("a", "b"):
        tabs.add(name)
    tabs.turn_to(0)
    tabs.add("c")
    assert [tab.tree for tab in tabs] == ["a", "c", "b"]
    assert tabs.front is not None
    assert tabs.front.active == "c"
    assert not tabs.turn_to(3)
    assert not tabs.move(-1)


def test_closing_the_last_tab_shows_the_one_before() -> None:
    tabs = Tabs()
    for name in ("a", "b"):
        tabs.add(name)
    tabs.remove("b")
    assert tabs.front is not None
    assert tabs.front.active == "a"
    tabs.remove("a")
    assert tabs.front is None
    with pytest.raises(KeyError):
        tabs.holding("a")
    with pytest.raises(KeyError):
        tabs.divide("c", "row")


@settings(max_examples=80, derandomize=True, deadline=None)
@given(st.data())
def test_nothing_is_lost_or_doubled(data: st.DataObject) -> None:
    tabs, panes = Tabs(), set[str]()
    for number in range(data.draw(st.integers(1, 25))):
        deed = data.draw(st.sampled_from(["add", "divide", "remove", "show", "part", "move", "turn", "zoom"]))
        name = f"p{number}"
        if deed == "add" or not panes:
            tabs.add(name)
            panes.add(name)
        elif deed == "divide":
            tabs.divide(name, data.draw(st.sampled_from(["row", "column"])))
            panes.add(name)
        elif deed in ("remove", "show", "part"):
            chosen = data.draw(st.sampled_from(sorted(panes)))
            getattr(tabs, deed)(chosen)
            if deed == "remove":
                panes.discard(chosen)
        elif deed == "zoom":
            assert tabs.front is not None
            tabs.front.zoomed = len(tabs.front.panes) > 1
        else:
            getattr(tabs, {"move": "move", "turn": "turn_to"}[deed])(data.draw(st.integers(-2, 9)))
        sound(tabs, panes)
