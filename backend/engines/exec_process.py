"""A process without a terminal in a container, its output on one asyncio socket."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from backend.domain.errors import EngineUnavailable
from backend.engines.connection import EngineConnection
from backend.engines.containers import require_ours
from backend.engines.errors import EngineFault, translated
from backend.engines.http_stream import StreamingResponse
from backend.engines.sdk import Client, Document
from backend.engines.streams import STREAMS, FrameDemultiplexer


class DockerExecProcess:
    """See `backend.domain.engine.ExecProcess`. Made by `open_process`."""

    def __init__(
        self,
        connection: EngineConnection,
        exec_id: str,
        response: StreamingResponse,
        stack: contextlib.AsyncExitStack,
    ) -> None:
        self._connection = connection
        self._exec_id = exec_id
        self._response = response
        self._stack = stack
        self._frames = FrameDemultiplexer()

    async def read(self) -> Sequence[tuple[str, bytes]]:
        while data := await self._connection.read_watched(self._response):
            if frames := self._frames.feed(data):
                return [(STREAMS.get(number, "stdout"), payload) for number, payload in frames]
        # An engine that shuts down ends its streams properly: tell that from a process that ended.
        await self._connection.ping()
        return []

    async def exit_code(self) -> int | None:
        try:
            found = await self._connection.call(lambda client: client.exec_inspect(self._exec_id))
        except (EngineFault, EngineUnavailable):
            return None
        return None if found.get("Running") or found.get("ExitCode") is None else int(found["ExitCode"])

    async def close(self) -> None:
        await self._stack.aclose()


async def open_process(
    connection: EngineConnection,
    installation: str,
    container_id: str,
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    user: str | None,
    working_dir: str | None,
) -> DockerExecProcess:
    """Start a command. Raises NotFound, Conflict (the container does not run)."""

    def make(client: Client) -> Document:
        require_ours(installation, client.inspect_container(container_id))
        return client.exec_create(
            container_id, list(command), environment=dict(env), user=user or "", workdir=working_dir
        )

    async with contextlib.AsyncExitStack() as stack:
        with translated(f"a process in container {container_id[:12]} cannot be started"):
            made = await connection.call(make)
            exec_id = str(made["Id"])
            response = await stack.enter_async_context(
                connection.stream(
                    "POST",
                    f"/exec/{quote(exec_id, safe='')}/start",
                    body={"Detach": False, "Tty": False},
                    upgrade=True,
                )
            )
        return DockerExecProcess(connection, exec_id, response, stack.pop_all())
    raise AssertionError("unreachable")
