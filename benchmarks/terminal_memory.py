"""What a full scrollback takes, 10,000 lines of 200 columns, against pyte's HistoryScreen: each in a process of its
own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from benchmarks import terminal_streams as streams
from benchmarks.options import Options
from benchmarks.report import Figure, Measured
from benchmarks.terminals import OURS, PYTE_HISTORY

COLUMNS, LINES, HISTORY = 200, 60, 10_000


def run(options: Options) -> Iterator[Figure]:
    lines = options.pick(HISTORY, HISTORY // 10)
    for label, bytes_of_a_line, make in (
        ("plain", 140, streams.plain),
        ("palette of 256", 420, streams.sgr_256),
        ("accents, marks, wide characters", 150, streams.unicode_text),
    ):
        # Enough for more lines than are kept.
        data = make(bytes_of_a_line * lines * 3 // 2, COLUMNS)
        data = b"".join(line + b"\n" for line in data.split(b"\n")[: lines + LINES])
        ours = Measured.of(f"{lines:,} lines, {label}", "MB", [_grown(OURS, data, lines)])
        yield Figure("terminal_memory", ours, Measured.of(PYTE_HISTORY, "MB", [_grown(PYTE_HISTORY, data, lines)]))


def _grown(name: str, data: bytes, history: int) -> float:
    """Resident 10^6 bytes by which a process grew that took all of it in."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.terminals", name, str(COLUMNS), str(LINES), str(history)],
        input=data,
        capture_output=True,
        check=True,
    )
    return float(done.stdout)
