"""The terminal emulators that are compared, each behind one function that feeds bytes.

    python -m benchmarks.terminals NAME COLUMNS LINES HISTORY < OUTPUT

prints by how many megabytes the process grew while NAME took in OUTPUT.
"""

from __future__ import annotations

import codecs
import gc
import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

import pyte
from bittty import Board

from benchmarks import processes
from widgets.terminal.emulator import ByteStream, Screen

Feed = Callable[[bytes], object]

OURS = "ours"
PYTE = "pyte Screen"
PYTE_HISTORY = "pyte HistoryScreen"
TEXTUAL_TTY = "textual-tty 0.4.0"
TEXTUAL_TERMINAL = "textual-terminal 0.3.0"

# Bytes that a terminal takes in at once: what the app does between two looks at the clock.
CHUNK = 8 * 1024


class _Lenient(pyte.Screen):
    """pyte with what makes vim crash it taken away: sequences with a private marker that it takes for others."""

    def select_graphic_rendition(self, *attributes: int, private: bool = False) -> None:
        if not private:
            super().select_graphic_rendition(*attributes)

    def report_device_status(self, mode: int, private: bool = False, **_: Any) -> None:
        if not private:
            super().report_device_status(mode)

    def set_margins(self, top: int | None = None, bottom: int | None = None, private: bool = False, **_: Any) -> None:
        if not private:
            super().set_margins(top, bottom)


class _LenientHistory(_Lenient, pyte.HistoryScreen):
    pass


def _pyte(screen: pyte.Screen) -> Feed:
    return pyte.ByteStream(screen).feed


def _textual_tty(columns: int, lines: int) -> Feed:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    parser = Board(width=columns, height=lines).parser
    return lambda data: parser.feed(decoder.decode(data))


def feed_of(name: str, columns: int, lines: int, history: int = 10_000) -> Feed:
    """A new terminal of that name. Raises KeyError."""
    makers: dict[str, Callable[[], Feed]] = {
        OURS: lambda: ByteStream(Screen(columns, lines, history)).feed,
        PYTE: lambda: _pyte(_Lenient(columns, lines)),
        PYTE_HISTORY: lambda: _pyte(_LenientHistory(columns, lines, history=history)),
        TEXTUAL_TTY: lambda: _textual_tty(columns, lines),
    }
    return makers[name]()


def fed(feed: Feed, data: bytes) -> None:
    """Feeds all of it in chunks."""
    for at in range(0, len(data), CHUNK):
        feed(data[at : at + CHUNK])


def why_not_textual_terminal() -> str | None:
    """Why textual-terminal cannot be measured; None where it can be imported after all."""
    try:
        importlib.import_module("textual_terminal")
    except ImportError as error:
        return f"cannot be imported: {error}".partition(" (/")[0]
    return None


def main(arguments: list[str]) -> None:
    name, columns, lines, history = arguments
    data = sys.stdin.buffer.read()
    pid = os.getpid()
    feed = feed_of(name, int(columns), int(lines), int(history))
    gc.collect()
    before = processes.rss_mb([pid])
    fed(feed, data)
    gc.collect()
    print(processes.rss_mb([pid]) - before)


if __name__ == "__main__":
    main(sys.argv[1:])
