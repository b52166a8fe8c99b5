"""A program that answers keys, in the middle of a flood where it is told to: for what becomes of an echo."""

from __future__ import annotations

import sys

_PROGRAM = """
import os, select, sys, tty
flood, lines = sys.argv[1] == "flood", sys.argv[2]
tty.setraw(0)
block = "".join("\\x1b[38;5;%dmline %d of a flood that goes on and on\\x1b[0m\\r\\n" % (n % 256, n) for n in range(80))
os.write(1, ("\\x1b[2;%sr\\x1b[1;1H#000000#\\x1b[%s;1H" % (lines, lines)).encode())
count = 0
while True:
    if select.select([0], [], [], 0 if flood else None)[0]:
        count += len(os.read(0, 64))
        os.write(1, b"\\x1b7\\x1b[1;1H#%06d#\\x1b8" % count)
    if flood:
        os.write(1, block.encode())
"""


def flood_program(mode: str, lines: int) -> list[str]:
    """Its command for a screen of so many lines: answers each key with the next mark in the first line, and where the
    mode is "flood" fills the others, over and over."""
    return [sys.executable, "-c", _PROGRAM, mode, str(lines)]


def mark(number: int) -> bytes:
    """What stands in the first line after so many keys."""
    return f"#{number:06}#".encode()
