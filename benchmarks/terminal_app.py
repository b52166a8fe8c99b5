"""An app that is nothing but a terminal, as a program of its own, for what a user of it sees.

    python -m benchmarks.terminal_app WIDGET COMMAND [REPORT SECONDS]

WIDGET is a name of `benchmarks.terminals`. With REPORT, it counts for so many seconds how often it paints, writes the
frames in a second there, and ends.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

from textual.app import App, ComposeResult
from textual.screen import Screen
from textual.widget import Widget
from textual_tty import Terminal as TextualTty

from benchmarks.pseudo_terminal import PseudoTerminal
from benchmarks.terminals import OURS, TEXTUAL_TTY
from widgets.terminal import LocalPty, Terminal
from widgets.terminal.source import TerminalSource

COLUMNS, LINES = 200, 60
SETTLE_SECONDS = 1.0


def widget_of(name: str, command: str) -> Widget:
    """A terminal that runs the command in a shell. Raises KeyError."""

    async def opened(columns: int, lines: int) -> TerminalSource:
        return await LocalPty.open(["sh", "-c", command], columns, lines)

    return {OURS: lambda: Terminal(opened), TEXTUAL_TTY: lambda: TextualTty(["sh", "-c", command])}[name]()


class TerminalApp(App[None]):
    """Counts what it paints where there is somewhere to tell it."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, terminal: Widget, report: Path | None, seconds: float) -> None:
        super().__init__()
        self._terminal = terminal
        self._report = report
        self._seconds = seconds
        self._frames = 0

    def compose(self) -> ComposeResult:
        yield self._terminal

    def on_mount(self) -> None:
        self._terminal.focus()
        if self._report is not None:
            self.run_worker(self._count(self._report))

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        self._frames += renderable is not None
        super()._display(screen, renderable)

    async def _count(self, report: Path) -> None:
        await asyncio.sleep(SETTLE_SECONDS)
        frames, began = self._frames, time.monotonic()
        await asyncio.sleep(self._seconds)
        per_second = (self._frames - frames) / (time.monotonic() - began)
        await asyncio.to_thread(report.write_text, str(per_second))
        self.exit()


def app_with(widget: str, command: str, *report: str) -> PseudoTerminal:
    """The app in a pseudo-terminal of `COLUMNS` x `LINES`."""
    whole = [sys.executable, "-m", "benchmarks.terminal_app", widget, command, *report]
    return PseudoTerminal(whole, os.environ, columns=COLUMNS, rows=LINES)


def main(arguments: list[str]) -> None:
    widget, command, *rest = arguments
    report, seconds = (Path(rest[0]), float(rest[1])) if rest else (None, 0.0)
    TerminalApp(widget_of(widget, command), report, seconds).run()


if __name__ == "__main__":
    main(sys.argv[1:])
