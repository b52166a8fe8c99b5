"""ConfirmDialog: asks before something is lost, and names what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What to ask.

    `losses` are the lines that name what is lost. With `typed_name` the user must type it. `dangerous` colours the
    dialog and makes "cancel" the button that enter presses.
    """

    title: str
    losses: Sequence[str] = ()
    confirm_label: str = "Confirm"
    cancel_label: str = "Cancel"
    typed_name: str = ""
    dangerous: bool = True


class ConfirmDialog(ModalScreen[bool]):
    """Dismisses with True where the user confirmed. Keys: y and n, esc, tab and enter; or the mouse."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "confirm", "Yes", show=False),
        Binding("n,escape", "cancel", "No", show=False),
        Binding("left,h", "app.focus_previous", show=False),
        Binding("right,l", "app.focus_next", show=False),
    ]

    DEFAULT_CSS = """
    ConfirmDialog {
        align: center middle;
        & > Vertical {
            width: 64; max-width: 94%; height: auto; max-height: 90%;
            padding: 1 2; background: $surface; border: round $primary;
        }
        & > Vertical.-dangerous { border: round $error; }
        & .confirm--title { text-style: bold; height: auto; }
        & .confirm--losses { height: auto; margin-top: 1; max-height: 12; overflow-y: auto; }
        & .confirm--typed { height: auto; margin-top: 1; color: $foreground-muted; }
        & Input { margin-top: 0; }
        & Horizontal { height: 1; margin-top: 1; align-horizontal: right; }
        & Button { margin-left: 2; }
    }
    """

    def __init__(self, confirmation: Confirmation) -> None:
        super().__init__()
        self._ask = confirmation

    def compose(self) -> ComposeResult:
        ask = self._ask
        with Vertical(classes="-dangerous" if ask.dangerous else ""):
            yield Static(ask.title, classes="confirm--title", markup=False)
            if ask.losses:
                yield Static("\n".join(f"• {loss}" for loss in ask.losses), classes="confirm--losses", markup=False)
            if ask.typed_name:
                yield Static(f"Type “{ask.typed_name}” to confirm:", classes="confirm--typed", markup=False)
                yield Input(placeholder=ask.typed_name, compact=True)
            hint = "enter" if ask.typed_name else "y"
            with Horizontal():
                yield Button(f"{ask.cancel_label} ({'esc' if ask.typed_name else 'n'})", id="cancel", compact=True)
                yield Button(
                    f"{ask.confirm_label} ({hint})",
                    id="confirm",
                    variant="error" if ask.dangerous else "primary",
                    disabled=bool(ask.typed_name),
                    compact=True,
                )

    def on_mount(self) -> None:
        if self._ask.typed_name:
            self.query_one(Input).focus()
        else:
            self.query_one("#cancel" if self._ask.dangerous else "#confirm", Button).focus()

    @property
    def _may_confirm(self) -> bool:
        return not self._ask.typed_name or self.query_one(Input).value.strip() == self._ask.typed_name

    def action_confirm(self) -> None:
        if self._may_confirm:
            self.dismiss(True)

    def action_cancel(self) -> None:
        self.dismiss(False)

    @on(Input.Changed)
    def _typed(self) -> None:
        self.query_one("#confirm", Button).disabled = not self._may_confirm

    @on(Input.Submitted)
    def _entered(self) -> None:
        self.action_confirm()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "confirm":
            self.action_confirm()
        else:
            self.action_cancel()
