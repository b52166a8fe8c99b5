"""What the screen of terminals can do, for its palette and footer and for the help page. Its keys come behind a leader
key, since all others belong to the programs in it."""

from __future__ import annotations

from tui.actions import BY_NAME, Action
from widgets.terminal.commands import COMMANDS as OWN_COMMANDS
from widgets.terminal.workspace_commands import BY_NAME as WORKSPACE
from widgets.terminal.workspace_commands import COMMANDS, LEADER, OF_TERMINAL, shown_keys

_SIGNS = {"pageup": "PgUp", "pagedown": "PgDn", "home": "Home", "end": "End", "insert": "Ins", "up": "↑", "down": "↓"}


def _written(key: str) -> str:
    """`^⇧f` for `ctrl+shift+f`."""
    *modifiers, name = key.split("+")
    shift, ctrl = "⇧" if "shift" in modifiers else "", "^" if "ctrl" in modifiers else ""
    return f"{ctrl}{shift}{_SIGNS.get(name, name)}"


WORKSPACE_ACTIONS: tuple[Action, ...] = tuple(
    Action(
        f"workspace_{command.name}", command.label.capitalize(), command.help, "Terminals", (), (),
        method="workspace", parameter=command.name, chord=shown_keys(command),
    )
    for command in COMMANDS
)  # fmt: skip

OWN_ACTIONS: tuple[Action, ...] = tuple(
    Action(
        f"own_{command.action}", command.title, command.help, "Terminals", (), (),
        method="own", parameter=command.action,
        chord=_written(command.keys[0]) if command.keys else shown_keys(WORKSPACE["palette"]),
    )
    for command in OWN_COMMANDS
)  # fmt: skip
"""What a terminal does by itself: copy mode, search, links."""

SHARED = ("notifications", "theme", "help", "quit")
"""Names of actions of the app that this screen has too."""


def terminal_screen_actions() -> tuple[Action, ...]:
    """All that the palette offers there, each once."""
    own = (action for action in OWN_ACTIONS if action.parameter not in OF_TERMINAL)
    here = (action for action in WORKSPACE_ACTIONS if action.parameter not in ("palette", *SHARED))
    return (*here, *own, *(BY_NAME[name] for name in ("local_shell", "ssh", "replay", *SHARED)))


def written_keys() -> tuple[tuple[str, str], ...]:
    """(keys, what they do) for the help page."""
    return tuple((action.chord, action.help) for action in (*WORKSPACE_ACTIONS, *OWN_ACTIONS) if action.chord)


HINTS: tuple[tuple[str, str], ...] = (
    ("^\\", "Commands"),
    *(
        (shown_keys(WORKSPACE[name]), label)
        for name, label in (
            ("leave", "Leave"), ("new", "New"), ("split_right", "Split"), ("zoom", "Zoom"), ("help", "Keys"),
            ("palette", "Palette"), ("next_tab", "Next"), ("split_below", "Below"), ("mark", "Mark"),
            ("record", "Record"), ("close", "Close"),
        )
    ),
    ("^q", "Quit"),
)  # fmt: skip
"""The footer: keys as people write them, and words."""

EMPTY_HINTS: tuple[tuple[str, str], ...] = (("Enter", "New terminal"), ("Esc", "Back"), ("^q", "Quit"))

__all__ = ["EMPTY_HINTS", "HINTS", "LEADER", "OWN_ACTIONS", "WORKSPACE_ACTIONS", "terminal_screen_actions"]
