"""A container, a holder process of its own, and what tests do with sessions again and again."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import docker

from backend.domain.engine import EngineAccess
from backend.domain.terminals import SessionKey, SessionStart, TerminalViewer
from backend.engines.docker import DockerEngine
from backend.run_lock import lock_holder
from backend.terminals.client import HolderClient
from backend.terminals.holder import Connection, Holder
from backend.terminals.places import HolderPlaces
from backend.wire.rendezvous import Places, process_exists
from widgets.terminal.emulator import ByteStream, Screen

DEADLINE = 60.0
SCOPE = "environment/test"
ENV = {"TERM": "xterm-256color", "PS1": "$ "}


class HolderBench:
    def __init__(self, places: Places, container_id: str, access: EngineAccess) -> None:
        self.places = places
        self.container_id = container_id
        self.access = access
        self.client = HolderClient(places)

    def start(self, *argv: str) -> SessionStart:
        return SessionStart(self.access, self.container_id, argv or ("sh",), " ".join(argv) or "sh", ENV)

    async def attach(
        self, name: str = "main", *argv: str, columns: int = 80, rows: int = 24, scope: str = SCOPE
    ) -> TerminalViewer:
        return await self.client.attach(SessionKey(scope, name), self.start(*argv), columns, rows)

    def holder_pid(self) -> int | None:
        return lock_holder(HolderPlaces.of(self.places).lock_file)

    def kill_holder(self) -> None:
        pid = self.holder_pid()
        assert pid
        os.kill(pid, signal.SIGKILL)

    def processes(self) -> str:
        return str(docker.from_env().api.top(self.container_id)["Processes"])


@asynccontextmanager
async def holder_bench(folder: Path, *, image: str = "busybox:latest") -> AsyncIterator[HolderBench]:
    places = Places.of(folder)
    places.prepare()
    engine = DockerEngine("address")
    client = docker.from_env()
    container = client.containers.run(
        image, ["sleep", "3600"], detach=True, init=True, network="none", name=f"ph-test-{secrets.token_hex(4)}"
    )
    bench = HolderBench(places, container.id, await engine.access())
    try:
        yield bench
    finally:
        await bench.client.stop()
        await bench.client.close()
        await engine.close()
        container.remove(force=True)
        client.close()


@asynccontextmanager
async def holder_here(path: Path, **options: float) -> AsyncIterator[Holder]:
    """A holder in this process, so that its times can be short."""
    holder = Holder(**options)
    server = await asyncio.get_running_loop().create_unix_server(lambda: Connection(holder), str(path))
    try:
        yield holder
    finally:
        await holder.stop("the test ended")
        server.close()
        await asyncio.to_thread(path.unlink)


async def until(check: Callable[[], Awaitable[bool]] | Callable[[], bool], what: str) -> None:
    async with asyncio.timeout(DEADLINE):
        while True:
            found = check()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.03)
    raise AssertionError(what)


async def until_text(viewer: TerminalViewer, text: str | bytes) -> bytes:
    """All output until the text was written."""
    wanted = text.encode() if isinstance(text, str) else text
    seen = b""
    async with asyncio.timeout(DEADLINE):
        while wanted not in seen:
            data = await viewer.read()
            assert data, f"ended before {wanted!r}: {seen[-500:]!r} {viewer.end}"
            seen += data
    return seen


async def rest_of(viewer: TerminalViewer) -> bytes:
    """All output until the end."""
    seen = b""
    async with asyncio.timeout(DEADLINE):
        while data := await viewer.read():
            seen += data
    return seen


class Seen:
    """What a viewer's own terminal shows."""

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        self.screen = Screen(columns, rows, 10_000)
        self.replies: list[str] = []
        self.screen.on_reply = self.replies.append
        self._stream = ByteStream(self.screen)

    def feed(self, data: bytes) -> Seen:
        self._stream.feed(data)
        return self

    @property
    def lines(self) -> list[str]:
        return [row.shown().rstrip() for row in self.screen.rows]

    @property
    def scrollback(self) -> list[str]:
        first, total = self.screen.history_first, self.screen.history_total
        return [row.shown().rstrip() for n in range(first, total) if (row := self.screen.line(n)) is not None]

    async def follow(self, viewer: TerminalViewer, until_shown: Callable[[Seen], bool]) -> Seen:
        async with asyncio.timeout(DEADLINE):
            while not until_shown(self):
                data = await viewer.read()
                assert data, f"ended: {viewer.end} {self.lines}"
                self.feed(data)
        return self


def gone(pid: int) -> bool:
    return not process_exists(pid)
