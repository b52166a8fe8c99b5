"""What an outer terminal that reads slowly, as one behind a slow line does, has to read."""

from __future__ import annotations

import asyncio
import shlex
import sys
from pathlib import Path

import pytest

from tests.widgets.terminal.flood_program import flood_program, mark
from widgets.terminal import LocalPty

ROOT = Path(__file__).resolve().parents[3]
COLUMNS, LINES = 200, 60
_APP = """
import shlex, sys
from tests.widgets.terminal.terminal_app import TerminalApp, shell
TerminalApp(shell(*shlex.split(sys.argv[1]))).run()
"""
_CHANGING = """
import itertools
from textual.app import App
from textual.widgets import Static
from widgets.paced_screen import PacedScreen

class Changing(PacedScreen[None]):
    BINDINGS = [("x", "mark")]
    mark = 0

    def compose(self):
        yield Static()

    def on_mount(self):
        self.turns = itertools.count()
        self.set_interval(1 / 60, self.change)

    def change(self):
        word = chr(0x41 + next(self.turns) % 26)
        self.query_one(Static).update(f"#{self.mark:06}#\\n" + f"{word * 199}\\n" * 58)

    def action_mark(self):
        self.mark += 1

class ChangingApp(App[None]):
    def get_default_screen(self):
        return Changing()

ChangingApp().run()
"""
STALL_SECONDS = 1.5
A_FRAME = COLUMNS * LINES * 2  # bytes: more than any of these takes


async def _read_until(outer: LocalPty, mark: bytes) -> int:
    """The bytes until then."""
    seen, count = b"", 0
    async with asyncio.timeout(30):
        while mark not in seen:
            data = await outer.read()
            assert data, "the app ended"
            count += len(data)
            seen = seen[-len(mark) :] + data
    return count


@pytest.mark.parametrize(
    "app",
    [[_APP, shlex.join(flood_program("flood", LINES))], [_CHANGING]],
    ids=["a flood in a terminal", "a screen that changes"],
)
async def test_an_echo_does_not_queue_behind_the_frames_before_it(app: list[str]) -> None:
    outer = await LocalPty.open([sys.executable, "-c", *app], COLUMNS, LINES, cwd=ROOT)
    try:
        await _read_until(outer, mark(0))
        await asyncio.sleep(STALL_SECONDS)
        await outer.write(b"x")
        await asyncio.sleep(STALL_SECONDS)
        # Textual alone would have thirty of them wait; what the kernel holds comes on top.
        assert await _read_until(outer, mark(1)) < 6 * A_FRAME
    finally:
        await outer.close()
