"""Which terminals there are, in tabs, and which one is in front. No screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from widgets.terminal.splits import Axis, Node, divided, leaves, without


@dataclass(slots=True)
class Tab:
    """Some panes side by side. `active` is the one with the focus, or that had it last; `title` is the user's own."""

    tree: Node
    active: str
    zoomed: bool = False
    title: str = ""

    @property
    def panes(self) -> list[str]:
        return leaves(self.tree)


@dataclass(slots=True)
class Tabs:
    """All tabs, from the left. Panes are names; a name is in one tab at most."""

    all: list[Tab] = field(default_factory=list)
    at: int = 0

    def __iter__(self) -> Iterator[Tab]:
        return iter(self.all)

    def __len__(self) -> int:
        return len(self.all)

    @property
    def front(self) -> Tab | None:
        """The one that is shown."""
        return self.all[self.at] if self.all else None

    @property
    def panes(self) -> list[str]:
        """Of all tabs."""
        return [name for tab in self.all for name in tab.panes]

    def holding(self, pane: str) -> Tab:
        """The tab with a pane. Raises KeyError."""
        for tab in self.all:
            if pane in tab.panes:
                return tab
        raise KeyError(pane)

    def add(self, pane: str) -> None:
        """A tab of its own, to the right of the one in front, which it replaces there."""
        self.at = min(self.at + 1, len(self.all))
        self.all.insert(self.at, Tab(pane, pane))

    def divide(self, pane: str, axis: Axis) -> None:
        """Put a pane beside the active one of the tab in front. Raises KeyError where there is none."""
        tab = self.front
        if tab is None:
            raise KeyError(pane)
        tab.tree = divided(tab.tree, tab.active, pane, axis)
        tab.active, tab.zoomed = pane, False

    def remove(self, pane: str) -> None:
        """Take a pane out; a tab without any goes too. Raises KeyError."""
        tab = self.holding(pane)
        rest = without(tab.tree, pane)
        if rest is None:
            place = self.all.index(tab)
            del self.all[place]
            self.at = max(0, min(self.at - (place < self.at), len(self.all) - 1))
            return
        tab.tree = rest
        if tab.active == pane:
            tab.active = leaves(rest)[0]
            tab.zoomed = False
        tab.zoomed = tab.zoomed and len(tab.panes) > 1

    def show(self, pane: str) -> None:
        """Bring a pane to the front. Raises KeyError."""
        tab = self.holding(pane)
        self.at = self.all.index(tab)
        tab.zoomed = tab.zoomed and tab.active == pane
        tab.active = pane

    def turn_to(self, at: int) -> bool:
        """Show the tab at a place; False where there is none."""
        if not 0 <= at < len(self.all):
            return False
        self.at = at
        return True

    def move(self, to: int) -> bool:
        """Put the tab in front to another place; False where there is no such place."""
        if not 0 <= to < len(self.all):
            return False
        self.all.insert(to, self.all.pop(self.at))
        self.at = to
        return True

    def part(self, pane: str) -> bool:
        """Move a pane to a tab of its own, in front; False where it has one."""
        tab = self.holding(pane)
        if tab.panes == [pane]:
            return False
        self.at = self.all.index(tab)
        self.remove(pane)
        self.add(pane)
        return True
