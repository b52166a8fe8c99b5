"""What can be done in a workspace of terminals: names, keys behind the leader key, and words. No screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LEADER: Final = "ctrl+backslash"
"""The one key that programs in a workspace do not get; the next key is a command. Twice, it leaves the workspace."""


@dataclass(frozen=True, slots=True)
class WorkspaceCommand:
    """`keys` are Textual key names, pressed after the leader; `shown` is how the menu writes them. After one that
    `repeats` the menu stays, so that the key can be pressed again. One not `in_menu` is done all the same; `together`
    is what the menu shows instead for a command and those like it: their keys and words."""

    name: str
    keys: tuple[str, ...]
    shown: str
    label: str
    help: str
    repeats: bool = False
    in_menu: bool = True
    together: tuple[str, str] | None = None

    @property
    def entry(self) -> tuple[str, str]:
        """Keys and words for the menu."""
        return self.together or (self.shown, self.label)


COMMANDS: Final[tuple[WorkspaceCommand, ...]] = (
    WorkspaceCommand("leave", (LEADER, "d"), "^\\ d", "leave", "Leave the terminals; they go on"),
    WorkspaceCommand("new", ("c", "t"), "c", "new", "Open another terminal in a tab: choose what"),
    WorkspaceCommand("split_right", ("vertical_line", "percent_sign"), "|", "split right", "The same again, beside it"),
    WorkspaceCommand("split_below", ("minus", "quotation_mark"), "-", "split below", "The same again, below it"),
    WorkspaceCommand("zoom", ("z",), "z", "zoom", "Give the terminal all the room, or the others theirs back"),
    WorkspaceCommand("close", ("x",), "x", "close", "Close the terminal and what runs in it (asks first)"),
    WorkspaceCommand(
        "focus_left",
        ("left", "h"),
        "← h",
        "go left",
        "Go to the terminal on the left",
        together=("←↓↑→ hjkl", "go to"),
    ),
    WorkspaceCommand("focus_down", ("down", "j"), "↓ j", "go down", "Go to the terminal below", in_menu=False),
    WorkspaceCommand("focus_up", ("up", "k"), "↑ k", "go up", "Go to the terminal above", in_menu=False),
    WorkspaceCommand(
        "focus_right", ("right", "l"), "→ l", "go right", "Go to the terminal on the right", in_menu=False
    ),
    WorkspaceCommand(
        "stretch_left",
        ("shift+left", "H"),
        "H",
        "border left",
        "Move its border left",
        repeats=True,
        together=("HJKL", "resize"),
    ),
    WorkspaceCommand(
        "stretch_down", ("shift+down", "J"), "J", "border down", "Move its border down", repeats=True, in_menu=False
    ),
    WorkspaceCommand(
        "stretch_up", ("shift+up", "K"), "K", "border up", "Move its border up", repeats=True, in_menu=False
    ),
    WorkspaceCommand(
        "stretch_right", ("shift+right", "L"), "L", "border right", "Move its border right", repeats=True, in_menu=False
    ),
    WorkspaceCommand("next_tab", ("n", "tab"), "n", "next tab", "Show the next tab"),
    WorkspaceCommand("previous_tab", ("p", "shift+tab"), "p", "previous", "Show the tab before"),
    WorkspaceCommand("move_tab_left", ("less_than_sign",), "<", "tab left", "Move the tab left", repeats=True),
    WorkspaceCommand("move_tab_right", ("greater_than_sign",), ">", "tab right", "Move the tab right", repeats=True),
    WorkspaceCommand("own_tab", ("exclamation_mark",), "!", "own tab", "Move the terminal to a tab of its own"),
    WorkspaceCommand("rename", ("r", "comma"), "r", "rename", "Give the tab another name"),
    WorkspaceCommand("mark", ("m",), "m", "mark", "Mark for typing into all marked terminals at once, or unmark"),
    WorkspaceCommand("mark_all", ("M",), "M", "mark all", "Mark all terminals of the tab; again, unmark all"),
    WorkspaceCommand("record", ("R",), "R", "record", "Record what the terminal shows to a file, or stop that"),
    WorkspaceCommand("copy_mode", ("left_square_bracket",), "[", "copy mode", "Move, select and copy with keys"),
    WorkspaceCommand("search", ("slash",), "/", "search", "Find text in the scrollback"),
    WorkspaceCommand("copy_output", ("y",), "y", "copy output", "Copy what the last command printed"),
    WorkspaceCommand("open_link", ("o",), "o", "open link", "Open the newest link in view, after asking"),
    WorkspaceCommand("again", ("ctrl+r",), "^r", "reconnect", "Connect again at once, or start again what has ended"),
    WorkspaceCommand("palette", ("colon", "ctrl+p"), ":", "palette", "Search every command"),
    WorkspaceCommand("help", ("question_mark", "f1"), "?", "all keys", "Show all keys"),
    WorkspaceCommand("literal", ("backslash",), "\\", "send ^\\", "Send ctrl+\\ to the program"),
)


def shown_keys(command: WorkspaceCommand) -> str:
    """The leader and the key behind it, as people write them: `^\\ z`."""
    return f"^\\ {command.shown.split()[0]}"


BY_NAME: Final = {command.name: command for command in COMMANDS}
BY_KEY: Final = {key: command for command in COMMANDS for key in command.keys}

OF_TERMINAL: Final = {name: name for name in ("copy_mode", "search", "copy_output", "open_link")}
"""Commands that the terminal in front does itself, and its actions."""

TAB_KEYS: Final = {str(number): number - 1 for number in range(1, 10)}
"""Behind the leader, a digit goes to that tab."""
