"""The screen of terminals: replicas, this machine, ssh, recordings; what runs there stays while one is elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import docker
import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import OptionList

from tests.backend.running_backend import RunningBackend
from tests.ssh_server import SshServer
from tests.tui.driving import text_of, type_text, until, until_gone, until_shown
from tui.app import PilothouseApp
from tui.presentation.terminals import filtered, other_choices, typed_choice
from tui.screens.new_terminal import NewTerminalScreen
from tui.screens.terminals import TerminalsScreen
from widgets.terminal.terminal_pane import TerminalPane

SIZES = [(80, 24), (200, 50)]


@pytest.fixture
def sshd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SshServer]:
    made = SshServer(tmp_path / "sshd")
    made.trust()
    for name, value in (made.environment | {"SHELL": "/bin/sh", "PS1": "here> "}).items():
        monkeypatch.setenv(name, value)
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture
def two_replicas(backend: RunningBackend, static_image: str) -> Iterator[str]:
    with backend.tcp(backend.owner_token()) as api:
        body = {"appName": "web", "image": static_image, "port": 80, "replicas": 2}
        made = api.post("/v1/deployments", json=body).json()["id"]
        try:
            yield made
        finally:
            api.delete(f"/v1/deployments/{made}")


def known(app: PilothouseApp) -> dict[str, Any]:
    return app.main.state.deployments if app.main.state else {}


async def until_ready(pilot: Pilot[None], app: PilothouseApp, replicas: int) -> None:
    await until(
        pilot,
        lambda: [r.phase for d in known(app).values() for r in d.replica_list] == ["ready"] * replicas,
        f"{replicas} replicas",
    )


async def type_line(pilot: Pilot[None], text: str) -> None:
    """To the program in front, in one go."""
    assert pilot.app.focused is not None
    for character in text:
        pilot.app.focused.post_message(events.Key(character, character))
    pilot.app.focused.post_message(events.Key("enter", "\r"))
    await pilot.pause()


async def choose(pilot: Pilot[None], words: str) -> None:
    """In the list of what a terminal can be."""
    await until(pilot, lambda: isinstance(pilot.app.screen, NewTerminalScreen), "the choice")
    await type_text(pilot, words)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, TerminalsScreen), "the terminals")


@pytest.mark.parametrize("size", SIZES)
async def test_a_shell_of_this_machine_stays_while_one_is_elsewhere(
    app: PilothouseApp, sshd: SshServer, size: tuple[int, int]
) -> None:
    async with app.run_test(size=size, notifications=True) as pilot:
        await until_shown(pilot, "No deployments yet")
        await pilot.press("t")
        await until_shown(pilot, "New terminal", "This machine", "ssh box")
        await choose(pilot, "this")
        await until_shown(pilot, "here>")
        await type_line(pilot, "x=$((40+2)); echo pid-$$-")
        await until_shown(pilot, "pid-", "^\\ Commands")
        await pilot.press("ctrl+backslash")
        await until_shown(pilot, "split right", "record")
        await pilot.press("ctrl+backslash")
        await until(pilot, lambda: app.screen is app.main, "the main screen")
        await pilot.press("t")
        await until_shown(pilot, "pid-")
        await type_line(pilot, "echo $x-still")
        await until_shown(pilot, "42-still")
        await pilot.press("ctrl+backslash", "vertical_line")
        await until(pilot, lambda: len(app.terminals.running) == 2, "the split")
        await pilot.press("ctrl+q")
        await until_shown(pilot, "Leave, and close 2 terminals?")
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, TerminalsScreen), "the terminals")
        await pilot.press("ctrl+backslash", "x")
        await until_shown(pilot, "Close local?")
        await pilot.press("y")
        await until(pilot, lambda: len(app.terminals.running) == 1, "the end of one")
        found = text_of(pilot).split("pid-")[2].split("-")[0]
    assert not (Path("/proc") / found).exists()


async def test_ssh_by_command_by_form_and_by_the_names_of_the_configuration(
    app: PilothouseApp, sshd: SshServer
) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_shown(pilot, "No deployments yet")
        await pilot.press("colon")
        await type_text(pilot, "ssh -oProxyCommand=x")
        await pilot.press("enter")
        await until_shown(pilot, "is no host")
        await pilot.press("colon")
        await type_text(pilot, "ssh box")
        await pilot.press("enter")
        await until_shown(pilot, " 1 box ")
        await until(pilot, lambda: text_of(pilot).splitlines()[1].rstrip()[-1:] in ("#", "$"), "its prompt")
        await pilot.press("ctrl+backslash", "c")
        await until(pilot, lambda: isinstance(app.screen, NewTerminalScreen), "the choice")
        await type_text(pilot, "host that you")
        await pilot.press("enter")
        await until_shown(pilot, "SSH to a host", "Jump host")
        await type_text(pilot, "-l")
        await pilot.press("ctrl+s")
        await until_shown(pilot, "is no host")
        await pilot.press("ctrl+u")
        await type_text(pilot, "127.0.0.1")
        await pilot.press("tab", "tab")
        await type_text(pilot, str(sshd.port))
        await pilot.press("ctrl+s")
        await until_shown(pilot, f" 2 127.0.0.1:{sshd.port} ")
        await until(pilot, lambda: text_of(pilot).splitlines()[1].rstrip()[-1:] in ("#", "$"), "its prompt")


async def test_the_shell_of_the_terminal_tab_moves_to_a_whole_screen(app: PilothouseApp, two_replicas: str) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_ready(pilot, app, 2)
        await pilot.press("s")
        await until_shown(pilot, "^\\ leaves", "^\\ F Full screen")
        await type_line(pilot, "kept=$((40+2)); echo in-the-tab")
        await until_shown(pilot, "in-the-tab")
        await pilot.press("ctrl+backslash", "F")
        await until(pilot, lambda: isinstance(app.screen, TerminalsScreen), "the terminals")
        await until_shown(pilot, " 1 web ", "in-the-tab")
        await type_line(pilot, "echo $kept-moved; stty size")
        await until_shown(pilot, "42-moved", "22 80")
        await pilot.press("ctrl+backslash", "ctrl+backslash")
        await until_shown(pilot, "The shell is in Terminals now.")
        await pilot.press("s")
        await until_shown(pilot, "^\\ leaves")
        await type_line(pilot, "echo $kept-another")
        await until_shown(pilot, "-another")
        assert "42-another" not in text_of(pilot)
        await pilot.press("ctrl+backslash", "vertical_line")
        await until(pilot, lambda: len(app.terminals.running) == 2, "the split")
        await until_shown(pilot, "42-moved", "-another", "│")


async def test_a_replica_is_chosen_and_a_restart_of_the_backend_survived(
    app: PilothouseApp, backend: RunningBackend, two_replicas: str
) -> None:
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await until_ready(pilot, app, 2)
        replicas = sorted(r.name for d in known(app).values() for r in d.replica_list)
        for name in replicas:
            await pilot.press("ctrl+t")
            await choose(pilot, "web " + "-".join(name.rsplit("-", 2)[1:]))
            await until(pilot, lambda: len(app.terminals.running) == len(_panes(app)), "the shell")
            await until_shown(pilot, "~ #")
            await type_line(pilot, "hostname")
            await pilot.press("ctrl+backslash", "ctrl+backslash")
        screens = ["\n".join(pane.terminal.emulator.display) for pane in _panes(app)]
        assert len(screens) == 2
        await pilot.press("t")
        await type_line(pilot, "kept=$((40+2)); echo start''ed")
        await until_shown(pilot, "started")
        # The backend goes, and the shell goes on: its screen and its variables. One that is killed the app starts
        # again by itself.
        assert await asyncio.to_thread(backend.terminate) == 0
        await until_shown(pilot, "Next attempt in")
        await asyncio.to_thread(backend.start)
        await until_gone(pilot, "Next attempt")
        await until_shown(pilot, "hostname", "started")
        await type_line(pilot, "echo $kept-again")
        await until_shown(pilot, "42-again")
        assert "new shell" not in text_of(pilot)
        await type_line(pilot, "sleep 61234")
        await until(pilot, lambda: "sleep 61234" in processes(), "the program")
        # Closing a terminal ends what runs in it, and the other goes on.
        await pilot.press("ctrl+backslash", "x")
        await until_shown(pilot, "Close web")
        await pilot.press("y")
        await until(pilot, lambda: len(_panes(app)) == 1, "the end of one")
        await until(pilot, lambda: "61234" not in processes(), "the end of what ran in it")
        assert len(app.terminals.running) == 1


def processes() -> str:
    """Those of all replicas on the engine."""
    api = docker.from_env().api
    found = api.containers(filters={"label": "pilothouse.kind=deployment"})
    told = []
    for each in found:
        with suppress(docker.errors.APIError):  # one of another test may be gone by now
            told.append(str(api.top(each["Id"])["Processes"]))
    return "\n".join(told)


def _panes(app: PilothouseApp) -> list[TerminalPane]:
    screen = app.terminals.screen
    return [pane for pane in screen.workspace.panes if isinstance(pane, TerminalPane)] if screen else []


async def test_a_recording_is_made_and_replayed(app: PilothouseApp, sshd: SshServer) -> None:
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await until_shown(pilot, "No deployments yet")
        await pilot.press("ctrl+t")
        await choose(pilot, "this")
        await until_shown(pilot, "here>")
        await pilot.press("ctrl+backslash", "R")
        await until_shown(pilot, "Recording to", "What is typed is not in it")
        await type_line(pilot, "echo recorded-$((40+2))")
        await until_shown(pilot, "recorded-42")
        await pilot.press("ctrl+backslash", "R")
        await until_shown(pilot, "Recorded to")
        (made,) = app.terminals.recordings.iterdir()
        assert made.stat().st_mode & 0o777 == 0o600
        await pilot.press("ctrl+backslash", "c")
        await until_shown(pilot, made.name[:20])
        await choose(pilot, made.name)
        await until_shown(pilot, " 2 ▷ local ", "recorded-42", " / 0:0")
        await pilot.press("ctrl+backslash", "ctrl+backslash", "colon")
        await type_text(pilot, "replay /nowhere.cast")
        await pilot.press("enter")
        await until_shown(pilot, "There is no file /nowhere.cast")
        made.unlink()


async def test_the_palette_and_the_mouse_reach_it_all(app: PilothouseApp, sshd: SshServer) -> None:
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until_shown(pilot, "No deployments yet")
        await pilot.press("ctrl+p")
        await type_text(pilot, "local shell")
        await until_shown(pilot, "Your shell on this machine")
        await pilot.press("enter")
        await until_shown(pilot, "here>")
        await pilot.click(offset=(text_of(pilot).splitlines()[0].index("+"), 0))
        await until(pilot, lambda: isinstance(app.screen, NewTerminalScreen), "the choice")
        await pilot.click(OptionList, offset=(4, 0))
        await until_shown(pilot, " 2 local ")
        footer = text_of(pilot).splitlines()[-1]
        await pilot.click(offset=(footer.index("^\\ | Split"), 39))
        await until(pilot, lambda: len(_panes(app)) == 3, "the split")
        # Behind the leader key, since programs get ctrl+p; a word of the help finds it too.
        await pilot.press("ctrl+backslash", "colon")
        await type_text(pilot, "disorder")
        await until_shown(pilot, "Reset terminal", "Repair a screen that a program left in disorder")
        await pilot.press("escape")
        await pilot.press("ctrl+backslash", "question_mark")
        await until_shown(pilot, "In Terminals", "Search every command")
        await pilot.press("escape")
        await type_line(pilot, "exit")
        await until_shown(pilot, "It ended with code 0.")
        await pilot.press("ctrl+p")
        await type_text(pilot, "search")
        await until_shown(pilot, "Find text in the scrollback")
        await pilot.press("escape")
        await pilot.press("ctrl+p")
        await type_text(pilot, "rename")
        await pilot.press("enter")
        await pilot.press("ctrl+u")
        await type_text(pilot, "mine")
        await pilot.press("enter")
        await until_shown(pilot, " 2 mine ")


def test_what_is_typed_into_the_choice_may_be_a_host_or_a_path() -> None:
    choices = other_choices(["web", "-bad", "b c"], ["/x/2026.cast"])
    assert [choice.label for choice in choices] == ["This machine", "SSH…", "ssh web", "2026.cast"]
    assert [choice.label for choice in filtered(choices, "ssh web")] == ["ssh web"]
    assert filtered(choices, "ada@box:22")[0].label == "ssh ada@box:22"
    assert filtered(choices, "ssh other")[0].label == "ssh other"
    assert filtered(choices, "~/a.cast")[0].path == "~/a.cast"
    assert typed_choice("web") is None
    assert typed_choice("ssh -oProxyCommand=x") is None


async def test_terminals_are_told_of_and_reached_from_the_other_screens(app: PilothouseApp, sshd: SshServer) -> None:
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until_shown(pilot, "No deployments yet")
        await pilot.press("v")
        await until_shown(pilot, "No environments yet")
        await pilot.press("ctrl+t")
        await choose(pilot, "this")
        await until_shown(pilot, "here>")
        await pilot.press("ctrl+backslash", "vertical_line")
        await until(pilot, lambda: len(_panes(app)) == 2, "the split")
        await pilot.press("ctrl+backslash", "M")
        await until_shown(pilot, "what you type goes to 2 terminals", "typed into with all marked ones")
        await pilot.press("ctrl+backslash", "M")
        await until_gone(pilot, "what you type goes to")
        await pilot.press("ctrl+backslash", "d")
        await until_shown(pilot, "No environments yet")
        await pilot.press("escape")
        await until_shown(pilot, "No deployments yet", "▣ 2 terminals")
        await pilot.click(offset=(text_of(pilot).splitlines()[0].index("▣") + 2, 0))
        await until_shown(pilot, "here>", "^\\ Commands")
        await pilot.press("ctrl+backslash", "x")
        await until_shown(pilot, "Close local?")
