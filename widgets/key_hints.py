"""KeyHints: the one-line footer of keys; what does not fit goes, from the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget


@dataclass(frozen=True, slots=True)
class KeyHint:
    """A key as it is written ("ctrl+s", "/"), what it does, and whether it stays when the line is narrow ("? help")."""

    key: str
    label: str
    keep: bool = False


@dataclass(frozen=True, slots=True)
class _Placed:
    hint: KeyHint
    start: int
    end: int


def fit_hints(hints: Sequence[KeyHint], width: int, gap: int = 2) -> list[KeyHint]:
    """The hints that fit into `width` cells, in order: all to keep, and of the others as many as fit, first first."""
    size = {hint: cell_len(hint.key) + 1 + cell_len(hint.label) + gap for hint in hints}
    room = width + gap - sum(size[hint] for hint in hints if hint.keep)
    chosen: set[KeyHint] = {hint for hint in hints if hint.keep}
    for hint in hints:
        if hint.keep:
            continue
        if size[hint] > room:
            break
        chosen.add(hint)
        room -= size[hint]
    return [hint for hint in hints if hint in chosen]


class KeyHints(Widget):
    """A line of keys. A click on one posts `Pressed`; the app does what the key does."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-hints--key", "key-hints--label"}
    DEFAULT_CSS = """
    KeyHints {
        height: 1;
        dock: bottom;
        padding: 0 1;
        background: $footer-background;
        & > .key-hints--key { color: $footer-key-foreground; text-style: bold; }
        & > .key-hints--label { color: $footer-description-foreground; }
    }
    """

    hints: reactive[tuple[KeyHint, ...]] = reactive((), init=False)

    class Pressed(Message):
        """The user clicked the hint of `key`."""

        def __init__(self, hints: KeyHints, key: str) -> None:
            super().__init__()
            self.hints = hints
            self.key = key

        @property
        def control(self) -> KeyHints:
            return self.hints

    def __init__(self, hints: Sequence[KeyHint | tuple[str, str]] = (), *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._placed: list[_Placed] = []
        self.set_reactive(KeyHints.hints, _as_hints(hints))

    def show(self, hints: Sequence[KeyHint | tuple[str, str]]) -> None:
        """Show these, (key, label) pairs or KeyHints, most useful first. The same again costs nothing."""
        self.hints = _as_hints(hints)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        key_style = self.get_component_rich_style("key-hints--key")
        label_style = self.get_component_rich_style("key-hints--label")
        segments: list[Segment] = []
        self._placed = []
        x = 0
        for hint in fit_hints(self.hints, width):
            if x:
                segments.append(Segment("  ", self.rich_style))
                x += 2
            size = cell_len(hint.key) + 1 + cell_len(hint.label)
            segments += [Segment(hint.key, key_style), Segment(f" {hint.label}", label_style)]
            self._placed.append(_Placed(hint, x, x + size))
            x += size
        return Strip(segments, x).adjust_cell_length(width, self.rich_style)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        for placed in self._placed:
            if placed.start <= offset.x < placed.end:
                self.post_message(self.Pressed(self, placed.hint.key))


def _as_hints(hints: Sequence[KeyHint | tuple[str, str]]) -> tuple[KeyHint, ...]:
    return tuple(hint if isinstance(hint, KeyHint) else KeyHint(*hint) for hint in hints)
