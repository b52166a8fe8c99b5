"""A viewer's WebSocket, handed over by the backend after its handshake: from then on bytes go between it and the
session without a way through the backend."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side, State

from backend.domain.terminals import MAX_COLUMNS, MAX_ROWS, TerminalEnd
from backend.terminals.viewing import FAREWELL_SECONDS, Viewing

UNSUPPORTED = 1003
MAX_MESSAGE_BYTES = 2**20
PING_SECONDS = 20.0
PONG_SECONDS = 60.0
# For the other side to answer our close.
CLOSE_SECONDS = 10.0
_MAX_REASON_BYTES = 123
# Unsent bytes that the kernel takes: what is typed must not wait behind more output than this.
_UNSENT_BYTES = 128 * 1024
_MASK_BITS = 0x80


@dataclass(frozen=True, slots=True)
class WebTerms:
    """What the backend decides: the close code of each end, and what to tell one whose message is not understood."""

    codes: Mapping[str, int]
    unsupported: str


class WebViewing(Viewing):
    """Writes WebSocket frames instead of ours. Text frames are those of `backend.wire.pilothouse`."""

    def __init__(self, transport: asyncio.Transport, columns: int, rows: int, terms: WebTerms) -> None:
        super().__init__(transport, columns, rows)
        self._web = transport
        self._terms = terms
        self.is_closing = False
        self.on_finish: Callable[[TerminalEnd], None] = lambda end: None

    def send(self, data: bytes) -> None:
        if not self._finished:
            self._web.write(_frame(Opcode.BINARY, data))

    def tell(self, message: Mapping[str, Any]) -> None:
        if not self._finished:
            self._web.write(_frame(Opcode.TEXT, json.dumps(message).encode()))

    def finish(self, end: TerminalEnd) -> None:
        """Tell why, and close."""
        self.tell({"type": "exit", "code": end.code, "reason": end.reason.value, "message": end.message})
        self.close_with(self._terms.codes.get(end.reason.value, 1000), end.message)
        self.on_finish(end)

    def close_with(self, code: int, reason: str) -> None:
        """A close frame, once; the other side answers it, or is cut off after a while."""
        if self.is_closing:
            return
        self.is_closing = True
        self.gone()
        words = reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore").encode()
        self._web.write(_frame(Opcode.CLOSE, code.to_bytes(2, "big") + words))
        # One that reads slowly gets its last words; one that does not read at all is let go.
        seconds = FAREWELL_SECONDS if self._web.get_write_buffer_size() else CLOSE_SECONDS
        asyncio.get_running_loop().call_later(seconds, self._web.abort)


class WebOwner(typing.Protocol):
    """Who is told what a WebSocket brings."""

    def web_input(self, data: bytes) -> None: ...

    def web_resize(self, columns: int, rows: int) -> None: ...

    def web_caught_up(self) -> None: ...

    def web_lost(self) -> None: ...


class WebConnection(asyncio.Protocol):
    """Reads a client's frames: bytes are input, text is a resize."""

    def __init__(self, owner: WebOwner, columns: int, rows: int, terms: WebTerms) -> None:
        self._owner = owner
        self._size = (columns, rows)
        self._terms = terms
        self._protocol = Protocol(Side.SERVER, state=State.OPEN, max_size=MAX_MESSAGE_BYTES)
        self._parts: list[bytes] = []
        self._is_text = False
        self._before: list[bytes] | None = []
        self._timer: asyncio.TimerHandle | None = None
        self._awaited: bytes | None = None
        self._transport: asyncio.Transport
        self.viewing: WebViewing

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.viewing = WebViewing(self._transport, *self._size, self._terms)
        self._timer = asyncio.get_running_loop().call_later(PING_SECONDS, self._ping)

    def connection_lost(self, error: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.viewing.gone()
        self._owner.web_lost()

    def pause_writing(self) -> None:
        self.viewing.fell_behind()

    def resume_writing(self) -> None:
        self.viewing.caught_up()
        self._owner.web_caught_up()

    def begin(self, early: bytes) -> None:
        """Take input; `early` is what the backend has read of it already."""
        before, self._before = self._before, None
        for data in (early, *(before or ())):
            if data:
                self.data_received(data)

    def data_received(self, data: bytes) -> None:
        if self._before is not None:
            self._before.append(data)
            return
        # A key: one whole binary frame of a few bytes, with nothing before it that is not whole.
        length = len(data) - 6
        if 0 < length < 126 and data[0] == 0x82 and data[1] == _MASK_BITS | length and self._is_between_messages():
            mask = data[2:6]
            body = data[6:]
            self._owner.web_input(body if mask == b"\0\0\0\0" else _unmasked(body, mask))
            return
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._take(event)
        closed = self._protocol.parser_exc is not None or self._protocol.close_rcvd is not None
        if not (closed and self.viewing.is_closing):
            self._flush()
        if closed:
            self.viewing.gone()
            self._transport.close()

    def eof_received(self) -> bool:
        return False

    def _is_between_messages(self) -> bool:
        return not self._parts and not self._protocol.reader.buffer and self._protocol.state is State.OPEN

    def _take(self, frame: Frame) -> None:
        if frame.opcode is Opcode.PONG:
            if bytes(frame.data) == self._awaited:
                self._awaited = None
            return
        if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return  # pings and closes are answered by the library
        if frame.opcode is not Opcode.CONT:
            self._parts, self._is_text = [], frame.opcode is Opcode.TEXT
        self._parts.append(bytes(frame.data))
        if not frame.fin:
            return
        message, self._parts = b"".join(self._parts), []
        if self._is_text:
            self._take_text(message)
        elif message:
            self._owner.web_input(message)

    def _take_text(self, message: bytes) -> None:
        try:
            found = json.loads(message)
            columns, rows = found["columns"], found["rows"]
            understood = found["type"] == "resize" and _is_side(columns, MAX_COLUMNS) and _is_side(rows, MAX_ROWS)
        except (ValueError, KeyError, TypeError):
            understood = False
        if understood:
            self._owner.web_resize(columns, rows)
        else:
            self.viewing.close_with(UNSUPPORTED, self._terms.unsupported)

    def _ping(self) -> None:
        if self._awaited is not None:
            self._transport.abort()
            return
        self._awaited = os.urandom(4)
        self._transport.write(_frame(Opcode.PING, self._awaited))
        self._timer = asyncio.get_running_loop().call_later(PONG_SECONDS, self._ping)

    def _flush(self) -> None:
        """What the library answers: pongs, and closes."""
        for part in self._protocol.data_to_send():
            if part:
                self._transport.write(part)


async def take_over(handle: int, make: Callable[[], WebConnection]) -> WebConnection:
    """Serve the TCP connection of that descriptor, which is ours from now on. Raises OSError."""
    connection = socket.socket(fileno=handle)
    connection.setblocking(False)
    if connection.family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)
    _, made = await asyncio.get_running_loop().connect_accepted_socket(make, connection)
    return made


def _frame(opcode: Opcode, data: bytes) -> bytes:
    length = len(data)
    if length < 126:
        return bytes((0x80 | opcode, length)) + data
    if length < 65536:
        return bytes((0x80 | opcode, 126)) + length.to_bytes(2, "big") + data
    return bytes((0x80 | opcode, 127)) + length.to_bytes(8, "big") + data


def _unmasked(data: bytes, mask: bytes) -> bytes:
    return bytes(byte ^ mask[at & 3] for at, byte in enumerate(data))


def _is_side(value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most
