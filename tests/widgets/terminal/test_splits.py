"""The tree of splits: every cell has one owner, and borders move only as far as they may."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from widgets.terminal.splits import (
    LEAST_COLUMNS,
    LEAST_ROWS,
    Area,
    Axis,
    Node,
    Split,
    arranged,
    divided,
    fits,
    leaves,
    moved,
    neighbour,
    stretched,
    without,
)

SCREEN = Area(0, 0, 80, 23)


def three() -> Node:
    """`a` on the left, `b` over `c` on the right."""
    return divided(divided("a", "a", "b", "row"), "b", "c", "column")


def test_panes_share_the_area_with_a_column_between() -> None:
    found = arranged(three(), SCREEN).panes
    assert found["a"] == Area(0, 0, 40, 23)
    assert found["b"] == Area(41, 0, 39, 12)
    assert found["c"] == Area(41, 12, 39, 11)


def test_a_closed_pane_leaves_its_room_to_its_neighbour() -> None:
    tree = without(three(), "b")
    assert tree is not None
    assert arranged(tree, SCREEN).panes["c"] == Area(41, 0, 39, 23)
    alone = without(tree, "a")
    assert alone == "c"
    assert without("c", "c") is None


def test_the_neighbour_is_the_one_that_overlaps_most() -> None:
    panes = arranged(three(), SCREEN).panes
    assert neighbour(panes, "a", "right") == "b"
    assert neighbour(panes, "c", "left") == "a"
    assert neighbour(panes, "c", "up") == "b"
    assert neighbour(panes, "a", "left") is None
    assert neighbour(panes, "a", "down") is None


def test_a_border_moves_and_stops_where_a_pane_would_be_too_small() -> None:
    tree = stretched(three(), SCREEN, "a", "right", 5)
    assert arranged(tree, SCREEN).panes["a"].width == 45
    tree = stretched(tree, SCREEN, "c", "left", 100)
    assert arranged(tree, SCREEN).panes["a"].width == LEAST_COLUMNS
    tree = stretched(tree, SCREEN, "b", "down", 100)
    assert arranged(tree, SCREEN).panes["c"].height == LEAST_ROWS
    assert stretched(tree, SCREEN, "a", "up", 2) == tree


def test_a_border_of_an_inner_split_is_moved_by_its_place_on_the_whole_area() -> None:
    tree = three()
    (border,) = [border for border in arranged(tree, SCREEN).borders if border.axis == "column"]
    tree = moved(tree, SCREEN, border.path, 6)
    panes = arranged(tree, SCREEN).panes
    assert (panes["b"].height, panes["c"].y) == (6, 6)


def test_what_is_too_small_cannot_be_split() -> None:
    assert fits(Area(0, 0, 17, 3), "row")
    assert not fits(Area(0, 0, 16, 3), "row")
    assert not fits(Area(0, 0, 80, 5), "column")


@st.composite
def trees(draw: st.DrawFn) -> Node:
    tree: Node = "p0"
    for number in range(1, draw(st.integers(1, 9))):
        axis: Axis = draw(st.sampled_from(["row", "column"]))
        tree = divided(tree, draw(st.sampled_from(leaves(tree))), f"p{number}", axis)
    return tree


def _cells(tree: Node, area: Area) -> list[tuple[int, int]]:
    found = arranged(tree, area)
    places = [*found.panes.values(), *(border.area for border in found.borders if border.axis == "row")]
    return [
        (x, y) for place in places for x in range(place.x, place.x + place.width)
        for y in range(place.y, place.y + place.height)
    ]  # fmt: skip


@settings(max_examples=60, derandomize=True, deadline=None)
@given(trees(), st.integers(1, 90), st.integers(1, 40), st.data())
def test_every_cell_has_exactly_one_owner_whatever_is_done(
    tree: Node, width: int, height: int, data: st.DataObject
) -> None:
    area = Area(0, 0, width, height)
    for _ in range(data.draw(st.integers(0, 4))):
        pane = data.draw(st.sampled_from(leaves(tree)))
        direction = data.draw(st.sampled_from(["left", "right", "up", "down"]))
        tree = stretched(tree, area, pane, direction, data.draw(st.integers(1, 50)))
    cells = _cells(tree, area)
    assert len(cells) == len(set(cells)) == width * height
    for pane in leaves(tree)[:-1]:
        smaller = without(tree, pane)
        assert smaller is not None
        tree = smaller
    assert isinstance(tree, str)


def test_shares_stay_sound_after_many_moves() -> None:
    tree: Node = three()
    for step in range(50):
        tree = stretched(tree, SCREEN, "a", "right" if step % 3 else "left", step)
    assert isinstance(tree, Split)
    assert 0 < tree.share < 1
