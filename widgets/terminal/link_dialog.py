"""Asks before a link is opened, and shows all of its address."""

from __future__ import annotations

from enum import Enum
from typing import ClassVar
from urllib.parse import urlsplit

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static


class LinkChoice(Enum):
    """What to do with a link."""

    OPEN = "open"
    COPY = "copy"
    NOTHING = "nothing"


def warning(address: str, shown: str) -> str:
    """What to look out for in a link; "" for nothing special."""
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").lower()
        with_user = "@" in parts.netloc
    except ValueError:
        return "This is no proper address."
    if parts.scheme not in ("http", "https"):
        return f"This is no web page: a program of this computer for “{parts.scheme}” would get it."
    if not host.isascii() or "xn--" in host:
        return f"The name of the host has letters that can look like others: {_coded(host)}"
    if with_user:
        return f"What stands before @ is a user's name: the host is {host}."
    text = shown.strip().lower()
    if "://" in text and urlsplit(text.split()[0]).hostname not in (host, None):
        return f"Its text names another host than the one it leads to: {host}."
    return ""


def _coded(host: str) -> str:
    """The name as the DNS has it."""
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return ascii(host)


class LinkDialog(ModalScreen[LinkChoice]):
    """Dismisses with what to do. Keys: y opens, c copies, n or esc does nothing; tab and enter; or the mouse."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "choose('open')", "Open", show=False),
        Binding("c", "choose('copy')", "Copy", show=False),
        Binding("n,escape", "choose('nothing')", "Cancel", show=False),
        Binding("left,h", "app.focus_previous", show=False),
        Binding("right,l", "app.focus_next", show=False),
    ]

    DEFAULT_CSS = """
    LinkDialog {
        align: center middle;
        & > Vertical {
            width: 80; max-width: 94%; height: auto; max-height: 90%;
            padding: 1 2; background: $surface; border: round $primary;
        }
        & .link--title { text-style: bold; height: auto; }
        & .link--address { height: auto; max-height: 12; overflow-y: auto; margin-top: 1; }
        & .link--warning { height: auto; margin-top: 1; color: $warning; }
        & Horizontal { height: 1; margin-top: 1; align-horizontal: right; }
        & Button { margin-left: 2; }
    }
    """

    def __init__(self, address: str, shown: str = "") -> None:
        """`shown` is the text of the link on the screen."""
        super().__init__()
        self._address = address
        self._shown = shown

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static("Open this link?", classes="link--title", markup=False)
            yield Static(self._address, classes="link--address", markup=False)
            if text := warning(self._address, self._shown):
                yield Static(text, classes="link--warning", markup=False)
            with Horizontal():
                yield Button("Cancel (n)", id="nothing", compact=True)
                yield Button("Copy (c)", id="copy", compact=True)
                yield Button("Open (y)", id="open", variant="primary", compact=True)

    def on_mount(self) -> None:
        self.query_one("#nothing", Button).focus()

    def action_choose(self, choice: str) -> None:
        self.dismiss(LinkChoice(choice))

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.action_choose(event.button.id or "nothing")
