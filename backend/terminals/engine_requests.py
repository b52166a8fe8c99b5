"""The holder's way to an engine: the few requests that a terminal needs, without the SDK."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from backend.domain.engine import EngineAccess
from backend.domain.errors import Conflict, DomainError, EngineUnavailable, NotFound
from backend.domain.terminals import DETACH_KEYS
from backend.engines.engine_fault import EngineFault
from backend.engines.http_stream import StreamRequest, exchange

ANSWER_SECONDS = 20.0
Protocol = TypeVar("Protocol", bound=asyncio.Protocol)


class EngineRequests:
    """Requests to one engine, each on a connection of its own."""

    def __init__(self, access: EngineAccess) -> None:
        self._access = access
        self._url = access.url
        self._prefix = f"/v{access.api_version}"
        self._tls = _tls_context(access) if _is_tls(access) else None

    async def create_exec(
        self, container_id: str, argv: Sequence[str], env: Mapping[str, str], *, tty: bool = True
    ) -> str:
        """The id of a new exec. Raises NotFound (no such container), Conflict (it does not run), EngineUnavailable."""
        body = {
            "Cmd": list(argv),
            "Tty": tty,
            "AttachStdin": tty,
            "AttachStdout": tty,
            "AttachStderr": tty,
            "DetachKeys": DETACH_KEYS,
            "Env": [f"{name}={value}" for name, value in env.items()],
        }
        try:
            made = await self.call("POST", f"/containers/{quote(container_id, safe='')}/exec", body)
        except EngineFault as fault:
            raise _refusal(fault) from fault
        return str(made["Id"])

    async def hijack(self, exec_id: str, columns: int, rows: int, factory: Callable[[], Protocol]) -> Protocol:
        """Start the exec, with its bytes both ways on the connection of the protocol made. It gets the head of the
        answer first. Raises EngineUnavailable."""
        body = {"Detach": False, "Tty": True, "ConsoleSize": [rows, columns]}
        path = f"{self._prefix}/exec/{quote(exec_id, safe='')}/start"
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                path_here = await self._local_socket()
                if path_here is not None:
                    transport, made = await loop.create_unix_connection(factory, path_here)
                else:
                    host, port = _host_and_port(self._url, self._tls is not None)
                    transport, made = await loop.create_connection(factory, host, port, ssl=self._tls)
                    _notice_a_dead_host(transport.get_extra_info("socket"))
        except OSError as error:
            raise self._unavailable(error) from error
        transport.write(StreamRequest("POST", path, {}, body, upgrade=True).encode())
        return made

    async def resize(self, exec_id: str, columns: int, rows: int) -> None:
        """Raises EngineFault where the process is not ready for it or has ended, EngineUnavailable."""
        await self.call("POST", f"/exec/{quote(exec_id, safe='')}/resize?h={rows}&w={columns}")

    async def inspect_exec(self, exec_id: str) -> Mapping[str, Any]:
        """Raises EngineFault where the engine no longer knows it, EngineUnavailable."""
        return await self.call("GET", f"/exec/{quote(exec_id, safe='')}/json")

    async def inspect_container(self, container_id: str) -> Mapping[str, Any]:
        """Raises EngineFault (404: it is gone), EngineUnavailable."""
        return await self.call("GET", f"/containers/{quote(container_id, safe='')}/json")

    async def run_detached(self, container_id: str, argv: Sequence[str]) -> None:
        """Run a command in a container without waiting for its end."""
        exec_id = await self.create_exec(container_id, argv, {}, tty=False)
        await self.call("POST", f"/exec/{quote(exec_id, safe='')}/start", {"Detach": True})

    async def call(self, method: str, path: str, body: object | None = None) -> dict[str, Any]:
        """The JSON object of the answer, empty where it has none. Raises EngineFault, EngineUnavailable."""
        request = StreamRequest(method, self._prefix + path, {}, body)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                reader, writer = await self._connect()
                async with exchange(reader, writer, request, lambda read: read()) as response:
                    parts = []
                    while data := await response.read():
                        parts.append(data)
        except (OSError, asyncio.IncompleteReadError) as error:
            raise self._unavailable(error) from error
        text = b"".join(parts)
        found = json.loads(text) if text.startswith(b"{") else {}
        return found if isinstance(found, dict) else {}

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        path = await self._local_socket()
        if path is not None:
            return await asyncio.open_unix_connection(path)
        host, port = _host_and_port(self._url, self._tls is not None)
        return await asyncio.open_connection(host, port, ssl=self._tls)

    async def _local_socket(self) -> str | None:
        """The socket file that leads to the engine; None where it is reached by TCP."""
        if self._url.startswith("ssh://"):
            from backend.terminals.ssh_engines import ssh_socket  # most holders need no SSH

            return await ssh_socket(self._access)
        return _socket_path(self._url) if self._url.startswith("unix://") else None

    def _unavailable(self, error: Exception) -> EngineUnavailable:
        return EngineUnavailable(f"no container engine answers at {self._url}: {str(error) or type(error).__name__}")


def _refusal(fault: EngineFault) -> DomainError:
    if fault.status == 404:
        return NotFound(f"the container is gone: {fault.text}", details={"reason": "container"})
    return Conflict(f"the engine refuses a terminal: {fault.text}", details={"reason": "refused"})


def _socket_path(url: str) -> str:
    return "/" + url.removeprefix("unix://").lstrip("/")


def _host_and_port(url: str, tls: bool) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or (2376 if tls else 2375)


def _is_tls(access: EngineAccess) -> bool:
    return access.url.startswith("https://") or access.ca_pem is not None or access.cert_pem is not None


def _tls_context(access: EngineAccess) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=access.ca_pem)
    if not access.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if access.cert_pem is not None and access.key_pem is not None:
        # OpenSSL reads certificates from files only: one in memory, which nobody else can open.
        handle = os.memfd_create("certificate", os.MFD_CLOEXEC)
        try:
            os.write(handle, f"{access.cert_pem}\n{access.key_pem}\n".encode())
            context.load_cert_chain(f"/proc/self/fd/{handle}")
        finally:
            os.close(handle)
    return context


def _notice_a_dead_host(connection: socket.socket | None) -> None:
    """A host that lost its power says nothing: ask now and then, so that a silent terminal ends too."""
    if connection is None:
        return
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 20)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
