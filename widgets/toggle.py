"""Toggle: yes or no, told by its shape as well as its colour."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget


class Toggle(Widget, can_focus=True):
    """`[x] yes` or `[ ] no`; space or a click changes it, enter posts `Entered`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "change", "Change", show=False),
        Binding("enter", "enter", "Done", show=False),
    ]
    DEFAULT_CSS = """
    Toggle {
        width: auto; height: 1; padding: 0 1;
        &:focus { background: $primary-muted; text-style: bold; }
        &:disabled { color: $foreground-muted; }
    }
    """

    value: reactive[bool] = reactive(False, init=False)

    class Changed(Message):
        """The value changed."""

        def __init__(self, toggle: Toggle, value: bool) -> None:
            super().__init__()
            self.toggle = toggle
            self.value = value

        @property
        def control(self) -> Toggle:
            return self.toggle

    class Entered(Message):
        """Enter was pressed on it."""

    def __init__(self, value: bool = False, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.set_reactive(Toggle.value, value)

    def render(self) -> Content:
        return Content("[x] yes" if self.value else "[ ] no ")

    def watch_value(self, value: bool) -> None:
        self.post_message(self.Changed(self, value))

    def action_change(self) -> None:
        self.value = not self.value

    def action_enter(self) -> None:
        self.post_message(self.Entered())

    def on_click(self) -> None:
        self.action_change()
