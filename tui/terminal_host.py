"""How the rest of the app opens terminals, and what leaving it means while something runs in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import App

from tui.key_order import OPENS_SCREEN

if TYPE_CHECKING:
    from tui.client.connection import Backend
    from tui.terminals import Terminals
    from widgets.terminal.source import SourceFactory


class TerminalHost(App[None]):
    """The part of the app that has terminals."""

    terminals: Terminals

    async def open_terminal(
        self,
        title: str,
        source_factory: SourceFactory,
        *,
        key: str = "",
        split: bool = False,
        full_screen: bool = True,
        reconnects: bool = False,
        stays: bool = False,
    ) -> None:
        """Opens a terminal in the Terminals screen, in a tab or (`split`) beside the one in front, and shows the screen
        (`full_screen`). Where one was opened with this `key`, that one is shown. `reconnects`: a ConnectionError or
        TimeoutError of the source or its factory is mended by opening it again; `stays`: it is a session that goes
        on when its terminal is closed."""
        from widgets.terminal.terminal_pane import TerminalPlan

        plan = TerminalPlan(title, source_factory, key=key, reconnects=reconnects, stays=stays)
        await self.terminals.open(plan, split=split, full_screen=full_screen)

    def open_environment_terminal(self, backend: Backend, environment_id: str, name: str, *, split: bool) -> None:
        """The first terminal of an environment, or one more beside what is in front."""
        terminals = self.terminals
        plan = (terminals.next_session if split else terminals.environment)(backend, environment_id, name)
        self.run_worker(terminals.open(plan, split=split), group=OPENS_SCREEN, exclusive=True)

    async def ask_to_quit(self) -> None:
        """Leaves at once, unless something runs in terminals that would end with the app."""
        running = self.terminals.ending_with_app
        if not running:
            self.exit()
            return
        from tui.screens.confirm import quit_question

        self.push_screen(quit_question(running), lambda yes: self.exit() if yes else None)

    async def action_quit(self) -> None:
        """ctrl+q, which no program and no dialog gets."""
        await self.ask_to_quit()
