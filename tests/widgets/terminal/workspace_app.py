"""An app with a workspace of terminals, for tests that use it as a user does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from textual import events
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot

from tests.widgets.screen_text import screen_lines
from tests.widgets.terminal.terminal_app import shell
from widgets.terminal.pane import Pane
from widgets.terminal.terminal_pane import TerminalPane, TerminalPlan
from widgets.terminal.widget import Terminal
from widgets.terminal.workspace import Workspace

SIZE = (80, 24)


class WorkspaceApp(App[None]):
    """A workspace, and what it told."""

    def __init__(self, recordings: Path) -> None:
        super().__init__()
        self.workspace = Workspace(recordings=recordings)
        self.told: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.workspace

    def on_workspace_view_told(self, message: Workspace.Told) -> None:
        self.told.append(message)

    def on_workspace_leave_wanted(self, message: Workspace.LeaveWanted) -> None:
        self.told.append(message)

    def on_workspace_new_wanted(self, message: Workspace.NewWanted) -> None:
        self.told.append(message)

    def on_workspace_close_wanted(self, message: Workspace.CloseWanted) -> None:
        self.told.append(message)

    def on_terminal_link_requested(self, message: Terminal.LinkRequested) -> None:
        self.told.append(message)

    def words(self) -> list[str]:
        return [message.text for message in self.told if isinstance(message, Workspace.Told)]

    def panes(self) -> list[TerminalPane]:
        return [pane for pane in self.workspace.panes if isinstance(pane, TerminalPane)]


def text_of(app: App[None]) -> str:
    return "\n".join(screen_lines(app))


def shown_in(pane: Pane) -> str:
    """What the emulator of a pane has, also of one that is hidden."""
    assert isinstance(pane, TerminalPane)
    return "\n".join(pane.terminal.emulator.display)


async def until(pilot: Pilot[None], reached: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not reached():
        assert asyncio.get_running_loop().time() < deadline, text_of(pilot.app)
        await pilot.pause(0.02)


async def type_text(pilot: Pilot[None], text: str) -> None:
    """Keys to what has the focus, without a pause between them."""
    focused = pilot.app.focused
    assert focused is not None
    for char in text:
        focused.post_message(events.Key("enter", "\r") if char == "\n" else events.Key(char, char))
    await pilot.pause()


async def command(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press("ctrl+backslash", *keys)
    await pilot.pause()


async def opened(pilot: Pilot[None], app: WorkspaceApp, *titles: str) -> None:
    for title in titles:
        pane = await app.workspace.open(TerminalPlan(title, shell()))
        await until(pilot, lambda pane=pane: "$" in shown_in(pane))
