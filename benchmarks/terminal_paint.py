"""Painting 200x60: milliseconds of a whole frame and of one line, and frames/s while output floods in, against
textual-tty."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from textual.geometry import Region
from textual.widget import Widget

from benchmarks import terminal_streams as streams
from benchmarks.options import Options
from benchmarks.report import Figure, Measured
from benchmarks.terminal_app import COLUMNS, LINES, SETTLE_SECONDS, TerminalApp, app_with, widget_of
from benchmarks.terminals import OURS, TEXTUAL_TTY

TARGET_FRAMES = 45
FLOOD_BYTES = 1 << 20
_PATIENCE_SECONDS = 20.0


def run(options: Options) -> Iterator[Figure]:
    for label, make in (("plain", streams.plain), ("palette of 256", streams.sgr_256)):
        data = make(COLUMNS * LINES * 8, COLUMNS)
        painted = {name: asyncio.run(_painted(name, data, options.pick(40, 10))) for name in (OURS, TEXTUAL_TTY)}
        for what, at in (("whole screen", 0), ("one line", 1)):
            ours = Measured.of(f"{what}, {label}", "ms", painted[OURS][at])
            yield Figure("terminal_paint", ours, Measured.of(TEXTUAL_TTY, "ms", painted[TEXTUAL_TTY][at]))
    with tempfile.TemporaryDirectory() as folder:
        for label, make in (
            ("plain", streams.plain),
            ("palette of 256", streams.sgr_256),
            ("true colour", streams.true_colour),
        ):
            flood = Path(folder) / "flood"
            flood.write_bytes(make(FLOOD_BYTES, COLUMNS))
            frames: dict[str, list[float]] = {OURS: [], TEXTUAL_TTY: []}
            for _ in range(options.pick(3, 1)):
                for name, found in frames.items():
                    found.append(_frames(name, flood, options.pick(4, 2)))
            ours = Measured.of(f"frames in a flood, {label}", "/s", frames[OURS])
            yield Figure("terminal_paint", ours, None, TARGET_FRAMES, at_least=True)
            yield Figure("terminal_paint", ours, Measured.of(TEXTUAL_TTY, "/s", frames[TEXTUAL_TTY]))


async def _painted(name: str, data: bytes, turns: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each painting of the whole screen, and of one line, each time with other text in it."""
    terminal = widget_of(name, "sleep 60")
    app = TerminalApp(terminal, None, 0)
    whole: list[float] = []
    line: list[float] = []
    async with app.run_test(size=(COLUMNS, LINES)) as pilot:
        await pilot.pause(0.5)
        feed = _feed(terminal)
        screens = data.decode().split("\r\n")
        for turn in range(turns):
            start = turn * LINES % (len(screens) - LINES)
            feed("\x1b[H\x1b[2J" + "\r\n".join(screens[start : start + LINES]))
            whole.append(_paint(terminal, Region(0, 0, COLUMNS, LINES)))
            feed(f"\x1b[{turn % LINES + 1};1H\x1b[2K" + screens[start + 1])
            line.append(_paint(terminal, Region(0, turn % LINES, COLUMNS, 1)))
            await pilot.pause()
    return whole, line


def _feed(terminal: Widget) -> Callable[[str], object]:
    """Takes output in without painting."""
    stream = getattr(terminal, "_stream", None)
    return terminal.board.parser.feed if stream is None else lambda text: stream.feed(text.encode())  # type: ignore[attr-defined]


def _paint(terminal: Widget, region: Region) -> float:
    """Milliseconds until this region is drawn and written."""
    screen = terminal.screen
    began = time.perf_counter()
    terminal.refresh(region)
    screen._compositor.update_widgets({terminal})
    screen._compositor_refresh()
    return 1000 * (time.perf_counter() - began)


def _frames(name: str, flood: Path, seconds: float) -> float:
    """How many times a second the app paints while the file comes over and over."""
    report = flood.with_name("report")
    report.unlink(missing_ok=True)
    with app_with(name, f"while :; do cat {flood}; done", str(report), str(seconds)):
        deadline = time.monotonic() + SETTLE_SECONDS + seconds + _PATIENCE_SECONDS
        while not (report.exists() and report.read_text()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} did not tell its frames")
            time.sleep(0.1)
    return float(report.read_text())
