"""StatusLine: what the app is connected to at the left, the state of its components as dots at the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from widgets.ansi_text import clean
from widgets.middle_cut import middle_cut
from widgets.style_tokens import token_style

ComponentState = Literal["ok", "starting", "down", "unknown"]

DOTS: dict[ComponentState, str] = {"ok": "●", "starting": "◐", "down": "✗", "unknown": "○"}
"""A shape for each state, so that it can be told without colour."""


@dataclass(frozen=True, slots=True)
class Component:
    """A part of the system: its name, its state, and a message for the tooltip."""

    name: str
    state: ComponentState
    message: str = ""


class StatusLine(Widget):
    """One line; set `text` and `components`. A click on a component posts `ComponentPressed`."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"status-line--text"}
    DEFAULT_CSS = """
    StatusLine {
        height: 1;
        padding: 0 1;
        background: $panel;
        color: $foreground;
        & > .status-line--text { text-style: bold; }
    }
    """

    text: reactive[str] = reactive("", init=False)
    components: reactive[tuple[Component, ...]] = reactive((), init=False)

    class ComponentPressed(Message):
        """The user clicked a component."""

        def __init__(self, line: StatusLine, component: Component) -> None:
            super().__init__()
            self.line = line
            self.component = component

        @property
        def control(self) -> StatusLine:
            return self.line

    def __init__(self, text: str = "", components: Sequence[Component] = (), *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.set_reactive(StatusLine.text, text)
        self.set_reactive(StatusLine.components, tuple(components))
        self._spots: list[tuple[int, int, Component]] = []

    def watch_components(self, components: tuple[Component, ...]) -> None:
        faults = [f"{part.name}: {part.message}" for part in components if part.message]
        self.tooltip = "\n".join(faults) or None

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        base = self.rich_style
        names = sum(cell_len(part.name) + 4 for part in self.components)
        # Where there is little room, only what is wrong keeps its name.
        short = names > width * 2 // 3
        right: list[Segment] = []
        spots: list[tuple[int, int, Component]] = []
        x = 0
        for part in self.components:
            name = "" if short and part.state == "ok" else f" {part.name}"
            right.append(Segment(DOTS[part.state], base + token_style(self, f"component-{part.state}")))
            right.append(Segment(f"{name}  ", base))
            spots.append((x, x + 1 + cell_len(name), part))
            x += 3 + cell_len(name)
        if right:
            right[-1] = Segment(right[-1].text[:-2], base)
            x -= 2
        room = max(0, width - x - 1)
        left = set_cell_size(middle_cut(clean(self.text)[0], room), room) + " "
        self._spots = [(start + room + 1, end + room + 1, part) for start, end, part in spots]
        segments = [Segment(left, self.get_component_rich_style("status-line--text")), *right]
        return Strip(segments).adjust_cell_length(width, base)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        for start, end, part in self._spots:
            if start <= offset.x < end:
                self.post_message(self.ComponentPressed(self, part))
