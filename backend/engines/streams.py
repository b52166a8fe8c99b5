"""Bytes of the engine's log stream into lines; no input or output of its own.

Without a terminal the engine multiplexes: frames of an 8-byte header (stream number, three zero bytes, big-endian
length) and a payload. With timestamps on, every frame is one message and opens with its own timestamp; a message
longer than 16 KiB comes as several frames, of which only the last ends in a newline. With a terminal the stream is
plain text with a timestamp before each line.
Source: the Docker Engine API reference, "Stream format" of the attach operation, and what an engine sends.
"""

from __future__ import annotations

from datetime import UTC, datetime

from backend.domain.engine import LogLine
from backend.engines.timestamps import parse_timestamp

HEADER = 8
STREAMS = {0: "stdin", 1: "stdout", 2: "stderr", 3: "system"}
# A program that never ends its line must not fill our memory: longer ones are cut into several.
MAX_LINE_BYTES = 256 * 1024
# `2026-01-02T03:04:05.678901234Z`: what engines write, and cheap to cut.
_STAMP = 30
_EPOCH = datetime.fromtimestamp(0, UTC)


class FrameDemultiplexer:
    """Cuts the multiplexed stream into `(stream number, payload)`, however the bytes were split."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """The frames that are complete now."""
        if self._rest:
            data = self._rest + data
        frames: list[tuple[int, bytes]] = []
        start, end = 0, len(data)
        while end - start >= HEADER:
            length = int.from_bytes(data[start + 4 : start + 8], "big")
            stop = start + HEADER + length
            if stop > end:
                break
            frames.append((data[start], data[start + HEADER : stop]))
            start = stop
        self._rest = data[start:]
        return frames


def split_stamp(message: bytes) -> tuple[datetime | None, bytes]:
    """A message's timestamp and its text; None where it does not open with one."""
    if len(message) > _STAMP and message[_STAMP] == 32 and message[_STAMP - 1] == 90:
        try:
            return datetime.fromisoformat(message[:26].decode("ascii") + "+00:00"), message[_STAMP + 1 :]
        except ValueError:
            return None, message  # a text of the program's that only looks so
    word, space, rest = message.partition(b" ")
    if not space or not 20 <= len(word) <= 35:
        return None, message
    try:
        return parse_timestamp(word.decode("ascii")), rest
    except ValueError:
        return None, message


class LogDecoder:
    """Log stream in, lines out. `terminal` tells that the container has one, so that there are no frames."""

    def __init__(self, *, terminal: bool = False) -> None:
        self._frames = None if terminal else FrameDemultiplexer()
        self._raw = b""
        # per stream: when its unfinished line began, and the bytes of it so far
        self._open: dict[str, tuple[datetime, bytearray]] = {}
        self._last = _EPOCH

    def feed(self, data: bytes) -> list[LogLine]:
        """The lines that these bytes complete, in order."""
        lines: list[LogLine] = []
        if self._frames is None:
            parts = (self._raw + data).split(b"\n")
            self._raw = parts.pop()
            while len(self._raw) > MAX_LINE_BYTES:
                parts.append(self._raw[:MAX_LINE_BYTES])
                self._raw = self._raw[MAX_LINE_BYTES:]
            for part in parts:
                self._take("stdout", part + b"\n", lines)
        else:
            for number, payload in self._frames.feed(data):
                self._take(STREAMS.get(number, "stdout"), payload, lines)
        return lines

    def finish(self) -> list[LogLine]:
        """What was left unfinished when the stream ended."""
        lines: list[LogLine] = []
        if self._raw:
            self._take("stdout", self._raw + b"\n", lines)
            self._raw = b""
        for stream, (at, text) in sorted(self._open.items(), key=lambda item: item[1][0]):
            lines.append(_line(at, stream, bytes(text)))
        self._open.clear()
        return lines

    def _take(self, stream: str, message: bytes, lines: list[LogLine]) -> None:
        at, text = split_stamp(message)
        if at is None:
            at = self._last
        else:
            self._last = at
        whole = text.endswith(b"\n")
        begun = self._open.pop(stream, None) if self._open else None
        if begun is None:
            if whole:
                lines.append(_line(at, stream, text[:-1]))
                return
            begun = (at, bytearray())
        began, buffer = begun
        buffer += text
        if whole:
            lines.append(_line(began, stream, bytes(buffer[:-1])))
        elif len(buffer) > MAX_LINE_BYTES:
            lines.append(_line(began, stream, bytes(buffer)))
        else:
            self._open[stream] = (began, buffer)


def _line(at: datetime, stream: str, text: bytes) -> LogLine:
    if text.endswith(b"\r"):
        text = text[:-1]
    return LogLine(at, stream, text.decode("utf-8", "replace"))
