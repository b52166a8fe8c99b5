"""Terminal: a shell in a replica of the selected deployment. Sessions stay while one looks at something else."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Static

from tui.actions import key_of
from tui.panels.styled import styled
from tui.panels.view import HintChanged, PanelLeft
from tui.presentation.deployments import serves
from tui.presentation.logs import short_replica
from tui.terminals import new_session
from widgets.terminal.movable import Movable, moving
from widgets.terminal.reconnecting import Reconnecting
from widgets.terminal.widget import Terminal

if TYPE_CHECKING:
    from tui.app import PilothouseApp
    from tui.client.connection import Backend
    from tui.panels.view import DeploymentView
    from widgets.terminal.source import SourceFactory, TerminalSource


# What still works where a shell has ended: all else may have been meant for it, and would be commands of the app.
_ENDED_KEYS = frozenset({"enter", "escape", "ctrl+backslash", "ctrl+q", "ctrl+p", "f1"})


class TerminalPanel(Vertical, can_focus=True):
    """At most one shell for each deployment. One is opened when the user comes here, not when the cursor passes."""

    app: PilothouseApp

    BINDINGS = [
        Binding("ctrl+backslash", "leave", "Leave the terminal", show=False),
        Binding("enter", "shell", "Open a shell", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(id="terminal")
        self._note = Static(id="terminal-note")
        self._terminals: dict[str, Terminal] = {}
        self._ended: dict[str, str] = {}
        self._places: dict[str, str] = {}
        self._sources: dict[str, Movable] = {}
        self._sessions: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._links: dict[str, Reconnecting] = {}
        self._lost: dict[str, str] = {}
        self._moved: set[str] = set()
        self._shown: DeploymentView | None = None
        self._bereft = False

    @property
    def shell_ended(self) -> bool:
        """Whether keys are held back, since the shell they were meant for has ended."""
        return self._bereft or self._deployment in self._ended

    @property
    def hint(self) -> str:
        if self._current is None or self.shell_ended:
            return ""
        if lost := self._lost.get(self._deployment):
            return lost
        place = self._places.get(self._deployment, "")
        return f"replica {place} · ^\\ leaves" if place else "^\\ leaves"

    @property
    def _deployment(self) -> str:
        return self._shown.deployment.id if self._shown else ""

    @property
    def _current(self) -> Terminal | None:
        return self._terminals.get(self._deployment)

    def compose(self) -> ComposeResult:
        yield self._note

    def on_mount(self) -> None:
        self._arrange()

    def show_view(self, view: DeploymentView | None) -> None:
        before, self._shown = self._deployment, view
        if before != self._deployment:
            # Its deployment went away under the hands of who types: the next one must not get it, nor the app.
            self._bereft = self.has_focus_within and (self._bereft or before in self._terminals)
            if self._bereft:
                self.screen.set_focus(self)
                self.post_message(HintChanged())
        if before != self._deployment or self._current is None:
            self._arrange()

    def put_away(self) -> None:
        """Shells go on."""
        self._leave_behind()

    def take_focus(self) -> None:
        self.action_shell()

    def action_shell(self) -> None:
        """Into the shell of the selected deployment, opened where none runs."""
        self._bereft = False
        view = self._shown
        if view is None:
            self._arrange()
            self.screen.set_focus(self)
            return
        terminal = self._current
        if terminal is not None and self._deployment in self._ended:
            self._ended.pop(self._deployment)
            terminal.restart()
        elif terminal is None and serves(view.deployment):
            terminal = Terminal(partial(self._open, view.backend, self._deployment))
            self._terminals[self._deployment] = terminal
            self._names[self._deployment] = view.deployment.app_name
            self.mount(terminal)
        self._arrange()
        self.screen.set_focus(terminal or self)
        self.post_message(HintChanged())

    async def _open(self, backend: Backend, deployment: str, columns: int, rows: int) -> TerminalSource:
        session = self._sessions.setdefault(deployment, new_session())

        async def start(columns: int, rows: int) -> TerminalSource:
            shell = await backend.terminal(deployment, session=session).open(columns, rows)
            self._moved.discard(deployment)
            self._places[deployment] = short_replica(shell.replica)
            self._sources[deployment] = Movable(shell)
            self.post_message(HintChanged())
            return self._sources[deployment]

        def tell(text: str) -> None:
            self._lost[deployment] = text
            self.post_message(HintChanged())

        tell("")
        terminal = self._terminals[deployment]
        link = Reconnecting(start, tell, alternate=lambda: terminal.emulator.alternate)
        self._links[deployment] = link
        return await link.open(columns, rows)

    @property
    def running(self) -> list[str]:
        """The names of the apps in which a shell runs."""
        return [self._names[key] for key, terminal in self._terminals.items() if terminal.source is not None]

    @property
    def shell(self) -> Terminal | None:
        """The terminal in front; None where no shell is."""
        return None if self.shell_ended else self._current

    def hurry(self) -> None:
        """Dropped shells wait no longer for their next attempt."""
        for link in self._links.values():
            if not link.connected:
                link.reconnect_now()

    def hand_over(self, deployment: str) -> tuple[SourceFactory, str] | None:
        """What opens the deployment's shell in another terminal, with its screen, and the name of its session: it
        leaves this one then. None where no shell runs here."""
        terminal, link = self._terminals.get(deployment), self._links.get(deployment)
        if terminal is None or terminal.source is None or link is None or not link.connected:
            return None
        self._moved.add(deployment)
        return moving(self._sources.pop(deployment), lambda: terminal.emulator), self._sessions.pop(deployment)

    def on_key(self, event: events.Key) -> None:
        """What is typed on after the shell has ended must not reach our commands: an `rm` was meant for the shell."""
        if self.shell_ended:
            if event.key not in _ENDED_KEYS or (self._bereft and event.key == "enter"):
                event.stop()
                event.prevent_default()
            elif event.key == "escape":
                self._leave_behind()
            return
        terminal = self._current
        if terminal is None or not terminal.has_focus or event.key in Terminal.pass_keys:
            return
        # It may have been begun again while the key was on its way here.
        if not terminal.takes_keys or terminal.take_key(event.key, event.character):
            event.stop()
            event.prevent_default()

    def _leave_behind(self) -> None:
        if self._bereft:
            self._bereft = False
            self._arrange()

    def action_leave(self) -> None:
        self._leave_behind()
        self.post_message(PanelLeft())

    @on(Terminal.Exited)
    def _exited(self, event: Terminal.Exited) -> None:
        deployment = next((key for key, terminal in self._terminals.items() if terminal is event.terminal), None)
        if deployment is None:
            return
        self._places.pop(deployment, None)
        if deployment in self._moved:
            self._moved.discard(deployment)
            self._ended[deployment] = "The shell is in Terminals now."
        elif event.error:
            self._ended[deployment] = event.error
        elif event.code:
            self._ended[deployment] = f"The shell ended with code {event.code}."
        else:
            self._ended[deployment] = "The shell ended."
        if deployment != self._deployment:
            self._terminals.pop(deployment).remove()
            self._ended.pop(deployment)
        self._arrange()
        self.post_message(HintChanged())

    def _arrange(self) -> None:
        for key, terminal in self._terminals.items():
            terminal.display = key == self._deployment and not self._bereft
        ended = self._ended.get(self._deployment)
        self._note.display = self._current is None or self.shell_ended
        self._note.update(styled(self, self._note_lines(ended)))

    def _note_lines(self, ended: str | None) -> list[list[tuple[str, str]]]:
        if self._bereft:
            return [[("The deployment that this shell was in is gone.", ""), ("  Esc goes back to the list.", "muted")]]
        if self._shown is None:
            return [[("Nothing selected.", "muted")]]
        deployment = self._shown.deployment
        if ended is not None:
            return [[(ended, ""), ("  Press Enter for a new one, Esc to go back to the list.", "muted")]]
        if not serves(deployment):
            preferences = self.app.preferences
            what = (
                f"is stopped: press {key_of('start', preferences.keymap, preferences.keys)} to start it"
                if deployment.status == "stopped"
                else "has no replica that is ready"
            )
            return [[(f"{deployment.app_name} {what}.", "muted")]]
        return [[("Press Enter for a shell in ", "muted"), (deployment.app_name, ""), (".", "muted")]]
