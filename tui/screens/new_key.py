"""A new API key's secret, shown this once."""

from __future__ import annotations

from rich.markup import escape
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static


class NewKeyScreen(ModalScreen[None]):
    """Leaving it without having copied asks for a second escape: the secret does not come back."""

    CSS_PATH = "new_key.tcss"
    BINDINGS = [
        Binding("c", "copy", "Copy", show=False),
        Binding("escape,q", "leave", "Close", show=False),
    ]

    def __init__(self, name: str, secret: str) -> None:
        super().__init__(classes="dialog")
        self._key_name = name
        self._secret = secret
        self._copied = False
        self._warned = False

    def compose(self) -> ComposeResult:
        with Vertical(id="new-key-box", classes="panel") as box:
            box.border_title = f"API key {escape(self._key_name)}"
            yield Static(self._secret, id="secret", markup=False)
            yield Static(
                "⚠ This is shown only now. Copy it and keep it where secrets are kept: whoever has it acts as you.",
                id="secret-warning",
                markup=False,
            )
            with Horizontal(id="new-key-buttons"):
                yield Button("Copy (c)", id="copy", variant="primary", compact=True)
                yield Button("Close (esc)", id="close", compact=True)

    def on_mount(self) -> None:
        self.query_one("#copy", Button).focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "copy":
            self.action_copy()
        else:
            self.action_leave()

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self.get_selected_text() or self._secret)
        self._copied = True
        self.notify("The key is copied", timeout=3)

    def action_leave(self) -> None:
        if self._copied or self._warned:
            self.dismiss()
            return
        self._warned = True
        self.query_one("#secret-warning", Static).update(
            "⚠ It has not been copied here. Press Esc again to close it for good."
        )
