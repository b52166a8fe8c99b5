"""The app's terminals: one screen of tabs and splits that stays as it is while one looks at something else."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from backend.wire.rendezvous import resolve_data_dir
from tui.key_order import OPENS_SCREEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from backend.wire.pilothouse_environments import EnvironmentsFrame
    from tui.app import PilothouseApp
    from tui.client.connection import Backend
    from tui.presentation.terminals import TerminalChoice
    from tui.screens.new_terminal import NewTerminalScreen
    from tui.screens.terminals import TerminalsScreen
    from widgets.terminal.source import SourceFactory, TerminalSource
    from widgets.terminal.ssh_pty import SshTarget
    from widgets.terminal.terminal_pane import TerminalPlan

SCREEN_NAME = "terminals"
RECORDINGS_FOLDER = "recordings"


class Terminals:
    """Makes the screen when the first terminal is wanted; nothing of it is loaded before."""

    def __init__(self, app: PilothouseApp, data_dir: Path | None) -> None:
        self._app = app
        self._data_dir = data_dir
        self._screen: TerminalsScreen | None = None

    @property
    def recordings(self) -> Path:
        """Where recordings are, in the data folder of the local backend's installation. Not made."""
        return resolve_data_dir(self._data_dir) / RECORDINGS_FOLDER

    @property
    def screen(self) -> TerminalsScreen | None:
        """None before the first use."""
        return self._screen

    @property
    def running(self) -> list[str]:
        """Titles of those in which something runs."""
        return [pane.title for pane in self._screen.workspace.panes if pane.running] if self._screen else []

    @property
    def ending_with_app(self) -> list[str]:
        """Titles of all in which something runs, that of the Terminal tab too."""
        panel = self._app.main.shell_panel()
        return [*self.running, *(panel.running if panel is not None else ())]

    async def show(self) -> TerminalsScreen:
        """Bring the screen to the front."""
        from tui.screens.terminals import TerminalsScreen

        app = self._app
        if self._screen is None:
            self._screen = TerminalsScreen(self.recordings)
            app.install_screen(self._screen, SCREEN_NAME)
        if self._screen not in app.screen_stack:
            await app.push_screen(SCREEN_NAME)
        return self._screen

    async def open(self, plan: TerminalPlan, *, split: bool = False, full_screen: bool = True) -> None:
        """Open a terminal in a tab, or beside the one in front; see `PilothouseApp.open_terminal`."""
        known = self._screen
        # A screen has no room for anything before it was shown once.
        screen = known if known is not None and not full_screen else await self.show()
        await screen.workspace.open(plan, split="row" if split else None)
        if known is None and not full_screen:
            screen.leave()

    def hurry(self) -> None:
        """The backend is there again: dropped terminals wait no longer for their next attempt."""
        if self._screen is not None:
            self._screen.workspace.hurry()
        panel = self._app.main.shell_panel()
        if panel is not None:
            panel.hurry()

    # --- choosing -----------------------------------------------------------------------------------------

    def choose(self, *, first: str = "", split: bool = False) -> None:
        """Ask what to open, with the choices of the deployment `first` on top; then open it."""
        from tui.screens.new_terminal import NewTerminalScreen

        app = self._app
        state = app.backend.live.state if app.backend is not None else None
        deployments = list(state.deployments.values()) if state is not None else []
        deployments.sort(key=lambda each: (each.id != first, each.app_name))

        screen = NewTerminalScreen(deployments, self.recordings)
        unfollow = self._tell_environments(app.backend, screen) if app.backend is not None else None

        def chosen(choice: TerminalChoice | None) -> None:
            if unfollow is not None:
                unfollow()
            if choice is not None:
                app.run_worker(self.open_choice(choice, split=split), group=OPENS_SCREEN)

        app.push_screen(screen, chosen)

    def _tell_environments(self, backend: Backend, screen: NewTerminalScreen) -> Callable[[], None]:
        """Keeps the screen told of the environments; what it returns ends that."""
        from tui.client.environments import EnvironmentState

        known = EnvironmentState()

        def came(frame: EnvironmentsFrame) -> None:
            known.take(frame)
            screen.show_environments(known.environments.values())

        number = backend.live.follow_environments(came)
        return lambda: backend.live.unsubscribe(number)

    async def open_choice(self, choice: TerminalChoice, *, split: bool = False) -> None:
        """Open what was chosen; what keeps it from opening is told."""
        app = self._app
        match choice.kind:
            case "replica" if app.backend is not None:
                await self.open(
                    self.replica(app.backend, choice.deployment_id, choice.app_name, choice.replica), split=split
                )
            case "environment" if app.backend is not None:
                await self.open(self.environment(app.backend, choice.environment_id, choice.label), split=split)
            case "local":
                await self.open(self.local_shell(), split=split)
            case "ssh" if choice.target is not None:
                await self.open(self.ssh(choice.target), split=split)
            case "ssh":
                self.ask_host(split=split)
            case "replay":
                fault = await self.replay(Path(choice.path))
                if fault:
                    app.notify(fault, title="Replay", severity="error", timeout=10, markup=False)

    def ask_host(self, *, split: bool = False) -> None:
        """The form for a host; then open it."""
        from tui.screens.ssh_form import SshForm

        def filled(target: SshTarget | None) -> None:
            if target is not None:
                self._app.run_worker(self.open(self.ssh(target), split=split), group=OPENS_SCREEN)

        self._app.push_screen(SshForm(), filled)

    # --- what can be opened -------------------------------------------------------------------------------

    def replica(
        self,
        backend: Backend,
        deployment_id: str,
        app_name: str,
        replica: str = "",
        *,
        moved: tuple[SourceFactory, str] | None = None,
    ) -> TerminalPlan:
        """A shell in a replica, in the first one that is ready where none is named. It ends with its terminal, but is
        found again where only the connection was lost. `moved`: one that ran elsewhere, and its session."""
        from tui.presentation.logs import short_replica
        from widgets.terminal.terminal_pane import TerminalPlan

        first, session = moved or (None, new_session())

        async def start(columns: int, rows: int) -> TerminalSource:
            return await backend.terminal(deployment_id, replica=replica, session=session).open(columns, rows)

        return TerminalPlan(
            f"{app_name} {short_replica(replica)}" if replica else app_name,
            start,
            reconnects=True,
            first=first,
            sibling=lambda: self.replica(backend, deployment_id, app_name, replica),
        )

    def environment(self, backend: Backend, environment_id: str, name: str) -> TerminalPlan:
        """The first session of an environment, and beside it the next ones. They go on when the app ends."""
        return self._session(backend, environment_id, name, 1)

    def _session(self, backend: Backend, environment_id: str, name: str, number: int) -> TerminalPlan:
        from widgets.terminal.terminal_pane import TerminalPlan

        session = "main" if number == 1 else f"main-{number}"

        async def start(columns: int, rows: int) -> TerminalSource:
            return await backend.environment_terminal(environment_id, session=session).open(columns, rows)

        return TerminalPlan(
            name if number == 1 else f"{name} {number}",
            start,
            key=_session_key(environment_id, number),
            reconnects=True,
            stays=True,
            sibling=lambda: self.next_session(backend, environment_id, name),
        )

    def next_session(self, backend: Backend, environment_id: str, name: str) -> TerminalPlan:
        """The first session of an environment that has no terminal here yet."""
        taken = {pane.key for pane in self._screen.workspace.panes} if self._screen is not None else set()
        number = next(at for at in itertools.count(1) if _session_key(environment_id, at) not in taken)
        return self._session(backend, environment_id, name, number)

    def local_shell(self) -> TerminalPlan:
        """The user's shell on this machine."""
        from widgets.terminal.local_pty import open_local_shell
        from widgets.terminal.terminal_pane import TerminalPlan

        return TerminalPlan("local", open_local_shell)

    def ssh(self, target: SshTarget) -> TerminalPlan:
        """A shell on another host."""
        from widgets.terminal.ssh_pty import SshConnector
        from widgets.terminal.terminal_pane import TerminalPlan

        return TerminalPlan(target.label, SshConnector(target).open, reconnects=True)

    async def replay(self, path: Path) -> str:
        """Show a recording in a tab. What is wrong with the file; empty where it plays."""
        from widgets.terminal.asciicast import CastError, read_cast
        from widgets.terminal.replay_pane import ReplayPane

        try:
            recording = await asyncio.to_thread(lambda: read_cast(path.expanduser()))
        except CastError as error:
            return str(error)
        screen = await self.show()
        title = recording.title or path.name
        await screen.workspace.add(ReplayPane(screen.workspace.new_name(), recording, title=f"▷ {title}"))
        return ""


def _session_key(environment_id: str, number: int) -> str:
    return f"environment:{environment_id}:{number}"


def new_session() -> str:
    """A name for a session of this app alone."""
    return f"app-{secrets.token_hex(8)}"
