"""From a key until its echo is painted at 200x60, with nothing else and in a flood, against textual-tty."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator

from benchmarks.options import Options
from benchmarks.report import Figure, Measured, percentile
from benchmarks.terminal_app import LINES, SETTLE_SECONDS, app_with
from benchmarks.terminals import OURS, TEXTUAL_TTY
from tests.widgets.terminal.flood_program import flood_program, mark

PAUSE_SECONDS = 0.1


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
    command = shlex.join(flood_program(mode, LINES))
    with app_with(name, command) as terminal:
        terminal.until_written(mark(0))
        time.sleep(SETTLE_SECONDS)
        for number in range(1, keys + 1):
            terminal.forget()
            began = time.monotonic()
            terminal.press("x")
            took.append(terminal.until_written(mark(number)) + terminal.started - began)
            time.sleep(PAUSE_SECONDS)
    return took
