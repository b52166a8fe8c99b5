"""Copies reach the terminal around: directly, out of a tmux of ours, and as screen hands them on."""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tui.clipboard import COMMON_LIMIT, copy_commands, copy_elsewhere, copy_sequence, passed_through, size_warning
from widgets.terminal import LocalPty
from widgets.terminal.emulator import ByteStream, Screen

ROOT = Path(__file__).parents[2]
COPY = """
import asyncio, os, sys
from tui.clipboard import copy_elsewhere, copy_sequence, passed_through
text = "täxt " * 40
how = sys.argv[1]
if how == "program":
    asyncio.run(copy_elsewhere(text, os.environ, print))
else:
    sys.stdout.write(passed_through(copy_sequence(text), os.environ) if how == "through" else copy_sequence(text))
    sys.stdout.flush()
sys.stdin.read(1)
"""


class Outer:
    """The terminal around, with its clipboard."""

    def __init__(self) -> None:
        self.screen = Screen(80, 24)
        self.screen.on_clipboard = lambda _, text: self.copied.append(text)
        self.copied: list[str] = []
        self._stream = ByteStream(self.screen)

    async def read(self, source: LocalPty) -> None:
        while data := await source.read():
            self._stream.feed(data)

    async def until(self, done: Callable[[], object]) -> None:
        deadline = asyncio.get_running_loop().time() + 60
        while not done():
            assert asyncio.get_running_loop().time() < deadline, self.screen.display
            await asyncio.sleep(0.02)


@asynccontextmanager
async def around(command: list[str], folder: Path) -> AsyncIterator[Outer]:
    env = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "LANG": "C.UTF-8", "HOME": str(folder)}
    source = await LocalPty.open(command, 80, 24, env={**env, "PYTHONPATH": str(ROOT)})
    outer = Outer()
    reading = asyncio.create_task(outer.read(source))
    try:
        yield outer
    finally:
        await source.close()
        await reading


@pytest.mark.parametrize("how", ["direct", "program", "through"])
async def test_out_of_tmux(how: str, tmp_path: Path) -> None:
    """`direct` is taken by a tmux with `set-clipboard on`, `through` handed on by one with `allow-passthrough on`;
    the program works with tmux as it is by default."""
    options = {"direct": "set-clipboard on", "program": "status off", "through": "allow-passthrough on"}[how]
    (tmp_path / "tmux.conf").write_text(f"set -g {options}\n")
    name = f"pilothouse-clipboard-{os.getpid()}-{how}"
    program = shlex.join([sys.executable, "-c", COPY, how])
    command = ["tmux", "-L", name, "-f", str(tmp_path / "tmux.conf"), "new-session", program]
    try:
        async with around(command, tmp_path) as outer:
            await outer.until(lambda: outer.copied == ["täxt " * 40])
    finally:
        await asyncio.to_thread(subprocess.run, ["tmux", "-L", name, "kill-server"], capture_output=True, check=False)


async def test_directly(tmp_path: Path) -> None:
    async with around([sys.executable, "-c", COPY, "direct"], tmp_path) as outer:
        await outer.until(lambda: outer.copied == ["täxt " * 40])


def test_screen_hands_on_short_strings() -> None:
    sequence = copy_sequence("x" * 3000)
    wrapped = passed_through(sequence, {"TERM": "screen-256color"})
    pieces = wrapped.removeprefix("\x1bP").removesuffix("\x1b\\").split("\x1b\\\x1bP")
    assert "".join(pieces) == sequence and max(map(len, pieces)) <= 512


def test_nothing_more_where_nothing_is_between() -> None:
    assert passed_through(copy_sequence("x"), {"TERM": "xterm-256color"}) == ""
    assert copy_commands({"SSH_CONNECTION": "a b c d", "DISPLAY": ":0"}) == []
    assert copy_commands({"SSH_CONNECTION": "a b c d", "TMUX": "/tmp/x"}) == [["tmux", "load-buffer", "-w", "-"]]


async def test_a_size_that_terminals_may_refuse_is_told() -> None:
    assert size_warning("x" * 1000) == ""
    assert "100 kB" in size_warning("x" * COMMON_LIMIT)
    told: list[str] = []
    await copy_elsewhere("x" * COMMON_LIMIT, {"SSH_CONNECTION": "1"}, lambda text, severity: told.append(text))
    assert len(told) == 1
