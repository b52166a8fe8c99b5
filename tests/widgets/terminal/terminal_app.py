"""An app with one terminal, for tests that use it as a user does."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

from textual import events
from textual.app import App, ComposeResult
from textual.geometry import Offset
from textual.pilot import Pilot

from widgets.terminal import LocalPty, Terminal
from widgets.terminal.source import SourceFactory, TerminalSource


def shell(*command: str) -> SourceFactory:
    """A factory for a command, by default a bare shell."""

    async def start(columns: int, rows: int) -> TerminalSource:
        env = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "PS1": "$ ", "HOME": "/", "LANG": "C.UTF-8"}
        return await LocalPty.open(command or ("/bin/sh",), columns, rows, env=env)

    return start


def script(text: str) -> SourceFactory:
    """A factory for a line of shell."""
    return shell("/bin/sh", "-c", text)


class TerminalApp(App[None]):
    """One terminal, and what it told."""

    def __init__(self, factory: SourceFactory | None = None) -> None:
        super().__init__()
        self.terminal = Terminal(factory)
        self.told: list[Terminal.TerminalMessage] = []
        self.keys: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.terminal

    def on_mount(self) -> None:
        self.terminal.focus()

    def on_key(self, event: events.Key) -> None:
        self.keys.append(event.key)

    def _keep(self, message: Terminal.TerminalMessage) -> None:
        self.told.append(message)

    on_terminal_exited = on_terminal_title_changed = on_terminal_bell_rang = on_terminal_resized = _keep
    on_terminal_copied = on_terminal_copy_requested = on_terminal_link_requested = _keep
    on_terminal_directory_changed = on_terminal_notified = on_terminal_progress_changed = _keep
    on_terminal_copy_mode_changed = _keep

    def of(self, kind: type[Any]) -> list[Any]:
        """What was told of one kind."""
        return [told for told in self.told if type(told) is kind]

    def feed(self, text: str) -> None:
        """Have the terminal show what no program printed."""
        self.terminal._stream.feed(text.encode())
        self.terminal.paint()
        self.terminal._tell_news()


def shown(app: TerminalApp) -> str:
    """What the widget paints."""
    return "\n".join(app.terminal.render_line(y).text for y in range(app.terminal.size.height))


def marked(app: TerminalApp, y: int) -> str:
    """The text of a line that is shown in reverse."""
    return "".join(text for text, style, _ in app.terminal.render_line(y) if style is not None and style.reverse)


async def until(pilot: Pilot[None], done: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for something to become true; fails with the screen where it does not."""
    app = pilot.app
    assert isinstance(app, TerminalApp)
    deadline = asyncio.get_running_loop().time() + seconds
    while not done():
        assert asyncio.get_running_loop().time() < deadline, shown(app)
        await pilot.pause(0.02)


async def type_text(pilot: Pilot[None], text: str) -> None:
    """Press the keys of a line of text."""
    await pilot.press(*("enter" if char == "\n" else char for char in text))


def mouse(kind: type[events.MouseEvent], place: Offset, button: int = 0, **held: bool) -> events.MouseEvent:
    """A mouse event at a place of the screen, which may be outside it."""
    keys = {"shift": False, "meta": False, "ctrl": False, **held}
    return kind(None, place.x, place.y, 0, 0, button, keys["shift"], keys["meta"], keys["ctrl"], place.x, place.y)


async def drag(pilot: Pilot[None], *places: tuple[int, int], **held: bool) -> None:
    """Press the left button at the first place, move over the others, let go at the last."""
    app = pilot.app
    assert isinstance(app, TerminalApp)
    first, *others = (Offset(*place) for place in places)
    app.terminal.post_message(mouse(events.MouseDown, first, 1, **held))
    for place in others:
        app.terminal.post_message(mouse(events.MouseMove, place, 1, **held))
    app.terminal.post_message(mouse(events.MouseUp, others[-1] if others else first, 1, **held))
    await pilot.pause()
