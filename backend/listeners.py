"""Listening: TCP sockets and the owner's unix socket, served by several uvicorn servers in one loop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import uvicorn
from litestar.types import ASGIApp, Receive, Scope, Send

from backend.owner_socket import bind_owner_socket, peer_uid
from backend.request_times import USUAL, Patience, TimedRequests
from backend.socket_giving import GivingProtocol
from backend.surfaces.local_caller import LOCAL_OWNER_KEY

log = logging.getLogger(__name__)

BACKLOG = 2048
GRACE_SECONDS = 5
MAX_FRAME_BYTES = 2**20


class CannotListen(Exception):
    """An address that cannot be had; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A bound socket, what it serves, and whether only the owner's processes may use it."""

    socket: socket.socket
    app: ASGIApp
    owner_only: bool = False


class OwnerOnlyProtocol(TimedRequests):
    """Drops connections of other users' processes before a byte is read."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        peer = transport.get_extra_info("socket")
        uid = peer_uid(peer)
        super().connection_made(transport)
        if uid != os.getuid():
            log.warning("a process of user id %d was refused at the unix socket", uid)
            transport.abort()


class _Server(uvicorn.Server):
    """A server that leaves signals to us and sleeps between its once-a-second chores."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        self.leave = asyncio.Event()
        while not await self.on_tick(0):
            # Not wait_for: before Python 3.12 it loses a cancellation that meets the event.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self.leave.wait()

    def end(self) -> None:
        self.should_exit = True
        if hasattr(self, "leave"):
            self.leave.set()


def bind_tcp(host: str, port: int, setting: str) -> socket.socket:
    """A bound socket that does not listen yet. Raises CannotListen naming the setting."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except socket.gaierror as error:
        raise CannotListen(f"{setting}: the host {host!r} is unknown: {error.strerror}") from error
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        found.bind(address)
        # Linux lets two sockets bind with SO_REUSEADDR while neither listens, so that the clash shows only here.
        found.listen(BACKLOG)
    except OSError as error:
        found.close()
        if error.errno == errno.EADDRINUSE:
            reason = f"port {port} on {host} is taken by another program: end it, or choose another port"
        elif error.errno == errno.EACCES:
            reason = f"port {port} needs privileges: choose one from 1024 on"
        else:
            reason = f"cannot listen on {host}:{port}: {error.strerror}"
        raise CannotListen(f"{setting}: {reason}") from error
    found.setblocking(False)
    return found


def bind_unix(path: Path) -> socket.socket:
    """The owner's socket, mode 0600. One that a killed backend left is replaced: hold the run lock. Raises
    CannotListen."""
    try:
        return bind_owner_socket(path, BACKLOG)
    except FileExistsError as error:
        raise CannotListen(str(error)) from error
    except OSError as error:
        raise CannotListen(f"cannot listen on {path}: {error.strerror}") from error


class Listeners:
    """Serves all listeners until told to stop."""

    def __init__(self, listeners: list[Listener], *, access_log: bool, patience: Patience = USUAL) -> None:
        self._servers = [(_server(listener, access_log, patience), listener) for listener in listeners]
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Returns when every listener answers."""
        self._tasks = [asyncio.create_task(server.serve([one.socket])) for server, one in self._servers]
        while not all(server.started for server, _ in self._servers):
            for task in self._tasks:
                if task.done():
                    task.result()
                    raise RuntimeError("a listener ended while starting")
            await asyncio.sleep(0.005)

    async def wait(self) -> None:
        """Until one ends by itself, which is a fault; raises what ended it."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def stop(self) -> None:
        """Close the doors, and let requests under way finish within the grace time."""
        for server, _ in self._servers:
            server.end()
        await asyncio.gather(*self._tasks)


def _server(listener: Listener, access_log: bool, patience: Patience) -> _Server:
    protocol = OwnerOnlyProtocol if listener.owner_only else TimedRequests
    config = uvicorn.Config(
        _with_owner_mark(listener.app) if listener.owner_only else listener.app,
        http=partial(protocol, patience=patience),  # type: ignore[arg-type]
        ws=GivingProtocol,
        ws_max_size=MAX_FRAME_BYTES,
        ws_ping_interval=20.0,
        ws_ping_timeout=60.0,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=access_log,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=GRACE_SECONDS,
        interface="asgi3",
    )
    return _Server(config)


def _with_owner_mark(app: ASGIApp) -> ASGIApp:
    """Marks each request as the owner's own: only a request that came through the unix socket has the mark."""

    async def marked(scope: Scope, receive: Receive, send: Send) -> None:
        scope[LOCAL_OWNER_KEY] = True  # type: ignore[literal-required]
        await app(scope, receive, send)

    return marked
