"""Every key, by group, in the keymap now in use."""

from __future__ import annotations

from collections.abc import Mapping

from rich.style import Style
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.actions import GROUPS, Action, display_key
from tui.keymaps import ALL_ACTIONS
from tui.terminal_actions import written_keys
from widgets.style_tokens import token_style

WIDE_FROM = 100
MORE: dict[str, tuple[tuple[str, str], ...]] = {
    "In lists": (
        ("j k ↓ ↑", "Move"),
        ("g G", "First, last"),
        ("^d ^u", "Half a page"),
        ("Enter", "Go to the detail"),
        ("< >", "Sort by the column left, right"),
        ("Space", "Mark"),
        ("Tab", "Next panel"),
    ),
    "In logs": (
        ("/ n N", "Search, next, previous match"),
        ("&", "Show only matching lines"),
        ("L", "Least level shown"),
        ("w t", "Wrap, timestamps"),
        ("f", "Full screen"),
        ("Space G", "Pause, follow again"),
        ("c", "Copy the selection or the line"),
    ),
    "In Why?": (
        ("t", "All, changes, faults, replicas"),
        ("n N", "Next, previous fault"),
        ("c", "Copy the selection or all"),
    ),
    "In Domains": (
        ("a", "Add a domain"),
        ("D", "Remove it (asks first)"),
        ("c", "Copy its DNS records"),
    ),
    "On the Terminal tab": (
        ("^\\", "Leave the terminal; the shell stays"),
        ("^\\ F", "Then: full screen"),
        ("^\\ |", "Then: beside the terminal last in front"),
    ),
    "In Terminals": written_keys(),
    "In a recording": (
        ("Space", "Pause, go on"),
        ("← →", "5 seconds back, on"),
        ("+ -", "Faster, slower"),
        (".", "One step"),
        ("0-9 Home", "To that tenth; to the start"),
    ),
}


class HelpScreen(ModalScreen[None]):
    """Two columns where there is room, else one that scrolls."""

    CSS_PATH = "help.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE_FROM, "-wide")]
    BINDINGS = [
        Binding("escape,q,question_mark,f1", "dismiss", "Close", show=False),
        Binding("j,down", "by(1)", show=False),
        Binding("k,up", "by(-1)", show=False),
        Binding("ctrl+d,pagedown,space", "by(10)", show=False),
        Binding("ctrl+u,pageup", "by(-10)", show=False),
        Binding("g,home", "to_start", show=False),
        Binding("G,end", "to_end", show=False),
    ]

    def __init__(self, keymap: str, overrides: Mapping[str, str], *, first: str = "") -> None:
        """`first` is the group that stands on top: that of the screen one comes from."""
        super().__init__(classes="dialog")
        self._first = first
        self._keymap = keymap
        self._overrides = overrides

    def compose(self) -> ComposeResult:
        # Textual sets its classes of widths with the first resize, which may come after the first paint.
        self.set_class(self.app.size.width < WIDE_FROM, "-narrow")
        with Vertical(id="help-box", classes="panel") as box:
            box.border_title = f"Keys (like {self._keymap}; K switches)"
            box.border_subtitle = "[@click=screen.dismiss]Esc close[/]"
            with VerticalScroll(id="help-scroll"), Horizontal(id="help-columns"):
                yield Static(id="help-left")
                yield Static(id="help-right")

    def on_mount(self) -> None:
        groups: dict[str, tuple[tuple[str, str], ...]] = {
            group: tuple(
                (_keys(action, self._keymap, self._overrides), action.help)
                for action in ALL_ACTIONS
                if action.group == group
            )
            for group in sorted(GROUPS, key=lambda group: group != self._first)
        }
        groups |= MORE
        names = sorted(groups, key=lambda name: name != f"In {self._first}")
        half = 5
        self.query_one("#help-left", Static).update(self._table({name: groups[name] for name in names[:half]}))
        self.query_one("#help-right", Static).update(self._table({name: groups[name] for name in names[half:]}))
        self.query_one("#help-scroll").focus()

    def _table(self, groups: Mapping[str, tuple[tuple[str, str], ...]]) -> Table:
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(width=13, no_wrap=True)
        table.add_column(ratio=1)
        accent = token_style(self, "plot-1")
        for number, (name, rows) in enumerate(groups.items()):
            if number:
                table.add_row("", "")
            table.add_row(Text(""), Text(name, Style(bold=True) + token_style(self, "muted")))
            for keys, text in rows:
                table.add_row(Text(keys, accent), text)
        return table

    def action_by(self, rows: int) -> None:
        self.query_one("#help-scroll").scroll_relative(y=rows, animate=False)

    def action_to_start(self) -> None:
        self.query_one("#help-scroll").scroll_home(animate=False)

    def action_to_end(self) -> None:
        self.query_one("#help-scroll").scroll_end(animate=False)


def _keys(action: Action, keymap: str, overrides: Mapping[str, str]) -> str:
    """The keys, or the command of an action that has none."""
    return " ".join(display_key(key) for key in action.keys(keymap, overrides)) or action.chord or f":{action.name}"
