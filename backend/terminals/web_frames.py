"""How a terminal's bytes go over a WebSocket: as they are, or as the JSON texts of the DevPocket document. Pure."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from websockets.frames import Opcode

from backend.domain.terminals import MAX_COLUMNS, MAX_ROWS, TerminalEnd, WebFrames

_NORMAL = 1000
_MAX_PIECE = 64 * 1024
_PONG = b'{"type":"pong"}'

Message = tuple[Opcode, bytes]


class Frames(Protocol):
    """One viewer's; what it returns are messages to send."""

    def output(self, data: bytes) -> Iterator[Message]: ...

    def told(self, message: Mapping[str, Any]) -> Iterator[Message]:
        """A notice of the session, e.g. of its size."""

    def end(self, end: TerminalEnd, code: int) -> Iterator[Message]:
        """Before the close with that code."""

    def input(self, message: bytes, is_text: bool) -> bytes | tuple[int, int] | Message | None:
        """What a client's message is: bytes typed, a size, a message to answer with, or nothing that is understood."""


class BinaryFrames:
    """See `backend.wire.pilothouse`."""

    def output(self, data: bytes) -> Iterator[Message]:
        for piece in _pieces(data):
            yield Opcode.BINARY, piece

    def told(self, message: Mapping[str, Any]) -> Iterator[Message]:
        yield Opcode.TEXT, json.dumps(message).encode()

    def end(self, end: TerminalEnd, code: int) -> Iterator[Message]:
        told = {"type": "exit", "code": end.code, "reason": end.reason.value, "message": end.message}
        yield Opcode.TEXT, json.dumps(told).encode()

    def input(self, message: bytes, is_text: bool) -> bytes | tuple[int, int] | Message | None:
        if not is_text:
            return message
        found = _object(message)
        return _size(found, "columns", "rows") if found.get("type") == "resize" else None


class DevPocketFrames:
    """See the DevPocket document, `/api/v1/ws/terminal`. A character whose bytes come in two parts is sent with the
    second; bytes that are none become U+FFFD."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def output(self, data: bytes) -> Iterator[Message]:
        for piece in _pieces(data):
            if text := self._decoder.decode(piece):
                yield Opcode.TEXT, _output(text)

    def told(self, message: Mapping[str, Any]) -> Iterator[Message]:
        """The document has no such messages."""
        yield from ()

    def end(self, end: TerminalEnd, code: int) -> Iterator[Message]:
        if rest := self._decoder.decode(b"", True):
            yield Opcode.TEXT, _output(rest)
        if code != _NORMAL:
            yield Opcode.TEXT, json.dumps({"type": "error", "message": end.message}).encode()

    def input(self, message: bytes, is_text: bool) -> bytes | tuple[int, int] | Message | None:
        found = _object(message)
        kind = found.get("type")
        if kind == "input" and isinstance(data := found.get("data"), str):
            try:
                return data.encode()
            except UnicodeEncodeError:  # half of a surrogate pair
                return None
        if kind == "resize":
            return _size(found, "cols", "rows")
        return (Opcode.TEXT, _PONG) if kind == "ping" else None


def frames_of(kind: WebFrames) -> Frames:
    return BinaryFrames() if kind is WebFrames.BINARY else DevPocketFrames()


def _pieces(data: bytes) -> Iterator[bytes]:
    """Clients take messages of a megabyte or less, and JSON may make six of one byte."""
    for at in range(0, len(data), _MAX_PIECE):
        yield data[at : at + _MAX_PIECE]


def _output(text: str) -> bytes:
    return json.dumps({"type": "output", "data": text}, ensure_ascii=False, separators=(",", ":")).encode()


def _object(message: bytes) -> dict[str, Any]:
    """Empty for anything but a JSON object."""
    try:
        found = json.loads(message)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _size(found: Mapping[str, Any], columns: str, rows: str) -> tuple[int, int] | None:
    wide, high = found.get(columns), found.get(rows)
    if type(wide) is int and type(high) is int and 1 <= wide <= MAX_COLUMNS and 1 <= high <= MAX_ROWS:
        return wide, high
    return None
