"""How fast the terminal takes in output, against stock pyte and textual-tty on the same bytes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks import terminal_streams as streams
from benchmarks import terminals
from benchmarks.options import Options
from benchmarks.report import Figure, Measured, Note
from benchmarks.terminals import OURS, PYTE, PYTE_HISTORY, TEXTUAL_TERMINAL, TEXTUAL_TTY

TARGET_PLAIN = 40
TARGET_STYLED = 8
# Seconds that each terminal is fed for, at least, in a turn; and characters that a slow one gets.
SECONDS = 0.1
SLOW_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class _Stream:
    label: str
    data: bytes
    columns: int
    lines: int
    target: float | None


def run(options: Options) -> Iterator[Figure | Note]:
    for stream in _streams():
        speeds: dict[str, list[float]] = {name: [] for name in (OURS, PYTE, PYTE_HISTORY, TEXTUAL_TTY)}
        for _ in range(options.pick(5, 2)):
            for name, found in speeds.items():
                found.append(_megabytes_per_second(name, stream))
        ours = Measured.of(stream.label, "MB/s", speeds.pop(OURS))
        for name, found in speeds.items():
            target = stream.target if name == PYTE else None
            yield Figure("terminal_feed", ours, Measured.of(name, "MB/s", found), target, at_least=True)
    if reason := terminals.why_not_textual_terminal():
        yield Note("terminal_feed", f"{TEXTUAL_TERMINAL} {reason}; it feeds pyte's own Screen")


def _streams() -> Iterator[_Stream]:
    size = 8 * SLOW_BYTES
    yield _Stream("plain, 80 columns", streams.plain(size), 80, 24, TARGET_PLAIN)
    yield _Stream("palette of 256", streams.sgr_256(size), 80, 24, TARGET_STYLED)
    yield _Stream("true colour", streams.true_colour(size), 80, 24, None)
    yield _Stream("accents, marks, wide characters", streams.unicode_text(size), 80, 24, None)
    for program in ("vim", "htop"):
        for columns, lines in ((80, 24), (200, 50)):
            data = streams.session(program, columns, lines)
            yield _Stream(f"{program} {columns}x{lines}", data, columns, lines, TARGET_STYLED)


def _megabytes_per_second(name: str, stream: _Stream) -> float:
    """Of processor time, so that what else the machine does counts little."""
    data = stream.data if name == OURS else stream.data[:SLOW_BYTES]
    feed = terminals.feed_of(name, stream.columns, stream.lines)
    total, began = 0, time.process_time()
    while (spent := time.process_time() - began) < SECONDS:
        terminals.fed(feed, data)
        total += len(data)
    return total / spent / 1e6
