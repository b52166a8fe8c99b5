"""What a terminal can do besides what its program does: for key bindings, a help page and a command palette."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class TerminalCommand:
    """A command: `Terminal.action_<action>()` runs it, without arguments.

    `keys` are Textual's names of the keys that run it in a focused terminal; the first of them also comes from outer
    terminals without the kitty keyboard protocol, unless it has Ctrl and Shift with a letter. Commands that need the
    scrollback leave their keys to programs of the alternate screen.
    """

    action: str
    title: str
    help: str
    keys: tuple[str, ...] = ()
    needs_scrollback: bool = False


COMMANDS: Final = (
    TerminalCommand(
        "copy_mode", "Copy mode", "Move, select and copy with keys", ("ctrl+shift+home", "ctrl+shift+space")
    ),
    TerminalCommand("search", "Search", "Find text in the scrollback", ("ctrl+shift+end", "ctrl+shift+f")),
    TerminalCommand("copy", "Copy", "Copy what is selected", ("ctrl+shift+c",)),
    TerminalCommand("paste", "Paste", "Paste what was copied last", ("shift+insert", "ctrl+shift+v")),
    TerminalCommand("select_all", "Select all", "Select the screen and the scrollback", ("ctrl+shift+a",)),
    TerminalCommand("previous_prompt", "Previous command", "Scroll to the prompt before", ("ctrl+shift+up",), True),
    TerminalCommand("next_prompt", "Next command", "Scroll to the prompt after", ("ctrl+shift+down",), True),
    TerminalCommand(
        "select_output", "Select output", "Select what the command in view printed", ("ctrl+shift+o",), True
    ),
    TerminalCommand("copy_output", "Copy output", "Copy what the last command printed", ("ctrl+shift+y",), True),
    TerminalCommand("open_link", "Open link", "Open the newest link in view, after asking", ("ctrl+shift+l",)),
    TerminalCommand("page_up", "Scroll up", "Look a page back", ("shift+pageup",), True),
    TerminalCommand("page_down", "Scroll down", "Look a page forth", ("shift+pagedown",), True),
    TerminalCommand("scroll_top", "Scroll to the start", "Look at the oldest line", ("shift+home",), True),
    TerminalCommand("scroll_bottom", "Scroll to the end", "Follow the output again", ("shift+end",), True),
    TerminalCommand("clear_scrollback", "Clear scrollback", "Forget the lines that scrolled away"),
    TerminalCommand("reset_terminal", "Reset terminal", "Repair a screen that a program left in disorder"),
)
"""All of them, in the order in which to show them."""

KEYS: Final = {key: command for command in COMMANDS for key in command.keys}
