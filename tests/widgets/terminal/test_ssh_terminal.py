"""ssh to a real sshd on loopback: prompts, drops, the way back, and what cannot be reached."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ssh_server import SshServer
from tests.widgets.terminal.workspace_app import WorkspaceApp, command, shown_in, text_of, type_text, until
from widgets.terminal.ssh_pty import SshConnector, SshTarget
from widgets.terminal.terminal_pane import TerminalPlan

SIZE = (80, 24)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SshServer]:
    made = SshServer(tmp_path / "sshd")
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    try:
        yield made.start()
    finally:
        made.stop()


def plan_of(target: SshTarget) -> TerminalPlan:
    return TerminalPlan(target.label, SshConnector(target).open, reconnects=True)


async def test_the_host_key_is_asked_for_in_the_terminal_and_the_exit_code_told(
    server: SshServer, tmp_path: Path
) -> None:
    app = WorkspaceApp(tmp_path / "recordings")
    async with app.run_test(size=SIZE) as pilot:
        pane = await app.workspace.open(plan_of(SshTarget("box")))
        await until(pilot, lambda: "continue connecting (yes/no" in text_of(app))
        await type_text(pilot, "yes\n")
        await until(pilot, lambda: "Permanently added" in shown_in(pane) and shown_in(pane).rstrip()[-1] in "#$")
        await type_text(pilot, "echo $TERM; stty size; exit 7\n")
        await until(pilot, lambda: "It ended with code 7." in text_of(app))
        assert "xterm-256color" in shown_in(pane)
        assert "23 80" in shown_in(pane)


async def test_a_dropped_connection_comes_back_with_the_screen_kept(server: SshServer, tmp_path: Path) -> None:
    server.trust()
    app = WorkspaceApp(tmp_path / "recordings")
    async with app.run_test(size=SIZE) as pilot:
        pane = await app.workspace.open(plan_of(SshTarget("box")))
        await until(pilot, lambda: shown_in(pane).rstrip()[-1:] in ("#", "$"))
        await type_text(pilot, "echo before-$((40+2))\n")
        await until(pilot, lambda: "before-42" in shown_in(pane))
        server.go_down()
        await until(pilot, lambda: "is lost. Connecting again" in text_of(app))
        await until(pilot, lambda: "Connection refused" in shown_in(pane))
        assert "before-42" in shown_in(pane)
        server.start()
        await command(pilot, "ctrl+r")
        await until(pilot, lambda: "connected again" in shown_in(pane) and shown_in(pane).rstrip()[-1] in "#$")
        await type_text(pilot, "echo after-$((40+3))\n")
        await until(pilot, lambda: "after-43" in shown_in(pane))
        assert "before-42" in shown_in(pane)
        await type_text(pilot, "exit\n")
        await until(pilot, lambda: "It ended with code 0." in text_of(app))


async def test_what_cannot_be_reached_ends_at_once_with_ssh_words(server: SshServer, tmp_path: Path) -> None:
    server.trust()
    server.stop()
    app = WorkspaceApp(tmp_path / "recordings")
    async with app.run_test(size=SIZE) as pilot:
        await app.workspace.open(plan_of(SshTarget("box")))
        await until(pilot, lambda: "Connection refused" in text_of(app) and "ended with code 255" in text_of(app))
        server.start()
        await pilot.press("enter")
        await until(pilot, lambda: text_of(app).rstrip()[-1:] in ("#", "$"))
        await app.workspace.close(app.workspace.panes)
        await until(pilot, lambda: not server.connections())


async def test_a_jump_host_is_gone_through(server: SshServer, tmp_path: Path) -> None:
    server.trust()
    app = WorkspaceApp(tmp_path / "recordings")
    async with app.run_test(size=SIZE) as pilot:
        target = SshTarget("127.0.0.1", port=server.port, jump="box")
        await app.workspace.open(plan_of(target))
        await until(pilot, lambda: text_of(app).rstrip()[-1:] in ("#", "$"))
        assert len(server.connections()) == 2
        await type_text(pilot, "echo over-$((40+2))\n")
        await until(pilot, lambda: "over-42" in text_of(app))


async def test_a_machine_without_ssh_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    app = WorkspaceApp(tmp_path / "recordings")
    async with app.run_test(size=SIZE) as pilot:
        await app.workspace.open(plan_of(SshTarget("box")))
        await until(pilot, lambda: "There is no ssh on this machine" in text_of(app))
