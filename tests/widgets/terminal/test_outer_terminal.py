"""What an outer terminal that reads slowly, as one behind a slow line does, has to read."""

from __future__ import annotations

import asyncio
import shlex
import sys
from pathlib import Path

from widgets.terminal import LocalPty

ROOT = Path(__file__).resolve().parents[3]
COLUMNS, LINES = 200, 60
# Answers each key with a new mark in the first line, and floods the others.
_FLOOD = f"""
import os, select, tty
tty.setraw(0)
block = "".join("\\x1b[38;5;%dmline %d of a flood that goes on and on\\x1b[0m\\r\\n" % (n % 256, n) for n in range(80))
os.write(1, b"\\x1b[2;{LINES}r\\x1b[1;1H#0#\\x1b[{LINES};1H")
count = 0
while True:
    if select.select([0], [], [], 0)[0]:
        count += len(os.read(0, 64))
        os.write(1, b"\\x1b7\\x1b[1;1H#%d#\\x1b8" % count)
    os.write(1, block.encode())
"""
_APP = """
import shlex, sys
from tests.widgets.terminal.terminal_app import TerminalApp, shell
TerminalApp(shell(*shlex.split(sys.argv[1]))).run()
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


async def test_an_echo_does_not_queue_behind_the_frames_of_a_flood() -> None:
    flood = shlex.join([sys.executable, "-c", _FLOOD])
    outer = await LocalPty.open([sys.executable, "-c", _APP, flood], COLUMNS, LINES, cwd=ROOT)
    try:
        await _read_until(outer, b"#0#")
        await asyncio.sleep(STALL_SECONDS)
        await outer.write(b"x")
        await asyncio.sleep(STALL_SECONDS)
        # Textual alone would have thirty of them wait; what the kernel holds comes on top.
        assert await _read_until(outer, b"#1#") < 6 * A_FRAME
    finally:
        await outer.close()
