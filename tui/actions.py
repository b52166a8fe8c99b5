"""Every action of the app, once: its keys in each keymap, its words for footer, help screen and palette.

Screens build their Textual bindings from this registry; an action `scale` is done by the method `action_scale` of
the screen that is in front. Deleting is `D` and not the `ctrl+d` of k9s: in less, vim and our own lists `ctrl+d`
scrolls, and a habit of scrolling must not end in a delete.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Group = Literal["Deployment", "Look at", "Panels", "List", "Terminals", "Environment", "App"]
Needs = Literal["nothing", "backend", "deployment"]
GROUPS: tuple[Group, ...] = ("Deployment", "Look at", "Panels", "List", "Terminals", "Environment", "App")
KEYMAPS: tuple[str, ...] = ("k9s", "lazydocker")
DEFAULT_KEYMAP = "k9s"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a user can do. `keys` are Textual key names per keymap; `hint` is its rank in the footer, from 1
    (0: not there); `needs` says what must be there for it to work; `parameter` is handed to the action method. One
    without keys is in the palette and a command; `chord` is how it is reached by key all the same."""

    name: str
    label: str
    help: str
    group: Group
    k9s: tuple[str, ...]
    lazydocker: tuple[str, ...]
    hint: int = 0
    needs: Needs = "nothing"
    method: str = ""
    parameter: str = ""
    in_palette: bool = True
    chord: str = ""

    def keys(self, keymap: str, overrides: Mapping[str, str] | None = None) -> tuple[str, ...]:
        """The keys in that keymap, or the user's own from the settings file."""
        if overrides and (own := overrides.get(self.name)):
            return tuple(key.strip() for key in own.split(",") if key.strip())
        return self.lazydocker if keymap == "lazydocker" else self.k9s

    @property
    def target(self) -> str:
        """The action string for a Textual binding."""
        return f"{self.method or self.name}({self.parameter!r})" if self.parameter else (self.method or self.name)


def _panel(number: str, name: str, label: str, extra: tuple[str, ...] = (), lazy: tuple[str, ...] = ()) -> Action:
    return Action(
        name=f"panel_{name}",
        label=label,
        help=f"Go to {label}",
        group="Look at" if name != "deployments" else "Panels",
        k9s=(number, *extra),
        lazydocker=(number, *lazy),
        method="show_panel",
        parameter=name,
        hint={"logs": 20, "terminal": 21, "metrics": 22}.get(name, 0),
    )


ACTIONS: tuple[Action, ...] = (
    Action("new", "New", "Deploy an image", "Deployment", ("n",), ("n",), 1, "backend"),
    Action("edit", "Edit", "Change image, environment or limits", "Deployment", ("e",), ("e",), 3, "deployment"),
    Action("scale", "Scale", "Change the number of replicas", "Deployment", ("S",), ("S",), 4, "deployment"),
    Action(
        "stop",
        "Stop",
        "Stop the deployment, or all marked ones (asks first)",
        "Deployment",
        ("x",),
        ("s",),
        6,
        "deployment",
    ),
    Action("start", "Start", "Start the deployment, or all marked ones", "Deployment", ("u",), ("u",), 7, "deployment"),
    Action(
        "delete",
        "Delete",
        "Delete the deployment, or all marked ones (asks first)",
        "Deployment",
        ("D", "delete"),
        ("d", "delete"),
        8,
        "deployment",
    ),
    Action(
        "open",
        "Open",
        "Open the URL in the browser; over SSH or without a desktop, copy it",
        "Deployment",
        ("o",),
        ("w",),
        5,
        "deployment",
    ),
    Action(
        "copy", "Copy", "Copy the URL, or the selected text of the panel", "Deployment", ("c",), ("c",), 0, "deployment"
    ),
    Action(
        "add_domain", "Add domain", "Give the deployment a domain of your own", "Deployment", (), (), 0, "deployment"
    ),
    _panel("1", "deployments", "Deployments"),
    _panel("2", "overview", "Overview", ("d",), ("i",)),
    _panel("3", "logs", "Logs", ("l",), ("m",)),
    _panel("4", "metrics", "Metrics", ("m",), ("M",)),
    _panel("5", "terminal", "Terminal", ("s",), ("E",)),
    _panel("6", "history", "Why?", ("h",), ("h",)),
    _panel("7", "domains", "Domains", ("i",), ("I",)),
    Action(
        "as_text", "YAML", "Show the deployment as text, to read or copy", "Look at", ("y",), ("y",), 0, "deployment"
    ),
    Action("next_tab", "Next tab", "Show the next tab", "Panels", ("right_square_bracket",), ("right_square_bracket",)),
    Action(
        "previous_tab",
        "Previous tab",
        "Show the tab before",
        "Panels",
        ("left_square_bracket",),
        ("left_square_bracket",),
    ),
    Action("zoom", "Zoom", "Give the focused panel more room", "Panels", ("plus", "z"), ("plus", "z"), 30),
    Action("unzoom", "Unzoom", "Give the panels their room back", "Panels", ("underscore",), ("underscore",)),
    Action("filter", "Filter", "Filter the list, or search the logs", "List", ("slash",), ("slash",), 9),
    Action("sort", "Sort", "Sort by the next column", "List", ("greater_than_sign",), ("greater_than_sign",)),
    Action("reverse_sort", "Reverse", "Turn the order of the list", "List", ("O",), ("O",)),
    Action(
        "mark",
        "Mark",
        "Mark the deployment for stop, start and delete",
        "List",
        ("space",),
        ("space",),
        0,
        "deployment",
    ),
    Action(
        "command", "Command", "Type a command, with completion", "App", ("colon",), ("colon",), 40, in_palette=False
    ),
    Action("palette", "Palette", "Search every command", "App", ("ctrl+p",), ("ctrl+p",), 0, in_palette=False),
    Action("help", "Help", "Show all keys", "App", ("question_mark", "f1"), ("question_mark", "f1"), 41),
    Action(
        "environments",
        "Environments",
        "Development environments: make, watch, open a terminal",
        "Panels",
        ("v",),
        ("v",),
        10,
        "backend",
    ),
    Action("account", "Account", "Profile, password and API keys", "App", ("A",), ("A",), 0, "backend"),
    Action("notifications", "Notifications", "What happened lately", "App", ("N",), ("N",)),
    Action("mute", "Mute", "Mute notifications, or let them pop up again", "App", ("M",), ("ctrl+n",)),
    Action("log_out", "Log out", "End the login at a remote backend", "App", (), (), 0, "backend"),
    Action("theme", "Theme", "Switch to the next theme", "App", ("T",), ("T",)),
    Action("keymap", "Keymap", "Switch between the k9s-like and the lazydocker-like keys", "App", ("K",), ("K",)),
    Action("reconnect", "Reconnect", "Connect to the backend again and fetch all", "App", ("ctrl+r",), ("ctrl+r",)),
    Action(
        "back",
        "Back",
        "Close, clear marks and filter, or go back to the list",
        "App",
        ("escape",),
        ("escape",),
        in_palette=False,
    ),
    Action("quit", "Quit", "Leave; deployments keep running", "App", ("q", "ctrl+q"), ("q", "ctrl+q"), 42),
    Action("terminals", "Terminals", "A screen of terminals, in tabs and splits", "Terminals", ("t",), ("t",), 23),
    Action(
        "new_terminal", "New terminal", "A terminal: in a replica or environment, here, by ssh; or a recording",
        "Terminals", ("ctrl+t",), ("ctrl+t",),
    ),
    Action(
        "full_screen_terminal", "Full screen", "Move the deployment's shell to a whole screen, or open one there",
        "Terminals", ("F",), ("F",), 0, "deployment",
    ),
    Action(
        "split_terminal", "Split", "Move the deployment's shell beside the terminal last in front", "Terminals",
        ("vertical_line",), ("vertical_line",), 0, "deployment",
    ),
    Action("local_shell", "Local shell", "Your shell on this machine", "Terminals", (), ()),
    Action("ssh", "SSH", "A shell on another host, by your own ssh", "Terminals", (), ()),
    Action("replay", "Replay", "Play a recording of a terminal", "Terminals", (), ()),
)  # fmt: skip

# What the footer shows while the focus is in a panel with keys of its own: (key, what it does).
PANEL_HINTS: dict[str, tuple[tuple[str, str], ...]] = {
    "logs": (
        ("slash", "Search"),
        ("n", "Next"),
        ("N", "Previous"),
        ("ampersand", "Filter"),
        ("L", "Level"),
        ("space", "Pause"),
        ("w", "Wrap"),
        ("t", "Time"),
        ("f", "Full screen"),
        ("c", "Copy"),
        ("escape", "Back"),
    ),
    "terminal": (("ctrl+backslash", "Leave the shell"), ("ctrl+q", "Quit")),
    "terminal_ended": (("enter", "New shell"), ("escape", "Back")),
    "history": (
        ("t", "Kind"),
        ("n", "Next fault"),
        ("N", "Previous fault"),
        ("c", "Copy"),
        ("escape", "Back"),
    ),
    "domains": (("a", "Add"), ("D", "Remove"), ("c", "Copy records"), ("r", "Ask again"), ("escape", "Back")),
    "metrics": (("less_than_sign", "Shorter"), ("greater_than_sign", "Longer"), ("plus", "Zoom"), ("escape", "Back")),
}

BY_NAME: dict[str, Action] = {action.name: action for action in ACTIONS}

_DISPLAY = {
    "question_mark": "?",
    "slash": "/",
    "ampersand": "&",
    "less_than_sign": "<",
    "ctrl+backslash": "^\\",
    "vertical_line": "|",
    "greater_than_sign": ">",
    "colon": ":",
    "plus": "+",
    "underscore": "_",
    "right_square_bracket": "]",
    "left_square_bracket": "[",
    "escape": "Esc",
    "space": "Space",
    "delete": "Del",
    "enter": "Enter",
}


def display_key(key: str) -> str:
    """A key as people write it: `?`, `^p`, `Esc`."""
    if key in _DISPLAY:
        return _DISPLAY[key]
    if key.startswith("ctrl+"):
        return f"^{key.removeprefix('ctrl+')}"
    return key.upper() if len(key) > 1 and key[0] == "f" and key[1:].isdigit() else key


def key_of(name: str, keymap: str, overrides: Mapping[str, str] | None = None) -> str:
    """The first key of an action, for a sentence such as `press n to deploy`."""
    return display_key(BY_NAME[name].keys(keymap, overrides)[-1 if name.startswith("panel_") else 0])


def hints(keymap: str, overrides: Mapping[str, str] | None = None) -> list[tuple[str, Action]]:
    """(key, action) for the footer, in order of rank."""
    ranked = sorted((action for action in ACTIONS if action.hint), key=lambda action: action.hint)
    return [(key_of(action.name, keymap, overrides), action) for action in ranked]


def default_keys(action: Action) -> str:
    """What a binding is made with. For an action without keys a name that no key has, so that users can give it one."""
    return ",".join(action.k9s) or f"unbound_{action.name}"


def binding_id(action: Action) -> str:
    return f"pilothouse.{action.name}"
