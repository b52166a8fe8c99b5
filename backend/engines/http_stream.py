"""Streaming requests to the engine on plain asyncio sockets: a follower costs a socket, not a thread."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httptools

from backend.domain.errors import EngineUnavailable
from backend.engines.engine_fault import EngineFault

READ_SIZE = 256 * 1024
_MAX_ERROR_BODY = 64 * 1024


class _Body:
    """What httptools calls while it parses a response."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.complete = False
        self.delimited = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() in (b"transfer-encoding", b"content-length"):
            self.delimited = True

    def on_body(self, body: bytes) -> None:
        self.parts.append(body)

    def on_message_complete(self) -> None:
        self.complete = True


class StreamingResponse:
    """A response whose body is read as it comes. After a 101 the connection carries raw bytes both ways."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
        self.writer = writer
        self._reader = reader
        self.status = int(head.split(b" ", 2)[1])
        self.upgraded = self.status == 101
        self._body = _Body()
        self._parser = httptools.HttpResponseParser(self._body)
        if not self.upgraded:
            self._parser.feed_data(head)

    async def read(self) -> bytes:
        """The next bytes of the body, as many as are there; empty at its end.

        Raises EngineUnavailable where the connection was cut before the end. May be cancelled and called again.
        """
        if self.upgraded:
            return await self._reader.read(64 * 1024)
        body = self._body
        while not body.parts and not body.complete:
            data = await self._reader.read(READ_SIZE)
            if not data:
                if body.delimited:
                    raise EngineUnavailable("the container engine cut a stream off: it stopped or was restarted")
                return b""
            self._parser.feed_data(data)
        parts, body.parts = body.parts, []
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def read_error(self) -> EngineFault:
        """The fault that an error response tells."""
        data = b""
        while len(data) < _MAX_ERROR_BODY and (part := await self.read()):
            data += part
        return EngineFault.of_body(self.status, data)


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """`path` with its query; `body` is sent as JSON; `upgrade` asks for raw bytes both ways."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: object | None = None
    upgrade: bool = False

    def encode(self) -> bytes:
        """As HTTP/1.1."""
        payload = b"" if self.body is None else json.dumps(self.body).encode()
        lines = [f"{self.method} {self.path} HTTP/1.1", "Host: docker", f"Content-Length: {len(payload)}"]
        if self.body is not None:
            lines.append("Content-Type: application/json")
        lines += ["Connection: Upgrade", "Upgrade: tcp"] if self.upgrade else ["Connection: close"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + payload


# Waits for the next bytes by calling what it is given, as often as it likes; see EngineConnection.
Patience = Callable[[Callable[[], Awaitable[bytes]]], Awaitable[bytes]]


@asynccontextmanager
async def exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: StreamRequest, patience: Patience
) -> AsyncIterator[StreamingResponse]:
    """Send one request on a fresh connection and read the response's head; the connection ends with the block.

    Raises EngineFault for a status of 400 and above, OSError and asyncio.IncompleteReadError where the connection
    fails.
    """
    try:
        writer.write(request.encode())
        await writer.drain()
        response = StreamingResponse(reader, writer, await patience(lambda: reader.readuntil(b"\r\n\r\n")))
        if response.status >= 400:
            raise await response.read_error()
        yield response
    finally:
        # abort, not close: a follower that goes away must not wait for bytes that nobody will read
        writer.transport.abort()
