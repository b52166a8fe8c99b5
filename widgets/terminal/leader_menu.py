"""The keys behind the leader key, shown while one is awaited."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

Entry = tuple[str, str, str]
"""What is told when it is chosen, its key as people write it, and its words."""


class LeaderMenu(Widget, can_focus=True):
    """A grid of keys. It takes the focus, so that the next key is its own; `Pressed` tells which one that was."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"leader-menu--key", "leader-menu--label", "leader-menu--title"}
    DEFAULT_CSS = """
    LeaderMenu {
        dock: bottom;
        layer: menu;
        height: auto;
        width: 1fr;
        padding: 0 1;
        background: $surface;
        color: $foreground;
        & > .leader-menu--key { color: $footer-key-foreground; text-style: bold; }
        & > .leader-menu--label { color: $foreground; }
        & > .leader-menu--title { color: $foreground-muted; }
    }
    """

    class Pressed(Message):
        """A key came. `event` is stopped; what to do with it is for who shows the menu."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    class Chosen(Message):
        """An entry was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    class Left(Message):
        """The focus went elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self._entries: Sequence[Entry] = ()
        self._note = ""
        self.display = False

    def show(self, entries: Sequence[Entry], note: str = "") -> None:
        """Show these; `note` is said below them."""
        self._entries, self._note = entries, note
        self.display = True
        self.refresh(layout=True)

    def _columns(self, width: int) -> tuple[int, int]:
        """How many columns, and how wide each is."""
        widest = max((cell_len(key) + cell_len(label) + 3 for _, key, label in self._entries), default=1)
        return max(1, width // widest), widest

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        columns, _ = self._columns(width)
        return -(-len(self._entries) // columns) + (1 if self._note else 0)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        columns, widest = self._columns(width)
        key_style = self.get_component_rich_style("leader-menu--key")
        label_style = self.get_component_rich_style("leader-menu--label")
        rows = -(-len(self._entries) // columns)
        segments: list[Segment] = []
        if y < rows:
            for column in range(columns):
                at = column * rows + y
                if at >= len(self._entries):
                    break
                _, key, label = self._entries[at]
                blank = " " * (widest - cell_len(key) - cell_len(label) - 1)
                segments += [Segment(key, key_style), Segment(f" {label}{blank}", label_style)]
        elif self._note:
            segments.append(Segment(self._note, self.get_component_rich_style("leader-menu--title")))
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        self.post_message(self.Pressed(event.key))

    def on_blur(self) -> None:
        self.post_message(self.Left())

    def on_click(self, event: events.Click) -> None:
        event.stop()
        place = event.get_content_offset(self)
        if place is None:
            return
        columns, widest = self._columns(self.size.width)
        rows = -(-len(self._entries) // columns)
        at = (place.x // widest) * rows + place.y
        if place.y < rows and at < len(self._entries):
            self.post_message(self.Chosen(self._entries[at][0]))
