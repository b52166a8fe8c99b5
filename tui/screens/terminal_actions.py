"""What the main screen does about terminals: it opens them, and moves the Terminal tab's shell to their screen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from tui.key_order import OPENS_SCREEN
from tui.screens.main_actions import DeploymentActions

if TYPE_CHECKING:
    from backend.wire.pilothouse import DeploymentModel
    from tui.client.connection import Backend
    from tui.panels.terminal import TerminalPanel


class TerminalActions(DeploymentActions):
    """Works from wherever the focus is on the main screen."""

    def shell_panel(self) -> TerminalPanel | None:
        """The Terminal tab, where it has been made."""
        found = self.query("#terminal")
        return cast("TerminalPanel", found.first()) if found else None

    async def action_own(self, name: str) -> None:
        """Something that the Terminal tab's terminal does by itself, such as its copy mode."""
        panel = self.shell_panel()
        if panel is not None and panel.shell is not None:
            await self.run_action("show_panel('terminal')")
            panel.shell.call_later(panel.shell.run_action, name)

    async def action_terminals(self) -> None:
        self.run_worker(self._show_terminals(), group=OPENS_SCREEN, exclusive=True)

    async def _show_terminals(self) -> None:
        screen = await self.app.terminals.show()
        if not screen.workspace.panes:
            self.app.terminals.choose(first=self.table.selected_key or "")

    def action_new_terminal(self) -> None:
        self.app.terminals.choose(first=self.table.selected_key or "")

    def action_full_screen_terminal(self) -> None:
        self._shell_in_terminals(split=False)

    def action_split_terminal(self) -> None:
        self._shell_in_terminals(split=True)

    def _shell_in_terminals(self, *, split: bool) -> None:
        deployment, backend = self.selected(), self.backend
        if deployment is None or backend is None:
            self.say_nothing_selected()
            return
        self.run_worker(self._move_shell(backend, deployment, split=split), group=OPENS_SCREEN, exclusive=True)

    async def _move_shell(self, backend: Backend, deployment: DeploymentModel, *, split: bool) -> None:
        """The shell of the Terminal tab goes there with its screen; without one, another is opened there."""
        panel = self.shell_panel()
        moved = panel.hand_over(deployment.id) if panel is not None else None
        terminals = self.app.terminals
        await terminals.open(terminals.replica(backend, deployment.id, deployment.app_name, moved=moved), split=split)

    def action_local_shell(self) -> None:
        terminals = self.app.terminals
        self.run_worker(terminals.open(terminals.local_shell()), group=OPENS_SCREEN, exclusive=True)

    def action_ssh(self, target: str = "") -> None:
        """With a target at once; without one a form asks for it."""
        from widgets.terminal.ssh_pty import TargetError, parse_target

        terminals = self.app.terminals
        if not target:
            terminals.ask_host()
            return
        try:
            plan = terminals.ssh(parse_target(target))
        except TargetError as fault:
            self.notify(str(fault), title="SSH", severity="warning", markup=False)
            return
        self.run_worker(terminals.open(plan), group=OPENS_SCREEN, exclusive=True)

    def action_replay(self, path: str = "") -> None:
        """With a path at once; without one it is chosen from a list."""
        if not path:
            self.app.terminals.choose()
            return
        self.run_worker(self._replay(path), group=OPENS_SCREEN, exclusive=True)

    async def _replay(self, path: str) -> None:
        fault = await self.app.terminals.replay(Path(path))
        if fault:
            self.notify(fault, title="Replay", severity="error", timeout=10, markup=False)
