"""A process with a terminal in a container, on one asyncio socket."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from backend.domain.errors import DomainError, EngineUnavailable
from backend.domain.terminals import DETACH_KEYS
from backend.engines.connection import EngineConnection
from backend.engines.containers import require_ours
from backend.engines.errors import EngineFault, translated
from backend.engines.exec_state import is_starting
from backend.engines.http_stream import StreamingResponse
from backend.engines.sdk import Client, Document

# Marks the processes of one terminal, so that they can be found again inside the container.
TERMINAL_MARK = "PILOTHOUSE_TERMINAL"
_RESIZE_TRIES = 5


class ExecTerminal:
    """See `backend.domain.engine.ExecStream`. Made by `open_terminal`."""

    def __init__(
        self,
        connection: EngineConnection,
        container_id: str,
        exec_id: str,
        mark: str,
        response: StreamingResponse,
        stack: contextlib.AsyncExitStack,
    ) -> None:
        self._connection = connection
        self._container_id = container_id
        self._exec_id = exec_id
        self._mark = mark
        self._response = response
        self._stack = stack
        self._ended = False
        self._closed = False

    async def read(self) -> bytes:
        """The next bytes of output, at most 64 KiB; empty when the process ended. Raises EngineUnavailable where the
        engine froze or cut the connection."""
        if self._closed:
            return b""
        data = await self._connection.read_watched(self._response)
        self._ended = self._ended or not data
        return data

    async def write(self, data: bytes) -> None:
        """Send input; waits where the process does not read. Raises EngineUnavailable once it ended."""
        writer = self._response.writer
        if self._closed or self._ended:
            raise EngineUnavailable("the terminal's process has ended")
        try:
            writer.write(data)
            await writer.drain()
        except OSError as error:
            raise EngineUnavailable("the terminal's connection is gone") from error

    async def resize(self, columns: int, rows: int) -> None:
        """Tell the process the size of its screen. Nothing where it has ended."""
        for attempt in range(_RESIZE_TRIES):
            try:
                await self._connection.call(
                    lambda client: client.exec_resize(self._exec_id, height=rows, width=columns)
                )
                return
            except EngineFault:
                # just started and not yet ready for it, or ended already
                if self._ended or self._closed:
                    return
                await asyncio.sleep(0.05 * (attempt + 1))

    async def exit_code(self) -> int | None:
        """The exit status once it ended; None while it runs or where the engine no longer knows."""
        try:
            found = await self._connection.call(lambda client: client.exec_inspect(self._exec_id))
        except (EngineFault, EngineUnavailable):
            return None
        return None if found.get("Running") or found.get("ExitCode") is None else int(found["ExitCode"])

    async def is_starting(self) -> bool:
        """Whether the engine has yet to start the process."""
        try:
            return is_starting(await self._connection.call(lambda client: client.exec_inspect(self._exec_id)))
        except (EngineFault, EngineUnavailable):
            return False

    async def close(self) -> None:
        """Hang up. The engine leaves a process running whose terminal nobody holds, so it is told."""
        if self._closed:
            return
        self._closed = True
        try:
            await self._hang_up()
        finally:
            await self._stack.aclose()

    async def _hang_up(self) -> None:
        # an engine that is gone has nothing left to tell
        with contextlib.suppress(EngineFault, DomainError):
            found = await self._connection.call(lambda client: client.exec_inspect(self._exec_id))
            pid = int(found.get("Pid") or 0)
            if not found.get("Running") or not pid:
                return
            if await self._connection.offload(lambda: _hang_up_here(pid, self._container_id)):
                return
            script = (
                'for p in /proc/[0-9]*; do if grep -q "$0" "$p/environ" 2>/dev/null; '
                'then kill -HUP "${p#/proc/}"; fi; done'
            )
            command = ["sh", "-c", script, f"{TERMINAL_MARK}={self._mark}"]
            made = await self._connection.call(lambda client: client.exec_create(self._container_id, command))
            await self._connection.call(lambda client: client.exec_start(made["Id"], detach=True))


async def open_terminal(
    connection: EngineConnection,
    installation: str,
    container_id: str,
    command: Sequence[str],
    *,
    columns: int,
    rows: int,
    env: Mapping[str, str],
) -> ExecTerminal:
    """Start a command with a terminal of that size. Raises NotFound, Conflict (the container does not run)."""
    mark = secrets.token_hex(8)
    environment = {**env, TERMINAL_MARK: mark}

    def make(client: Client) -> Document:
        require_ours(installation, client.inspect_container(container_id))
        return client.exec_create(
            container_id, list(command), stdin=True, tty=True, environment=environment, detach_keys=DETACH_KEYS
        )

    async with contextlib.AsyncExitStack() as stack:
        with translated(f"a terminal in container {container_id[:12]} cannot be opened"):
            made = await connection.call(make)
            exec_id = str(made["Id"])
            # ConsoleSize is known from API 1.42 on and passed over before: there the resize below does it
            body = {"Detach": False, "Tty": True, "ConsoleSize": [rows, columns]}
            response = await stack.enter_async_context(
                connection.stream("POST", f"/exec/{quote(exec_id, safe='')}/start", body=body, upgrade=True)
            )
        terminal = ExecTerminal(connection, container_id, exec_id, mark, response, stack.pop_all())
    try:
        await terminal.resize(columns, rows)
    except BaseException:
        await terminal.close()
        raise
    return terminal


def _hang_up_here(pid: int, container_id: str) -> bool:
    """Send SIGHUP to the process where it can be seen and signalled from here; on a pool thread."""
    try:
        if container_id not in Path(f"/proc/{pid}/cgroup").read_text():
            return False  # another pid namespace: that number is somebody else here
        os.kill(pid, signal.SIGHUP)
    except OSError:
        return False
    return True
