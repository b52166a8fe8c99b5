"""An app in an outer terminal, which is our own emulator here: the outer cursor's shape and place, and that it is given
back; keys by the kitty protocol, which Textual asks for."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pyte import modes

from widgets.terminal import LocalPty
from widgets.terminal.emulator import ByteStream, Screen

APP = """
import sys
from textual.app import App
from textual.screen import ModalScreen
from textual.widgets import Input, Static
from widgets.terminal import LocalPty, Terminal

async def program(columns, rows):
    return await LocalPty.open(("/bin/sh", "-c", sys.argv[1]), columns, rows)

class Dialog(ModalScreen):
    BINDINGS = [("escape", "dismiss", "")]
    def compose(self):
        yield Static("dialog")

class Cursor(App):
    BINDINGS = [("f2", "other", ""), ("f3", "dialog", ""), ("f4", "quit", "")]
    def compose(self):
        terminal = Terminal(program)
        terminal.pass_keys = frozenset({"f2", "f3", "f4"})
        yield terminal
        yield Input()
    def action_other(self):
        self.screen.focus_next()
    def action_dialog(self):
        self.push_screen(Dialog())
    def on_mount(self):
        self.query_one(Terminal).focus()

Cursor().run()
"""


class Outer:
    """The outer terminal."""

    def __init__(self, source: LocalPty) -> None:
        self.screen = Screen(80, 24)
        self._source = source
        self._stream = ByteStream(self.screen)
        self.came = b""
        self.ended = False

    async def read(self) -> None:
        while data := await self._source.read():
            self.came += data
            self._stream.feed(data)
        self.ended = True

    @property
    def cursor(self) -> tuple[int, int, int] | None:
        """Style, column and line; None where it is hidden."""
        if modes.DECTCEM not in self.screen.mode:
            return None
        return self.screen.cursor_style, self.screen.cursor.x, self.screen.cursor.y

    async def until(self, done: Callable[[], object]) -> None:
        deadline = asyncio.get_running_loop().time() + 60
        while not done():
            assert asyncio.get_running_loop().time() < deadline, (self.cursor, self.screen.display)
            await asyncio.sleep(0.02)

    async def press(self, keys: str) -> None:
        await self._source.write(keys.encode())


@asynccontextmanager
async def running(program: str, **told: str) -> AsyncIterator[Outer]:
    """The app with this program in it; `told` is what the environment tells of the outer terminal."""
    root = str(Path(__file__).parents[3])
    silent = {name: value for name, value in os.environ.items() if name not in ("COLORTERM", "NO_COLOR", "TMUX")}
    env = {**silent, "TERM": "xterm-256color", "PYTHONPATH": root, "PS1": "$ ", **told}
    source = await LocalPty.open((sys.executable, "-c", APP, program), 80, 24, env=env)
    outer = Outer(source)
    reading = asyncio.create_task(outer.read())
    try:
        yield outer
    finally:
        await source.close()
        await reading


async def test_shape_and_place_follow_the_program() -> None:
    steps = ["printf '\\033[5 qbar'", "read x", "printf '\\033[4 qunder'", "read x", "printf '\\033[?25l'", "read x"]
    async with running("; ".join(steps)) as outer:
        await outer.until(lambda: outer.cursor == (5, 3, 0))
        await outer.press("\r")
        await outer.until(lambda: outer.cursor == (4, 5, 1))
        await outer.press("\r")
        await outer.until(lambda: outer.cursor is None)


async def test_it_is_hidden_where_keys_go_elsewhere_and_given_back_at_the_end() -> None:
    async with running("printf '\\033[6 qready '; cat") as outer:
        await outer.until(lambda: outer.cursor == (6, 6, 0))
        await outer.press("\x1bOQ")
        await outer.until(lambda: outer.cursor is None)
        assert outer.screen.cursor_style == 0
        await outer.press("\x1b[Z")
        await outer.until(lambda: outer.cursor == (6, 6, 0))
        await outer.press("\x1bOR")
        await outer.until(lambda: outer.cursor is None and any("dialog" in line for line in outer.screen.display))
        await outer.press("\x1b")
        await outer.until(lambda: outer.cursor == (6, 6, 0))
        await outer.press("\x1bOS")
        await outer.until(lambda: outer.ended)
        assert modes.DECTCEM in outer.screen.mode and outer.screen.cursor_style == 0 and not outer.screen.alternate


async def test_keys_that_only_the_kitty_protocol_tells_apart_reach_programs_that_ask_for_it() -> None:
    async with running("stty raw -echo; printf '\\033[>1u'; printf ready; cat -v") as outer:
        await outer.until(lambda: outer.screen.display[0].startswith("ready"))
        assert outer.screen.keyboard_flags & 1
        for keys in ("\x1b[105;5u", "\x1b[13;2u", "\x1b[97;;97u", "\x1b[57414;;13u", "\x1b[27u"):
            await outer.press(keys)
        await outer.until(lambda: "ready^[[105;5u^[[13;2ua" in outer.screen.display[0])
        await outer.until(lambda: "^[[27u" in outer.screen.display[0])


async def test_programs_that_do_not_ask_get_xterms_keys() -> None:
    async with running("stty raw -echo; printf ready; cat -v") as outer:
        await outer.until(lambda: outer.screen.display[0].startswith("ready"))
        for keys in ("\x1b[99;5u", "\x1b[120;3u", "\x1b[1;5D", "\x1b[13;2u", "\x1b[65;2;65u", "\x1b[233;;233u"):
            await outer.press(keys)
        await outer.until(lambda: "ready^C^[x^[[1;5D^MAM-CM-)" in outer.screen.display[0])


@pytest.mark.parametrize(
    ("told", "red", "orange"),
    [
        ({"COLORTERM": "truecolor"}, rb"38;2;\d+;\d+;\d+;48;2;\d+;\d+;\d+", rb"38;2;255;128;0;48;2;\d+;\d+;\d+"),
        ({}, rb"38;5;\d+;48;5;\d+", rb"38;5;208;48;5;\d+"),
        ({"TERM": "linux"}, rb"(?:3|9)\d;4\d", rb"(?:3|9)\d;4\d"),
        ({"TERM": "dumb"}, rb"", rb""),
        ({"COLORTERM": "truecolor", "NO_COLOR": "1"}, rb"38;2;(\d+);\1;\1;48;2;(\d+);\2;\2", rb"38;2;(\d+);\1;\1;.*"),
    ],
)
async def test_colours_are_what_the_outer_terminal_has(told: dict[str, str], red: bytes, orange: bytes) -> None:
    program = "printf '\\033[1;31mred\\033[0m \\033[38;2;255;128;0morange'; cat"
    async with running(program, **told) as outer:
        await outer.until(lambda: outer.screen.display[0].startswith("red orange"))
    for name, codes, bold in ((b"red", red, b"1"), (b"orange", orange, b"")):
        drawn = re.findall(rb"\x1b\[([\d;]*)m" + name, outer.came)
        assert drawn and re.fullmatch(b";".join(filter(None, [b"0", bold, codes])), drawn[-1]), drawn
