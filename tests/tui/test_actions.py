"""One registry of actions: complete in both keymaps, and none in another's way."""

from __future__ import annotations

from collections import Counter

import pytest

from tui.actions import (
    ACTIONS,
    BY_NAME,
    GROUPS,
    KEYMAPS,
    Action,
    display_key,
    hints,
    key_of,
)
from tui.commands import ALIASES, CommandFault, command_names, complete, parse_command
from tui.environment_actions import ENVIRONMENT_ACTIONS, environment_screen_actions
from tui.keymaps import ALL_ACTIONS, textual_keymap, unknown_overrides
from tui.screens.environments import EnvironmentsScreen
from tui.screens.main import MainScreen

DEPLOYMENTS = {"web": "dpl-1", "worker": "dpl-2", "api": "dpl-3"}


def test_names_are_unique_and_every_action_is_whole() -> None:
    assert len(BY_NAME) == len(ACTIONS)
    assert len({action.name for action in ALL_ACTIONS}) == len(ALL_ACTIONS)
    for action in ALL_ACTIONS:
        assert action.help
        assert action.label
        assert action.group in GROUPS
        assert action.in_palette or all(action.keys(keymap) for keymap in KEYMAPS), action.name


@pytest.mark.parametrize("keymap", KEYMAPS)
@pytest.mark.parametrize("actions", [ACTIONS, environment_screen_actions()])
def test_no_key_does_two_things(keymap: str, actions: tuple[Action, ...]) -> None:
    counted = Counter(key for action in actions for key in action.keys(keymap))
    assert [key for key, times in counted.items() if times > 1] == []


def test_every_action_has_a_method() -> None:
    for action in ACTIONS:
        assert hasattr(MainScreen, f"action_{action.method or action.name}"), action.name
    for action in ENVIRONMENT_ACTIONS:
        assert hasattr(EnvironmentsScreen, f"action_{action.method or action.name}"), action.name


def test_deleting_is_not_on_the_key_that_scrolls() -> None:
    assert all("ctrl+d" not in BY_NAME["delete"].keys(keymap) for keymap in KEYMAPS)


def test_a_user_can_rebind_and_is_told_of_unknown_names() -> None:
    own = {"delete": "ctrl+k, f8", "explode": "x"}
    assert BY_NAME["delete"].keys("k9s", own) == ("ctrl+k", "f8")
    assert textual_keymap("k9s", own)["pilothouse.delete"] == "ctrl+k,f8"
    assert unknown_overrides(own) == ["explode"]


def test_keys_are_shown_as_people_write_them() -> None:
    assert [display_key(key) for key in ("question_mark", "ctrl+p", "escape", "f1", "S")] == [
        "?",
        "^p",
        "Esc",
        "F1",
        "S",
    ]
    assert key_of("panel_logs", "k9s") == "l"
    assert key_of("panel_logs", "lazydocker") == "m"
    shown = [key for key, _ in hints("k9s")]
    assert len(shown) == len(set(shown))
    assert shown[0] == "n"


def test_commands_find_actions_deployments_and_arguments() -> None:
    found = parse_command("scale web 3", DEPLOYMENTS)
    assert found is not None
    assert (found.target, found.deployment_id) == ("scale_to('3')", "dpl-1")
    found = parse_command("logs api", DEPLOYMENTS)
    assert found is not None
    assert (found.target, found.deployment_id) == ("show_panel('logs')", "dpl-3")
    assert parse_command("  ", DEPLOYMENTS) is None
    assert parse_command("q", DEPLOYMENTS).target == "quit"  # type: ignore[union-attr]
    assert parse_command("scale 2", DEPLOYMENTS).target == "scale('2')"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("delte web", "Did you mean 'delete'"),
        ("logs wbe", "Did you mean 'web'"),
        ("scale web many", "not a number"),
        ("quit now", "does not take"),
    ],
)
def test_commands_that_make_no_sense_say_what_would(text: str, said: str) -> None:
    with pytest.raises(CommandFault, match=said):
        parse_command(text, DEPLOYMENTS)


def test_completion() -> None:
    assert complete("scal", []) == "scale"
    assert complete("logs wor", list(DEPLOYMENTS)) == "logs worker"
    assert complete("quit w", list(DEPLOYMENTS)) is None
    assert complete("", []) is None
    assert set(ALIASES) <= set(command_names())
