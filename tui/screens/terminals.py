"""Terminals: a whole screen of tabs and splits. Leaving it leaves them running."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding

from tui.actions import Action
from tui.presentation.words import plural
from tui.terminal_actions import EMPTY_HINTS, HINTS, LEADER, SHARED, terminal_screen_actions
from widgets.confirm import Confirmation, ConfirmDialog
from widgets.key_hints import KeyHint, KeyHints
from widgets.paced_screen import PacedScreen
from widgets.terminal.terminal_pane import TerminalPane
from widgets.terminal.workspace import Workspace
from widgets.terminal.workspace_commands import COMMANDS, shown_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.app import PilothouseApp
    from widgets.terminal.pane import Pane

EMPTY = (
    "No terminals are open.\n\nEnter opens one: in a replica, an environment, here, by ssh; or a recording.\n"
    "Esc goes back."
)


class TerminalsScreen(PacedScreen[None]):
    """Asks for what the workspace wants from the app, and tells what it says."""

    CSS_PATH = "terminals.tcss"
    BINDINGS = [
        Binding(LEADER, "choose", "Commands", show=False),
        Binding("ctrl+p", "palette", "Palette", show=False),
        Binding("f1", "help", "Help", show=False),
        Binding("ctrl+q", "quit", "Quit", show=False),
    ]
    AUTO_FOCUS = None

    app: PilothouseApp

    def __init__(self, recordings: Path) -> None:
        super().__init__()
        self.workspace = Workspace(recordings=recordings, empty_text=EMPTY, id="workspace")

    def compose(self) -> ComposeResult:
        yield self.workspace
        yield KeyHints(self._hints(), id="hints")

    def on_screen_resume(self) -> None:
        self.workspace.take_focus()
        self.show_hints()

    def leave(self) -> None:
        """Back to where one came from."""
        if self.is_current and len(self.app.screen_stack) > 1:
            self.app.pop_screen()

    # --- what the workspace wants ---------------------------------------------------------------------------

    @on(Workspace.LeaveWanted)
    def _leave_wanted(self) -> None:
        self.leave()

    @on(Workspace.PaletteWanted)
    def action_palette(self) -> None:
        self.app.action_command_palette()

    @on(Workspace.HelpWanted)
    def action_help(self) -> None:
        from tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self.app.preferences.keymap, self.app.preferences.keys, first="Terminals"))

    @on(Workspace.NewWanted)
    def _new_wanted(self) -> None:
        self.app.terminals.choose()

    @on(Workspace.CloseWanted)
    def _close_wanted(self, event: Workspace.CloseWanted) -> None:
        panes = event.panes

        def answered(yes: bool | None) -> None:
            if yes:
                self.run_worker(self.workspace.close(panes))

        self.app.push_screen(close_question(panes), answered)

    @on(Workspace.Told)
    def _told(self, event: Workspace.Told) -> None:
        self.notify(event.text, severity="error" if event.fault else "information", timeout=8, markup=False)

    @on(Workspace.Changed)
    @on(Workspace.Rang)
    def show_hints(self) -> None:
        """The footer: what the leader key does, and a warning while one types into several."""
        if self.is_mounted:
            self.query_one(KeyHints).show(self._hints())
        panes = self.workspace.panes
        self.app.main.terminals_told(len(panes), bell=any(pane.bell for pane in panes))

    def _hints(self) -> list[KeyHint]:
        active = self.workspace.active
        marked = len(self.workspace.marked) if active is not None and active.marked else 0
        warning = [KeyHint("⇶", f"what you type goes to {plural(marked, 'terminal')}", keep=True)] if marked > 1 else []
        own = HINTS if self.workspace.is_mounted and self.workspace.panes else EMPTY_HINTS
        return [*warning, *(KeyHint(key, label, keep=number < 2) for number, (key, label) in enumerate(own))]

    @on(KeyHints.Pressed)
    async def _hint_pressed(self, event: KeyHints.Pressed) -> None:
        command = next((each for each in COMMANDS if event.key == shown_keys(each)), None)
        if command is not None:
            await self.workspace.run(command.name)
            return
        match event.key:
            case "^\\":
                self.action_choose()
            case "^q":
                await self.app.ask_to_quit()
            case "Enter":
                self.app.terminals.choose()
            case "Esc":
                self.leave()

    # --- keys -----------------------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """Only while there is no terminal to type into."""
        if self.workspace.panes:
            return
        if event.key in ("enter", "c", "t", "n"):
            event.stop()
            self.app.terminals.choose()
        elif event.key in ("escape", "q"):
            event.stop()
            self.leave()

    def action_choose(self) -> None:
        self.workspace.choose()

    async def action_quit(self) -> None:
        await self.app.ask_to_quit()

    # --- palette --------------------------------------------------------------------------------------------

    @property
    def palette_actions(self) -> tuple[Action, ...]:
        return terminal_screen_actions()

    def target_of(self, action: Action) -> str:
        """What runs an action of the palette here."""
        return f"shared({action.name!r})" if action.name in SHARED else action.target

    async def action_workspace(self, name: str) -> None:
        await self.workspace.run(name)

    async def action_own(self, name: str) -> None:
        """Something that the terminal in front does by itself."""
        pane = self.workspace.active
        if isinstance(pane, TerminalPane):
            pane.terminal.call_later(pane.terminal.run_action, name)

    async def action_shared(self, name: str) -> None:
        if name == "help":
            self.action_help()
        elif name == "quit":
            await self.app.ask_to_quit()
        else:
            await self.app.main.run_action(name)

    async def action_local_shell(self) -> None:
        await self.app.main.run_action("local_shell")

    async def action_ssh(self) -> None:
        await self.app.main.run_action("ssh")

    async def action_replay(self) -> None:
        await self.app.main.run_action("replay")


def close_question(panes: Sequence[Pane]) -> ConfirmDialog:
    """Names what ends."""
    running = [pane.title for pane in panes if pane.running]
    title = f"Close {running[0]}?" if len(panes) == 1 else f"Close {plural(len(panes), 'terminal')}?"
    return ConfirmDialog(
        Confirmation(title=title, losses=[f"{name}: what runs in it ends" for name in running], confirm_label="Close")
    )
