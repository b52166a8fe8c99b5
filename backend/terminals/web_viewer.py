"""A viewer's WebSocket, handed over by the backend after its handshake: from then on bytes go between it and the
session without a way through the backend."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side, State

from backend.domain.terminals import HANG_UP, TerminalEnd, WebFrames, WebTerms
from backend.terminals.viewing import FAREWELL_SECONDS, Viewing
from backend.terminals.web_frames import Frames, Message, frames_of

UNSUPPORTED, TOO_LARGE = 1003, 1009
_MAX_FAULT = 16 * 1024
MAX_FRAME_BYTES = 2**20
PING_SECONDS = 20.0
PONG_SECONDS = 60.0
# For the other side to answer our close.
CLOSE_SECONDS = 10.0
_MAX_REASON_BYTES = 123
# Unsent bytes that the kernel takes: what is typed must not wait behind more output than this.
_UNSENT_BYTES = 128 * 1024
_MASK_BITS = 0x80
_WHOLE_TEXT, _WHOLE_BINARY = 0x81, 0x82


class WebViewing(Viewing):
    """Writes WebSocket frames instead of ours."""

    def __init__(self, transport: asyncio.Transport, columns: int, rows: int, terms: WebTerms, frames: Frames) -> None:
        super().__init__(transport, columns, rows)
        self._web = transport
        self._terms = terms
        self._frames = frames
        self.is_closing = False
        self.on_finish: Callable[[TerminalEnd], None] = lambda end: None

    def send(self, data: bytes) -> None:
        self._write(self._frames.output(data))

    def tell(self, message: Mapping[str, Any]) -> None:
        self._write(self._frames.told(message))

    def say(self, text: str) -> None:
        """A text frame as it is."""
        self._write([(Opcode.TEXT, text.encode())])

    def answer(self, message: Message) -> None:
        self._write([message])

    def finish(self, end: TerminalEnd) -> None:
        """Tell why, and close."""
        code = self._terms.codes.get(end.reason.value, 1000)
        self._write(self._frames.end(end, code))
        self.close_with(code, end.message)
        self.on_finish(end)

    def _write(self, messages: Iterable[Message]) -> None:
        if not self._finished:
            for opcode, data in messages:
                self._web.write(_frame(opcode, data))

    def close_with(self, code: int, reason: str) -> None:
        """A close frame, once; the other side answers it, or is cut off after a while."""
        if self.is_closing:
            return
        self.is_closing = True
        self.gone()
        if self._web.is_closing():
            return  # the client was faster
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

    def web_fault(self, text: str) -> None: ...

    def web_lost(self, hung_up: bool) -> None: ...


class WebConnection(asyncio.Protocol):
    """Reads a client's frames."""

    def __init__(self, owner: WebOwner, columns: int, rows: int, terms: WebTerms) -> None:
        self._owner = owner
        self._size = (columns, rows)
        self._terms = terms
        self._frames = frames_of(terms.frames)
        self._is_binary = terms.frames is WebFrames.BINARY
        self._protocol = Protocol(Side.SERVER, state=State.OPEN, max_size=MAX_FRAME_BYTES)
        self._parts = bytearray()
        self._is_text = False
        self._before: list[bytes] | None = []
        self._timer: asyncio.TimerHandle | None = None
        self._awaited: bytes | None = None
        self._transport: asyncio.Transport
        self.viewing: WebViewing

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.viewing = WebViewing(self._transport, *self._size, self._terms, self._frames)
        self._timer = asyncio.get_running_loop().call_later(PING_SECONDS, self._ping)

    def connection_lost(self, error: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.viewing.gone()
        close = self._protocol.close_rcvd
        self._owner.web_lost(self._is_binary and close is not None and close.code == HANG_UP)

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
        if self._take_key(data):
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

    def _take_key(self, data: bytes) -> bool:
        """The short way of what is typed: one whole frame of a few bytes, and nothing unfinished before it."""
        length = len(data) - 6
        if not (0 < length < 126 and data[0] in (_WHOLE_TEXT, _WHOLE_BINARY) and data[1] == _MASK_BITS | length):
            return False
        if (
            self._protocol.expect_continuation_frame
            or self._protocol.reader.buffer
            or self._protocol.state is not State.OPEN
        ):
            return False
        mask, body = data[2:6], data[6:]
        self._take_message(body if mask == b"\0\0\0\0" else _unmasked(body, mask), data[0] == _WHOLE_TEXT)
        return True

    def eof_received(self) -> bool:
        return False

    def _take(self, frame: Frame) -> None:
        if frame.opcode is Opcode.PONG:
            if bytes(frame.data) == self._awaited:
                self._awaited = None
            return
        if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return  # pings and closes are answered by the library
        if frame.opcode is not Opcode.CONT:
            self._parts, self._is_text = bytearray(), frame.opcode is Opcode.TEXT
        self._parts += frame.data
        if not frame.fin:
            return
        message, self._parts = bytes(self._parts), bytearray()
        self._take_message(message, self._is_text)

    def _take_message(self, message: bytes, is_text: bool) -> None:
        if self.viewing.is_closing:
            return  # it was told to go: what it still types is nobody's
        most = self._terms.max_message_bytes
        if len(message) > most:
            self.viewing.close_with(TOO_LARGE, f"a message may have {most} bytes, not {len(message)}")
            return
        found = self._frames.input(message, is_text)
        if isinstance(found, bytes):
            if found:
                self._owner.web_input(found)
        elif found is None:
            self._take_fault(message)
        elif isinstance(found[0], Opcode):
            self.viewing.answer(cast(Message, found))
        else:
            self._owner.web_resize(*cast(tuple[int, int], found))

    def _take_fault(self, message: bytes) -> None:
        if self._is_binary:
            self.viewing.close_with(UNSUPPORTED, self._terms.unsupported)
        else:
            self._owner.web_fault(message.decode("utf-8", "replace")[:_MAX_FAULT])

    def read_on(self, wanted: bool) -> None:
        """Take messages, or leave them with the client."""
        if not self._transport.is_closing():
            (self._transport.resume_reading if wanted else self._transport.pause_reading)()

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
