"""A real receiver of webhooks on a loopback port, which answers as it is told."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

HANG = "hang"
CLOSE = "close"


@dataclass(frozen=True)
class Call:
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`answers` are sent one a call, raw or as a status; then 204."""

    port: int = 0
    answers: list[int | bytes | str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?key=abc"

    async def until_called(self, times: int) -> list[Call]:
        async with asyncio.timeout(60), self.changed:
            await self.changed.wait_for(lambda: len(self.calls) >= times)
        return self.calls

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            request, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            async with self.changed:
                self.calls.append(Call(request.split(" ")[1], headers, body))
                self.changed.notify_all()
            await self._answer(self.answers.pop(0) if self.answers else 204, reader, writer)
        writer.close()

    async def _answer(
        self, answer: int | bytes | str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if answer == HANG:
            await reader.read()  # until the caller has enough
        elif isinstance(answer, bytes):
            writer.write(answer)
            await writer.drain()
        elif isinstance(answer, int):
            writer.write(b"HTTP/1.1 %d Told\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % answer)
            await writer.drain()


@asynccontextmanager
async def receiver(context: ssl.SSLContext | None = None, *, host: str = "127.0.0.1") -> AsyncIterator[Receiver]:
    """Listening until the block ends."""
    state = Receiver()
    server = await asyncio.start_server(state.serve, host, 0, ssl=context)
    state.port = server.sockets[0].getsockname()[1]
    try:
        yield state
    finally:
        server.close()
        await server.wait_closed()
