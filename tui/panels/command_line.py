"""The line at the bottom: `/` filters while typing, `:` takes a command with completion."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input, Static

from tui.commands import complete


class CommandSuggester(Suggester):
    """Suggests command names, then deployment names."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._names = names

    async def get_suggestion(self, value: str) -> str | None:
        return complete(value, self._names)


class CommandLine(Horizontal):
    """One line of input behind its sign. Tab takes the completion, as in a shell."""

    class _LineMessage(Message):
        def __init__(self, kind: str, value: str) -> None:
            super().__init__()
            self.kind = kind
            self.value = value

    class Typed(_LineMessage):
        """The text changed."""

    class Entered(_LineMessage):
        """Enter."""

    class GivenUp(_LineMessage):
        """Escape, or backspace on the empty line."""

    def __init__(self, kind: str, names: Sequence[str], *, value: str = "") -> None:
        super().__init__()
        self._kind = kind
        self.input = Input(
            value,
            placeholder="part of a name, status or image" if kind == "/" else "command, e.g. scale web 3",
            suggester=CommandSuggester(names) if kind == ":" else None,
            compact=True,
            select_on_focus=False,
        )

    def compose(self) -> ComposeResult:
        yield Static(self._kind, classes="sign")
        yield self.input

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Typed(self._kind, event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Entered(self._kind, event.value))

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape" or (event.key == "backspace" and not self.input.value):
            event.stop()
            event.prevent_default()
            self.post_message(self.GivenUp(self._kind, self.input.value))
        elif event.key == "tab":
            event.stop()
            event.prevent_default()
            self.input.action_cursor_right()
            self.input.action_end()
