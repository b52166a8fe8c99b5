"""One line of tabs: what each is called, which one is in front, and what went on in the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

MOST_CELLS: Final = 28
"""A title takes no more than this."""

BUTTONS: Final = (("new", "+"), ("split_right", "│"), ("split_below", "─"), ("zoom", "⛶"), ("close", "×"))
"""Commands of a workspace at the right end, and their signs."""


@dataclass(frozen=True, slots=True)
class TabLabel:
    """What a tab shows. `marked`: what is typed elsewhere may go to it; `lively`: new output since it was last seen."""

    title: str
    active: bool = False
    marked: bool = False
    bell: bool = False
    lively: bool = False
    recording: bool = False
    ended: bool = False
    zoomed: bool = False

    def text(self, number: int) -> str:
        """The title with its signs."""
        title = self.title if cell_len(self.title) <= MOST_CELLS else set_cell_size(self.title, MOST_CELLS - 1) + "…"
        signs = "".join(
            sign
            for sign, on in (
                ("⇶", self.marked), ("●", self.recording), ("!", self.bell), ("•", self.lively and not self.bell),
                ("⛶", self.zoomed), ("✗", self.ended),
            )
            if on
        )  # fmt: skip
        return f" {number} {title}{f' {signs}' if signs else ''} "


@dataclass(frozen=True, slots=True)
class _Placed:
    start: int
    end: int
    tab: int = -1
    button: str = ""


class TabLine(Widget):
    """Click a tab to show it, the middle button closes it, drag it to another place; a click on a sign at the right
    does that to the terminal in front."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "tab-line--tab", "tab-line--active", "tab-line--marked", "tab-line--bell", "tab-line--button"
    }  # fmt: skip
    DEFAULT_CSS = """
    TabLine {
        height: 1;
        width: 1fr;
        background: $surface;
        color: $foreground-muted;
        & > .tab-line--tab { color: $foreground-muted; }
        & > .tab-line--active { color: $foreground; background: $primary-muted; text-style: bold; }
        & > .tab-line--marked { color: $background; background: $warning; text-style: bold; }
        & > .tab-line--bell { color: $text-warning; text-style: bold; }
        & > .tab-line--button { color: $footer-key-foreground; }
    }
    """

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, tab: int) -> None:
            super().__init__()
            self.tab = tab

    class CloseWanted(Chosen):
        """A tab was clicked with the middle button."""

    class RenameWanted(Chosen):
        """A tab was clicked twice."""

    class Dragged(Message):
        """The active tab is to be where another one is."""

        def __init__(self, to: int) -> None:
            super().__init__()
            self.to = to

    class Pressed(Message):
        """A sign at the right end was clicked; `command` is its name."""

        def __init__(self, command: str) -> None:
            super().__init__()
            self.command = command

    def __init__(self) -> None:
        super().__init__()
        self._labels: Sequence[TabLabel] = ()
        self._placed: list[_Placed] = []
        self._dragging = False

    def show(self, labels: Sequence[TabLabel]) -> None:
        """Show these, from the left. The same again costs nothing."""
        if list(labels) != list(self._labels):
            self._labels = labels
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        buttons = width >= 40
        room = max(0, width - (2 * len(BUTTONS) + 1 if buttons else 0))
        texts = [label.text(number) for number, label in enumerate(self._labels, 1)]
        segments: list[Segment] = []
        self._placed = []
        x = 0
        for number in range(self._first(texts, room), len(texts)):
            if x >= room:
                break
            size = cell_len(texts[number])
            text = texts[number] if x + size <= room else set_cell_size(texts[number], room - x)
            segments.append(Segment(text, self._look(self._labels[number])))
            self._placed.append(_Placed(x, x + cell_len(text), tab=number))
            x += cell_len(text)
        segments.append(Segment(" " * max(0, room - x), self.rich_style))
        x = room
        for command, sign in BUTTONS if buttons else ():
            segments.append(Segment(f" {sign}", self.get_component_rich_style("tab-line--button")))
            self._placed.append(_Placed(x, x + 2, button=command))
            x += 2
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _first(self, texts: Sequence[str], room: int) -> int:
        """The tab to begin with, so that the active one is in sight."""
        active = next((number for number, label in enumerate(self._labels) if label.active), 0)
        first = 0
        while first < active and sum(map(cell_len, texts[first : active + 1])) > room:
            first += 1
        return first

    def _look(self, label: TabLabel) -> Style:
        name = "marked" if label.marked else "active" if label.active else "bell" if label.bell else "tab"
        style = self.get_component_rich_style(f"tab-line--{name}")
        return style + Style(underline=True) if label.marked and label.active else style

    def _at(self, event: events.MouseEvent) -> _Placed | None:
        place = event.get_content_offset_capture(self)
        return next((placed for placed in self._placed if placed.start <= place.x < placed.end), None)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        placed = self._at(event)
        if placed is None or placed.tab < 0:
            return
        event.stop()
        if event.button == 2:
            self.post_message(self.CloseWanted(placed.tab))
            return
        self.post_message(self.Chosen(placed.tab))
        self._dragging = True
        self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        placed = self._at(event) if self._dragging else None
        if placed is not None and placed.tab >= 0 and not self._labels[placed.tab].active:
            self.post_message(self.Dragged(placed.tab))

    def on_mouse_up(self) -> None:
        if self._dragging:
            self._dragging = False
            self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        event.stop()
        placed = self._at(event)
        if placed is None:
            return
        if placed.button:
            self.post_message(self.Pressed(placed.button))
        elif event.chain == 2:
            self.post_message(self.RenameWanted(placed.tab))
