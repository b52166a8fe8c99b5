"""How panes share a rectangle: a tree of splits, and the arithmetic on it. No screen, no state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

Axis = Literal["row", "column"]
"""`row` puts two panes side by side, `column` one above the other."""

Direction = Literal["left", "right", "up", "down"]

LEAST_COLUMNS = 8
LEAST_ROWS = 3
"""No pane is made smaller than this by a split or by a resize; a small window may make it so."""


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle in cells."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Split:
    """Two parts along an axis. `share` is what the first one gets, above 0 and below 1."""

    axis: Axis
    first: Node
    second: Node
    share: float = 0.5


Node = str | Split
"""A pane by its name, or a split of two nodes."""

Path = tuple[bool, ...]
"""The way from the root to a split: False is the first part, True the second."""


@dataclass(frozen=True, slots=True)
class Border:
    """The line between the two parts of a split: a column of cells for a `row`; a `column` split has no line of its
    own, its place is the first row of the second part."""

    path: Path
    axis: Axis
    area: Area


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Where everything is."""

    panes: Mapping[str, Area]
    borders: tuple[Border, ...]


def leaves(node: Node) -> list[str]:
    """The panes, first parts first."""
    return [node] if isinstance(node, str) else leaves(node.first) + leaves(node.second)


def divided(node: Node, pane: str, new: str, axis: Axis) -> Node:
    """The tree with `new` to the right of `pane`, or below it. Raises KeyError where there is no such pane."""
    if isinstance(node, str):
        if node != pane:
            raise KeyError(pane)
        return Split(axis, pane, new)
    if pane in leaves(node.first):
        return replace(node, first=divided(node.first, pane, new, axis))
    return replace(node, second=divided(node.second, pane, new, axis))


def without(node: Node, pane: str) -> Node | None:
    """The tree less a pane, whose neighbour takes its room; None where it was the last one."""
    if isinstance(node, str):
        return None if node == pane else node
    first, second = without(node.first, pane), without(node.second, pane)
    if first is None or second is None:
        return first if second is None else second
    return replace(node, first=first, second=second)


def arranged(node: Node, area: Area) -> Arrangement:
    """Gives every pane its place; all places are at least one cell large as long as the area allows."""
    panes: dict[str, Area] = {}
    borders: list[Border] = []
    _arrange(node, area, (), panes, borders)
    return Arrangement(panes, tuple(borders))


def _arrange(node: Node, area: Area, path: Path, panes: dict[str, Area], borders: list[Border]) -> None:
    if isinstance(node, str):
        panes[node] = area
        return
    first, border, second = _parts(node, area)
    borders.append(Border(path, node.axis, border))
    _arrange(node.first, first, (*path, False), panes, borders)
    _arrange(node.second, second, (*path, True), panes, borders)


def _parts(split: Split, area: Area) -> tuple[Area, Area, Area]:
    """First part, border, second part."""
    x, y = area.x, area.y
    if split.axis == "row":
        room = max(0, area.width - 1)
        size = _bounded(round(room * split.share), room)
        return (
            Area(x, y, size, area.height),
            Area(x + size, y, min(1, area.width), area.height),
            Area(x + size + 1, y, room - size, area.height),
        )
    size = _bounded(round(area.height * split.share), area.height)
    second = Area(x, y + size, area.width, area.height - size)
    return Area(x, y, area.width, size), Area(x, y + size, area.width, min(1, second.height)), second


def _bounded(size: int, room: int) -> int:
    """At least a cell for both parts."""
    return max(min(size, room - 1), min(1, room), 0)


def fits(area: Area, axis: Axis) -> bool:
    """Whether a pane of this size can be split."""
    if axis == "row":
        return area.width >= 2 * LEAST_COLUMNS + 1
    return area.height >= 2 * LEAST_ROWS


def neighbour(panes: Mapping[str, Area], pane: str, direction: Direction) -> str | None:
    """The pane on that side: of those that touch it, the one that overlaps most. None at the edge."""
    here = panes[pane]
    best, most = None, 0
    for name, area in panes.items():
        if name == pane:
            continue
        if direction in ("left", "right"):
            overlap = min(here.y + here.height, area.y + area.height) - max(here.y, area.y)
            gap = area.x - (here.x + here.width) if direction == "right" else here.x - (area.x + area.width)
        else:
            overlap = min(here.x + here.width, area.x + area.width) - max(here.x, area.x)
            gap = area.y - (here.y + here.height) if direction == "down" else here.y - (area.y + area.height)
        if 0 <= gap <= 1 and overlap > most:
            best, most = name, overlap
    return best


def moved(node: Node, area: Area, path: Path, place: int) -> Node:
    """The tree with the border of the split at `path` at that column (row) of the whole area, as far as the panes
    beside it stay large enough."""
    if path and isinstance(node, Split):
        first, _, second = _parts(node, area)
        if path[0]:
            return replace(node, second=moved(node.second, second, path[1:], place))
        return replace(node, first=moved(node.first, first, path[1:], place))
    if isinstance(node, str):
        return node
    across = node.axis == "row"
    room = area.width - 1 if across else area.height
    least = LEAST_COLUMNS if across else LEAST_ROWS
    low, high = least * _most_along(node.first, node.axis), room - least * _most_along(node.second, node.axis)
    if room < 2 or low > high:
        return node
    size = min(max(place - (area.x if across else area.y), low), high)
    return replace(node, share=size / room)


def _most_along(node: Node, axis: Axis) -> int:
    """How many panes stand one behind the other along an axis."""
    if isinstance(node, str):
        return 1
    first, second = _most_along(node.first, axis), _most_along(node.second, axis)
    return first + second if node.axis == axis else max(first, second)


def stretched(node: Node, area: Area, pane: str, direction: Direction, cells: int) -> Node:
    """The tree with a border of `pane` moved that way: its right (lower) one, or where that is the edge of the whole,
    its left (upper) one. Without any border along that axis the tree stays as it is."""
    axis: Axis = "row" if direction in ("left", "right") else "column"
    step = cells if direction in ("right", "down") else -cells
    before: Border | None = None
    after: Border | None = None
    way = _way(node, pane)
    for border in arranged(node, area).borders:
        if border.axis != axis:
            continue
        depth = len(border.path)
        if way[:depth] != border.path or len(way) <= depth:
            continue
        # The deepest split on the way is the border that touches the pane.
        if way[depth]:
            before = border
        else:
            after = border
    chosen = after or before
    if chosen is None:
        return node
    place = chosen.area.x if axis == "row" else chosen.area.y
    return moved(node, area, chosen.path, place + step)


def _way(node: Node, pane: str) -> Path:
    """The way from the root to a pane. Raises KeyError where there is no such pane."""
    if isinstance(node, str):
        if node != pane:
            raise KeyError(pane)
        return ()
    if pane in leaves(node.first):
        return (False, *_way(node.first, pane))
    return (True, *_way(node.second, pane))
