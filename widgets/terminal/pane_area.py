"""Lays panes out by a tree of splits, draws the lines between them, and lets the mouse move these."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.geometry import NULL_OFFSET, NULL_SPACING, Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from widgets.terminal.splits import Area, Arrangement, Border, Node, arranged


class _SplitLayout(Layout):
    """Places the children by their ids."""

    name = "splits"

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        assert isinstance(parent, PaneArea)
        panes = parent.arrangement(size).panes
        return [
            WidgetPlacement(
                Region(area.x, area.y, area.width, area.height),
                NULL_OFFSET,
                NULL_SPACING,
                child,
                0,
                False,
                False,
                False,
            )
            for child in children
            if (area := panes.get(child.id or "")) is not None
        ]


class PaneArea(Widget):
    """Shows the panes of one tree, or the zoomed one alone. All others that are mounted here stay hidden."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"pane-area--border", "pane-area--held"}
    DEFAULT_CSS = """
    PaneArea {
        width: 1fr;
        height: 1fr;
        background: $background;
        & > .pane-area--border { color: $foreground 25%; }
        & > .pane-area--held { color: $primary; text-style: bold; }
    }
    """

    class BorderMoved(Message):
        """The user drags a border to that column, or row, of the area."""

        def __init__(self, border: Border, place: int) -> None:
            super().__init__()
            self.border = border
            self.place = place

    def __init__(self) -> None:
        super().__init__()
        self._splits = _SplitLayout()
        self._tree: Node | None = None
        self._zoomed = ""
        self._held: Border | None = None

    @property
    def layout(self) -> Layout:
        return self._splits

    @property
    def area(self) -> Area:
        """All of it."""
        return Area(0, 0, self.size.width, self.size.height)

    def arrangement(self, size: Size | None = None) -> Arrangement:
        """Where everything is, in a given size."""
        room = self.size if size is None else size
        whole = Area(0, 0, room.width, room.height)
        if self._tree is None:
            return Arrangement({}, ())
        return Arrangement({self._zoomed: whole}, ()) if self._zoomed else arranged(self._tree, whole)

    def border_above(self, pane: str) -> Border | None:
        """The border between a pane and the one above it; None at the upper edge."""
        found = self.arrangement()
        here = found.panes.get(pane)
        return next(
            (
                border
                for border in found.borders
                if here is not None and border.axis == "column" and border.area.y == here.y
                and border.area.x <= here.x < border.area.x + border.area.width
            ),
            None,
        )  # fmt: skip

    def show(self, tree: Node | None, zoomed: str = "") -> None:
        """Lay out these panes from now on."""
        self._tree, self._zoomed = tree, zoomed
        self._held = None
        shown = self.arrangement().panes
        for child in self.children:
            child.display = child.id in shown
        self._lay_out()

    def move(self, tree: Node) -> None:
        """The same panes with other shares: what is held by the mouse stays so."""
        self._tree = tree
        self._lay_out()

    def _lay_out(self) -> None:
        # A widget keeps its arrangement until one of its children wants another.
        for child in self.children:
            child.refresh(layout=True)
        self.refresh(layout=True)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        segments = [Segment(" " * width, self.rich_style)]
        strip = Strip(segments, width)
        for border in self.arrangement().borders:
            area = border.area
            if border.axis != "row" or not area.y <= y < area.y + area.height or area.x >= width:
                continue
            style = self.get_component_rich_style(
                "pane-area--held" if self._held and border.path == self._held.path else "pane-area--border"
            )
            line = Strip([Segment("│", style)], 1)
            strip = Strip.join([strip.crop(0, area.x), line, strip.crop(area.x + 1, width)])
        return strip

    def on_mouse_down(self, event: events.MouseDown) -> None:
        place = event.get_content_offset_capture(self)
        self._held = next(
            (
                border
                for border in self.arrangement().borders
                if border.axis == "row" and border.area.x == place.x
                and border.area.y <= place.y < border.area.y + border.area.height
            ),
            None,
        )  # fmt: skip
        if self._held is not None:
            event.stop()
            self.capture_mouse()
            self.refresh()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._held is not None:
            event.stop()
            self.drag(event.get_content_offset_capture(self).x)

    def drag(self, place: int) -> None:
        """Move the border that is held."""
        if self._held is not None:
            self.post_message(self.BorderMoved(self._held, place))

    def on_mouse_up(self) -> None:
        if self._held is not None:
            self._held = None
            self.release_mouse()
            self.refresh()
