"""How the app leaves a terminal's socket: what is closed ends there, and what was only lost does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import Server, ServerConnection, serve

from backend.wire.pilothouse import TerminalExit, TerminalReady
from tui.client.terminal import BackendTerminal

READY = TerminalReady(replica="web-0", command="sh", session="app-1").model_dump_json(by_alias=True)
EXIT = TerminalExit(code=0).model_dump_json(by_alias=True)


class Backend:
    """Serves one terminal by a script, and keeps the code with which its client closed it."""

    def __init__(self, script: Callable[[ServerConnection], Coroutine[None, None, None]]) -> None:
        self._script = script
        self.opened = asyncio.Event()
        self.left = asyncio.Event()
        self.code: int | None = None

    async def serve(self, connection: ServerConnection) -> None:
        self.opened.set()
        await self._script(connection)
        await connection.wait_closed()
        received = connection.protocol.close_rcvd
        self.code = received.code if received else None
        self.left.set()


async def served(backend: Backend) -> tuple[Server, BackendTerminal]:
    server = await serve(backend.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async def open_socket(path: str) -> ClientConnection:
        return await connect(f"ws://127.0.0.1:{port}{path}", proxy=None)

    return server, BackendTerminal(open_socket, "/terminal", ends_on_close=True, session="app-1", linger="600")


@pytest.fixture
async def opened() -> AsyncIterator[Callable[[Backend], Coroutine[None, None, BackendTerminal]]]:
    servers = []

    async def begin(backend: Backend) -> BackendTerminal:
        server, terminal = await served(backend)
        servers.append(server)
        return terminal

    yield begin
    for server in servers:
        server.close()
        await server.wait_closed()


async def says_nothing(connection: ServerConnection) -> None:
    """Not even that it is ready."""


async def is_ready(connection: ServerConnection) -> None:
    await connection.send(READY)


async def ends(connection: ServerConnection) -> None:
    await connection.send(READY)
    await connection.send(EXIT)


async def test_one_that_is_closed_ends_its_session(
    opened: Callable[..., Coroutine[None, None, BackendTerminal]],
) -> None:
    backend = Backend(is_ready)
    terminal = await opened(backend)
    await terminal.open(80, 24)
    await terminal.close()
    await backend.left.wait()
    assert backend.code == 4410


async def test_one_that_is_given_up_while_it_is_opened_does_too(
    opened: Callable[..., Coroutine[None, None, BackendTerminal]],
) -> None:
    backend = Backend(says_nothing)
    terminal = await opened(backend)
    opening = asyncio.create_task(terminal.open(80, 24))
    await backend.opened.wait()
    await asyncio.sleep(0.5)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    await backend.left.wait()
    assert backend.code == 4410


async def test_one_that_is_late_may_be_found_again(
    opened: Callable[..., Coroutine[None, None, BackendTerminal]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.client.terminal.READY_SECONDS", 0.2)
    backend = Backend(says_nothing)
    terminal = await opened(backend)
    with pytest.raises(TimeoutError):
        await terminal.open(80, 24)
    await backend.left.wait()
    assert backend.code == 1000


async def test_one_whose_process_ended_has_nothing_to_end(
    opened: Callable[..., Coroutine[None, None, BackendTerminal]],
) -> None:
    backend = Backend(ends)
    terminal = await opened(backend)
    await terminal.open(80, 24)
    assert await terminal.read() == b""
    await terminal.close()
    await backend.left.wait()
    assert backend.code == 1000
