"""A real app and a real installation's ingress, for the ingress tests."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

from backend.domain.ingress import Route
from backend.domain.ingress import Upstream as UpstreamAddress
from backend.ingress.caddy import CaddyIngress
from backend.ingress.tls import TlsOptions


class App:
    """A small HTTP/1.1 app with keep-alive. It answers `<name>`; /slow waits for `release`; /echo returns the request's
    head and body; /hang answers never."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = 0
        self.seen = 0
        self.release = asyncio.Event()
        self.slow_began = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """As a container that is stopped: the port refuses, every connection ends."""
        if self._server is not None:
            self._server.close()
            for writer in self._writers:
                writer.close()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (int(h.split(b":")[1]) for h in head.lower().split(b"\r\n") if b"content-length:" in h), 0
                )
                body = await reader.readexactly(length)
                self.seen += 1
                path = head.split(b" ")[1]
                answer = self.name.encode()
                if path == b"/echo":
                    answer = head + body
                elif path == b"/slow":
                    self.slow_began.set()
                    await self.release.wait()
                elif path == b"/hang":
                    self.slow_began.set()
                    await reader.read()
                    return
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def route(host: str, *apps: App, id: str | None = None) -> Route:
    return Route(id or host, (host,), tuple(UpstreamAddress(app.address) for app in apps))


class Site:
    """One installation's directories and port; `open` makes the ingress of a fresh backend on them."""

    def __init__(self, root: Path, port: int) -> None:
        self.root = root
        self.port = port
        self.tls: TlsOptions | None = None
        self.opened: list[CaddyIngress] = []

    def open(self) -> CaddyIngress:
        ingress = CaddyIngress(self.root / "run", self.root / "log", port=self.port, tls=self.tls, drain_seconds=3.0)
        self.opened.append(ingress)
        return ingress

    async def get(self, host: str, path: str = "/") -> httpx.Response:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=60) as client:
            return await client.get(path, headers={"Host": host})


def kill_router(ingress: CaddyIngress) -> None:
    pid = ingress.pids["router"]
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


async def answer_without_router(site: Site, ingress: CaddyIngress, host: str) -> httpx.Response:
    """The answer to a request that comes while the router is dead. The door waits three seconds, which a busy machine
    may take longer than to start another one: then it is tried again."""
    for _ in range(3):
        kill_router(ingress)
        answer = await site.get(host)
        if answer.status_code == 200:
            break
        assert answer.status_code in (502, 503)
        await eventually(ingress.ready)
    return answer


async def eventually(check: Callable[[], Awaitable[bool]], seconds: float = 60.0) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not await check():
        assert asyncio.get_running_loop().time() < deadline, "not within the deadline"
        await asyncio.sleep(0.02)


MakeSite = Callable[[str], Site]
MakeApp = Callable[[str], Awaitable[App]]
