"""The backend's side of one viewer."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
from collections import deque
from collections.abc import Callable
from typing import Any, cast

from backend.domain.errors import Unavailable
from backend.domain.terminals import GivenSocket, HolderLost, TerminalEnd, WebTerms
from backend.terminals.protocol import DATA, PROTOCOL, FrameDecoder, ProtocolFault, data_frame, json_frame, read_json
from backend.terminals.wire_form import end_from_wire

# Output that waits for the reader, beside what the kernel and the holder keep.
_WAITING_HIGH = 64 * 1024
_WAITING_LOW = 16 * 1024
_MOST = 64 * 1024
HAND_OVER_SECONDS = 10.0
_MOST_FAULTS = 64
_LOST = "the terminal holder ended unexpectedly, and its sessions with it: open the terminal again"


class ViewerConnection(asyncio.Protocol):
    """See `backend.domain.terminals.TerminalViewer`. One reader and one writer use it at the same time."""

    def __init__(self) -> None:
        self.resumed = False
        self.command = ""
        self.container_id = ""
        self.size = (0, 0)
        self.end: TerminalEnd | None = None
        self._told_size = (0, 0)
        self._decoder = FrameDecoder()
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._reading = True
        self._reader: asyncio.Future[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._resized = asyncio.Event()
        self._lost: str | None = None
        self._closed = False
        self._token = ""
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._finished = asyncio.Event()
        self._faults: asyncio.Queue[str] = asyncio.Queue()
        self.socket_path = ""
        self.on_active: Callable[[], None] = lambda: None

    # --- the protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are none by their class

    def data_received(self, data: bytes) -> None:
        try:
            for kind, payload in self._decoder.feed(data):
                if kind == DATA:
                    self._waiting.append(payload)
                    self._waiting_bytes += len(payload)
                else:
                    self._control(read_json(payload))
        except (ProtocolFault, KeyError) as fault:
            self._fail(f"the terminal holder sent something that cannot be read: {fault}")
            return
        if self._waiting_bytes > _WAITING_HIGH and self._reading and self._transport is not None:
            self._reading = False
            self._transport.pause_reading()
        self._wake_reader()

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(_LOST)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _control(self, message: dict[str, Any]) -> None:
        if not self._answer.done():
            self._answer.set_result(message)
            if message.get("type") == "attached":
                self.resumed = bool(message["resumed"])
                self.command, self.container_id = str(message["command"]), str(message["container_id"])
                self.size = self._told_size = (int(message["columns"]), int(message["rows"]))
                self._token = str(message.get("viewer") or "")
        elif message.get("type") == "size":
            self.size = (int(message["columns"]), int(message["rows"]))
            self._resized.set()
        elif message.get("type") == "ended":
            self.end = end_from_wire(message)
            self._writable.set()
            self._finished.set()
        elif message.get("type") == "over":
            self._over.set_result(None)
        elif message.get("type") == "fault":
            self._faults.put_nowait(str(message["text"]))
            if self._faults.qsize() > _MOST_FAULTS and self._transport is not None:
                self._transport.pause_reading()
        elif message.get("type") == "active":
            self.on_active()
        elif message.get("type") == "gone":
            self._closed = True
            self._finished.set()
        elif message.get("type") == "error":
            self._fail(str(message.get("message")))

    def _fail(self, words: str) -> None:
        if self._lost is None:
            self._lost = words
        if not self._answer.done():
            self._answer.set_exception(HolderLost(words))
        if not self._over.done():
            self._over.cancel()
        self._finished.set()
        self._writable.set()
        self._wake_reader()
        if self._transport is not None:
            self._transport.abort()

    def _wake_reader(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send the request and wait for its answer. Raises HolderLost."""
        assert self._transport is not None
        self._transport.write(json_frame(request))
        return await self._answer

    # --- what its user does

    async def read(self) -> bytes:
        """See TerminalViewer. May be cancelled and called again."""
        while not self._waiting:
            if self.end is not None or self._closed:
                return b""
            if self._lost is not None:
                raise HolderLost(self._lost)
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        data = self._waiting.popleft()
        if self._waiting and len(data) + len(self._waiting[0]) <= _MOST:
            data = self._joined(data)
        self._waiting_bytes -= len(data)
        if not self._reading and self._waiting_bytes < _WAITING_LOW and self._transport is not None:
            self._reading = True
            self._transport.resume_reading()
        return data

    def _joined(self, first: bytes) -> bytes:
        """Small pieces that wait together go together."""
        parts, size = [first], len(first)
        while self._waiting and size + len(self._waiting[0]) <= _MOST:
            parts.append(self._waiting.popleft())
            size += len(parts[-1])
        return b"".join(parts)

    async def write(self, data: bytes) -> None:
        """See TerminalViewer."""
        self._check_open()
        assert self._transport is not None
        self._transport.write(data_frame(data))
        if not self._writable.is_set():
            await self._writable.wait()
            self._check_open()

    async def resize(self, columns: int, rows: int) -> None:
        """See TerminalViewer. Nothing once the session ended."""
        if self.end is None and self._lost is None and not self._closed and self._transport is not None:
            self._transport.write(json_frame({"op": "resize", "columns": columns, "rows": rows}))

    async def next_size(self) -> tuple[int, int]:
        """See TerminalViewer."""
        while self.size == self._told_size:
            self._resized.clear()
            await self._resized.wait()
        self._told_size = self.size
        return self.size

    async def exit_code(self) -> int | None:
        """Known once the output ended."""
        return self.end.code if self.end is not None else None

    # --- a WebSocket in place of this connection

    def begin_here(self) -> None:
        """See TerminalViewer."""
        assert self._transport is not None
        self._transport.write(json_frame({"op": "here"}))

    async def hand_over(self, given: GivenSocket, terms: WebTerms) -> None:
        """See TerminalViewer."""
        request = {
            "op": "hand_over",
            "protocol": PROTOCOL,
            "viewer": self._token,
            "frames": terms.frames.value,
            "codes": dict(terms.codes),
            "unsupported": terms.unsupported,
            "max_message_bytes": terms.max_message_bytes,
            "early": base64.b64encode(given.early).decode(),
        }
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as way:
                way.setblocking(False)
                await asyncio.get_running_loop().sock_connect(way, self.socket_path)
                # Nothing was sent before, so that it fits into what the kernel holds.
                socket.send_fds(way, [json_frame(request)], [given.handle])
                async with asyncio.timeout(HAND_OVER_SECONDS):
                    await self._over
        except OSError as error:
            raise HolderLost(
                self._lost or f"the terminal holder does not take the connection ({error}): open the terminal again"
            ) from error
        except asyncio.CancelledError as error:
            if self._lost is None:
                raise
            raise HolderLost(self._lost) from error
        finally:
            os.close(given.handle)

    async def next_fault(self) -> str:
        """See TerminalViewer."""
        found = await self._faults.get()
        if self._faults.qsize() == _MOST_FAULTS and self._transport is not None:
            self._transport.resume_reading()
        return found

    def say(self, text: str) -> None:
        """See TerminalViewer."""
        self._order({"op": "say", "text": text})

    async def finished(self) -> None:
        """See TerminalViewer."""
        await self._finished.wait()
        if self.end is None and self._lost is not None and not self._closed:
            raise HolderLost(self._lost)

    def dismiss(self, code: int, reason: str) -> None:
        """See TerminalViewer."""
        self._order({"op": "close", "code": code, "reason": reason})

    def hang_up(self) -> None:
        """See TerminalViewer."""
        self._order({"op": "hang_up"})

    def _order(self, message: dict[str, Any]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(json_frame(message))

    async def close(self) -> None:
        """Detach."""
        self._closed = True
        self._finished.set()
        if self._transport is not None:
            self._transport.close()
        self._writable.set()
        self._wake_reader()

    def _check_open(self) -> None:
        if self.end is not None:
            raise Unavailable(f"the session has ended: {self.end.message}")
        if self._lost is not None:
            raise HolderLost(self._lost)
        if self._closed:
            raise Unavailable("the terminal is closed")
