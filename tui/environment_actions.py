"""What the environments screen can do: the same kind of registry as `tui.actions`, for its keys, help and palette."""

from __future__ import annotations

from tui.actions import BY_NAME, Action

# Key and label as elsewhere, where the meaning is the same; `name` is the method's, without the prefix.
ENVIRONMENT_ACTIONS: tuple[Action, ...] = (
    Action("env_new", "New", "Make an environment from a template", "Environment", ("n",), ("n",), 1, "backend"),
    Action(
        "env_shell", "Terminal", "A full-screen terminal in the environment", "Environment",
        ("s", "enter"), ("E", "enter"), 2, "backend",
    ),
    Action(
        "env_split", "Split", "A terminal beside those that are open", "Environment", ("S",), ("S",), 3, "backend"
    ),
    Action(
        "env_edit", "Edit", "Change name, resources, variables or idle stop", "Environment", ("e",), ("e",), 4,
        "backend",
    ),
    Action("env_stop", "Stop", "Stop the environment; its home stays", "Environment", ("x",), ("s",), 5, "backend"),
    Action("env_start", "Start", "Start the environment", "Environment", ("u",), ("u",), 6, "backend"),
    Action(
        "env_restart", "Restart", "Restart the environment, also after an error", "Environment", ("R",), ("r",), 7,
        "backend",
    ),
    Action(
        "env_delete", "Delete", "Delete the environment and its home (asks for its name)", "Environment",
        ("D", "delete"), ("d", "delete"), 8, "backend",
    ),
    Action(
        "env_overview", "Overview", "Status and resources", "Environment", ("2",), ("2",), 0, "backend",
        method="env_panel", parameter="overview",
    ),
    Action(
        "env_log", "Log", "The installation and the container's log", "Environment", ("l", "3"), ("m", "3"), 9,
        "backend", method="env_panel", parameter="log",
    ),
    Action(
        "env_list", "List", "Back to the list of environments", "Environment", ("1",), ("1",), 0, "backend",
        method="env_panel", parameter="list",
    ),
    Action("env_copy", "Copy", "Copy the selection, or the environment's name", "Environment", ("c",), ("c",)),
    Action("env_filter", "Filter", "Filter the list, or search the log", "Environment", ("slash",), ("slash",), 10),
)  # fmt: skip

STATUSES: dict[str, tuple[str, ...]] = {
    "env_shell": ("running",),
    "env_split": ("running",),
    "env_edit": ("running", "stopped", "error"),
    "env_stop": ("running",),
    "env_start": ("stopped",),
    "env_restart": ("running", "error"),
}
"""In which status of the selected environment the footer offers an action; others in any."""

WITHOUT_ONE = ("env_new", "env_filter")
"""What is done to no environment."""

SHARED = (
    "terminals", "new_terminal", "account", "notifications", "theme", "keymap", "reconnect", "palette", "help", "quit",
)  # fmt: skip
"""Names of actions of the app that this screen has too."""


def environment_screen_actions() -> tuple[Action, ...]:
    return (*ENVIRONMENT_ACTIONS, *(BY_NAME[name] for name in SHARED))


def fits(action: Action, status: str) -> bool:
    """Whether the footer offers it while the selected environment has that status; "" where none is selected."""
    if action.group != "Environment" or action.name in WITHOUT_ONE:
        return True
    return bool(status) and status in STATUSES.get(action.name, (status,))
