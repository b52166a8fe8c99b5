"""The `:` commands: names of actions and their short forms, with an optional deployment and argument. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tui.actions import ACTIONS, Action

# Short forms from k9s, vim and docker, beside the names of the actions themselves.
ALIASES: dict[str, str] = {
    "deploy": "new", "run": "new", "create": "new", "update": "edit", "rm": "delete", "remove": "delete",
    "up": "start", "down": "stop", "sh": "panel_terminal", "shell": "panel_terminal", "exec": "panel_terminal",
    "terminal": "panel_terminal", "logs": "panel_logs", "log": "panel_logs", "metrics": "panel_metrics",
    "top": "panel_metrics", "stats": "panel_metrics", "overview": "panel_overview", "describe": "panel_overview",
    "why": "panel_history", "history": "panel_history", "events": "panel_history",
    "deployments": "panel_deployments", "list": "panel_deployments", "ls": "panel_deployments",
    "yaml": "as_text", "browse": "open", "q": "quit", "q!": "quit", "exit": "quit", "h": "help", "keys": "help",
    "retry": "reconnect", "domains": "panel_domains", "domain": "panel_domains", "profile": "account",
    "envs": "environments", "env": "environments", "dev": "environments",
    "user": "account", "apikeys": "account", "term": "terminals", "notices": "notifications", "logout": "log_out",
}  # fmt: skip


# These take whatever comes behind them.
TAKE_TEXT = frozenset({"ssh", "replay"})


class CommandFault(Exception):
    """A command that makes no sense; the text says what would."""


@dataclass(frozen=True, slots=True)
class Command:
    """`target` is a Textual action string; `deployment_id` is to be selected first, where given."""

    target: str
    deployment_id: str = ""


_COMMANDS: dict[str, Action] = {
    action.name: action for action in ACTIONS if action.in_palette and not action.name.startswith("panel_")
}
_COMMANDS |= {alias: next(action for action in ACTIONS if action.name == name) for alias, name in ALIASES.items()}


def command_names() -> list[str]:
    return sorted(_COMMANDS)


def takes_deployment(action: Action) -> bool:
    return action.needs == "deployment" or (action.method == "show_panel" and action.parameter != "deployments")


def _is_count(word: str) -> bool:
    return word.isascii() and word.isdecimal() and len(word) <= 4


def parse_command(text: str, deployments: Mapping[str, str]) -> Command | None:
    """`scale web 3`, `logs web`, `q`. `deployments` is id by app name. None for an empty line. Raises CommandFault."""
    words = text.split()
    if not words:
        return None
    name, *arguments = words
    action = _COMMANDS.get(name)
    if action is None:
        near = difflib.get_close_matches(name, _COMMANDS, n=1)
        raise CommandFault(
            f"There is no command {name!r}." + (f" Did you mean {near[0]!r}?" if near else " ? shows all.")
        )
    deployment_id = ""
    if takes_deployment(action) and arguments:
        if arguments[0] in deployments:
            deployment_id = deployments[arguments.pop(0)]
        elif not (action.name == "scale" and _is_count(arguments[0])):
            near = difflib.get_close_matches(arguments[0], deployments, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise CommandFault(f"There is no deployment {arguments[0]!r}.{hint}")
    if action.name == "scale" and arguments:
        if len(arguments) > 1:
            raise CommandFault(f"{name} does not take {arguments[1]!r}")
        if not _is_count(arguments[0]):
            raise CommandFault(f"{arguments[0]!r} is not a number of replicas")
        # With a name nothing is left to ask; a bare number is shown with the deployment that it would change.
        return Command(f"{'scale_to' if deployment_id else 'scale'}({arguments[0]!r})", deployment_id)
    if action.name in TAKE_TEXT and arguments:
        return Command(f"{action.name}({' '.join(arguments)!r})")
    if arguments:
        raise CommandFault(f"{name} does not take {arguments[0]!r}")
    return Command(action.target, deployment_id)


def complete(text: str, deployments: Sequence[str]) -> str | None:
    """The whole line with its last word completed, where exactly the start of something known was typed."""
    if not text or text != text.lstrip():
        return None
    head, space, word = text.rpartition(" ")
    if not space:
        return next((name for name in command_names() if name.startswith(word) and name != word), None)
    action = _COMMANDS.get(head.split()[0])
    if action is None or not takes_deployment(action) or " " in head or not word:
        return None
    found = next((name for name in sorted(deployments) if name.startswith(word) and name != word), None)
    return f"{head} {found}" if found else None
