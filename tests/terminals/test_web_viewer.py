"""WebSockets that the holder serves itself, as their clients see them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

from websockets.frames import Frame, Opcode

from backend.domain.terminals import GivenSocket, SessionKey, TerminalViewer, WebFrames, WebTerms
from backend.owner_socket import bind_owner_socket
from backend.terminals.door import Door
from backend.terminals.holder import Holder
from backend.terminals.places import HolderPlaces
from tests.terminals.holder_bench import SCOPE, HolderBench, until_text

TERMS = WebTerms(WebFrames.BINARY, {})


@asynccontextmanager
async def _door(bench: HolderBench) -> AsyncIterator[None]:
    """A holder in this process."""
    path = HolderPlaces.of(bench.places).socket
    holder = Holder()
    with closing(bind_owner_socket(path, 16)) as listener:
        door = Door(listener, holder)
        door.open()
        try:
            yield
        finally:
            await holder.stop("the test ended")
            door.close()
            await asyncio.to_thread(path.unlink)


async def _handed(bench: HolderBench, name: str) -> tuple[TerminalViewer, Client]:
    """A viewer whose client is at the other end of a socket."""
    ours, theirs = socket.socketpair()
    viewer = await bench.client.attach(SessionKey(SCOPE, name), bench.start(), 80, 24, later=True)
    await viewer.hand_over(GivenSocket(theirs.detach(), b""), TERMS)
    return viewer, await Client.on(ours)


class Client:
    """Sends whatever frames it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def on(cls, end: socket.socket) -> Client:
        return cls(*await asyncio.open_unix_connection(sock=end))

    def send(self, opcode: Opcode, data: bytes, *, fin: bool = True) -> None:
        self._writer.write(Frame(opcode, data, fin).serialize(mask=True))

    async def until(self, wanted: bytes) -> bytes:
        async with asyncio.timeout(20):
            return await self._reader.readuntil(wanted)

    async def rest(self) -> bytes:
        async with asyncio.timeout(20):
            return await self._reader.read()

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


async def test_what_is_typed_after_the_close_is_nobodys(bench: HolderBench) -> None:
    async with _door(bench):
        viewer, client = await _handed(bench, "main")
        client.send(Opcode.BINARY, b"echo be''fore\n")
        await client.until(b"before")
        viewer.dismiss(1008, "shut out")
        await client.until(b"shut out")
        await viewer.close()
        client.send(Opcode.BINARY, b"echo af''ter\n")
        client.send(Opcode.BINARY, b"echo ", fin=False)
        client.send(Opcode.CONT, b"af''ter\n" + b" " * 200)
        client.send(Opcode.TEXT, b'{"type": "resize", "columns": 33, "rows": 11}')
        client.send(Opcode.CLOSE, b"\x03\xf0")
        await client.rest()
        other = await bench.attach("main")
        await other.write(b"stty size; echo la''st\n")
        seen = await until_text(other, b"last")
        assert b"24 80" in seen
        assert b"after" not in seen, "who was shut out typed on"


async def test_a_client_that_goes_away_is_no_fault(bench: HolderBench) -> None:
    for _ in range(3):
        viewer, client = await _handed(bench, "main")
        await client.close()
        async with asyncio.timeout(20):
            await viewer.finished()
        await viewer.close()
    assert [info.viewers for info in await bench.client.sessions()] == [0]
    log = HolderPlaces.of(bench.places).log_file
    assert "Traceback" not in await asyncio.to_thread(log.read_text), "what it held of them is not let go"


async def test_a_message_in_ever_more_empty_parts_costs_nothing(bench: HolderBench) -> None:
    async with _door(bench):
        viewer, client = await _handed(bench, "main")
        client.send(Opcode.BINARY, b"", fin=False)
        for _ in range(2000):
            client.send(Opcode.CONT, b"", fin=False)
        client.send(Opcode.CONT, b"echo who''le\n")
        await client.until(b"whole")
        await client.close()
        await viewer.close()
