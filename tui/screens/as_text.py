"""A deployment as YAML, to read and copy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.markup import escape
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.presentation.as_text import to_yaml


class TextScreen(ModalScreen[None]):
    """Scrolls with the keys of less; c copies all, or what the mouse selected."""

    CSS_PATH = "as_text.tcss"
    BINDINGS = [
        Binding("escape,q,y", "dismiss", "Close", show=False),
        Binding("c", "copy", "Copy", show=False),
        Binding("j,down", "by(1)", show=False),
        Binding("k,up", "by(-1)", show=False),
        Binding("ctrl+d,pagedown,space", "by(10)", show=False),
        Binding("ctrl+u,pageup", "by(-10)", show=False),
        Binding("g,home", "top", show=False),
        Binding("G,end", "bottom", show=False),
    ]

    def __init__(self, name: str, data: Mapping[str, Any]) -> None:
        super().__init__(classes="dialog")
        self._title = name
        self._text = to_yaml(data)

    def compose(self) -> ComposeResult:
        with Vertical(id="text-box", classes="panel") as box:
            box.border_title = escape(self._title)
            box.border_subtitle = "[@click=screen.copy]c copy[/]  [@click=screen.dismiss]Esc close[/]"
            with VerticalScroll(id="text-scroll"):
                yield Static(self._text, markup=False)

    def on_mount(self) -> None:
        self.query_one("#text-scroll").focus()

    def action_copy(self) -> None:
        selected = self.get_selected_text()
        self.app.copy_to_clipboard(selected or self._text)
        self.notify("The selection is copied" if selected else "The whole text is copied", timeout=3)

    def action_by(self, rows: int) -> None:
        self.query_one("#text-scroll").scroll_relative(y=rows, animate=False)

    def action_top(self) -> None:
        self.query_one("#text-scroll").scroll_home(animate=False)

    def action_bottom(self) -> None:
        self.query_one("#text-scroll").scroll_end(animate=False)
