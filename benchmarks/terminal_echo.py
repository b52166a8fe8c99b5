"""From a key until its echo is painted at 200x60, with nothing else and in a flood, against textual-tty."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterator

from benchmarks.options import Options
from benchmarks.report import Figure, Measured, percentile
from benchmarks.terminal_app import LINES, SETTLE_SECONDS, app_with
from benchmarks.terminals import OURS, TEXTUAL_TTY

PAUSE_SECONDS = 0.1
# Answers each key with a new mark in the first line, and floods the others where it is told to.
_PROGRAM = f"""
import os, select, sys, tty
flood = sys.argv[1] == "flood"
tty.setraw(0)
block = "".join("\\x1b[38;5;%dmline %d of a flood that goes on and on\\x1b[0m\\r\\n" % (n % 256, n) for n in range(80))
os.write(1, b"\\x1b[2;{LINES}r\\x1b[1;1H#000000#\\x1b[{LINES};1H")
count = 0
while True:
    if select.select([0], [], [], 0 if flood else None)[0]:
        count += len(os.read(0, 64))
        os.write(1, b"\\x1b7\\x1b[1;1H#%06d#\\x1b8" % count)
    if flood:
        os.write(1, block.encode())
"""


def run(options: Options) -> Iterator[Figure]:
    for label, mode in (("idle", "quiet"), ("in a flood", "flood")):
        took: dict[str, list[float]] = {OURS: [], TEXTUAL_TTY: []}
        for _ in range(options.pick(2, 1)):
            for name, found in took.items():
                found += _echoes(name, mode, options.pick(60, 15))
        for what, percent in (("median", 50), ("p95", 95)):
            ours, other = (Measured.of(who, "ms", [1000 * percentile(found, percent)]) for who, found in took.items())
            yield Figure("terminal_echo", Measured.of(f"echo {label}, {what}", "ms", ours.turns), other)


def _echoes(name: str, mode: str, keys: int) -> list[float]:
    """Seconds from each key until its mark was written to the outer terminal."""
    took = []
    command = shlex.join([sys.executable, "-c", _PROGRAM, mode])
    with app_with(name, command) as terminal:
        terminal.until_written(_mark(0))
        time.sleep(SETTLE_SECONDS)
        for number in range(1, keys + 1):
            terminal.forget()
            began = time.monotonic()
            terminal.press("x")
            took.append(terminal.until_written(_mark(number)) + terminal.started - began)
            time.sleep(PAUSE_SECONDS)
    return took


def _mark(number: int) -> bytes:
    return f"#{number:06}#".encode()
