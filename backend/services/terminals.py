"""Terminals in replicas: a process with a screen in a container that runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from backend.domain.accounts import Principal
from backend.domain.deployments import Deployment
from backend.domain.engine import ContainerPhase, ContainerState, Engine, ExecStream, NewExecStream
from backend.domain.errors import Conflict, EngineUnavailable, Invalid, NotFound
from backend.domain.terminals import CANNOT_START, START_FAILURES, wait_for_start
from backend.services.held_terminals import HeldTerminals, Place, SessionRequest, SessionViewer
from backend.services.terminal_rules import ENVIRONMENT, SHELL_NAME, argv_of, cannot_start, check_size

MOST_SESSIONS = 64
"""Of one deployment, which may have many replicas."""

LISTED_SECONDS = 5.0
"""A backend that has just started is waited for until it knows its containers."""


class ReplicasOf(Protocol):
    """The part of the replica view that terminals need. `listed` is set once it knows what is there."""

    listed: asyncio.Event

    def of(self, deployment_id: str) -> list[ContainerState]: ...


@dataclass(frozen=True, slots=True)
class TerminalSession:
    """An open terminal: the container's name, the command as people write it, and its stream. Close the stream.
    `viewer` is the same stream where it is of a named session."""

    replica: str
    command: str
    stream: ExecStream
    viewer: SessionViewer | None = None


class TerminalService:
    def __init__(
        self,
        engine: Engine,
        replicas: ReplicasOf,
        deployment_of: Callable[[Principal, str], Awaitable[Deployment]],
        *,
        is_ready: Callable[[ContainerState], bool] = lambda container: True,
        held: HeldTerminals | None = None,
        most_sessions: int = MOST_SESSIONS,
    ) -> None:
        """`deployment_of` raises NotFound for what the caller may not see. `is_ready` tells which of the running
        containers to prefer. Without `held` there are no named sessions; with it at most `most_sessions` of each
        deployment."""
        self._engine = engine
        self._replicas = replicas
        self._deployment_of = deployment_of
        self._is_ready = is_ready
        self._held = held
        self._most_sessions = most_sessions

    async def open(
        self,
        who: Principal,
        deployment_id: str,
        *,
        replica: str | None = None,
        command: str | None = None,
        session: str | None = None,
        linger_seconds: float | None = None,
        columns: int = 80,
        rows: int = 24,
        later: bool = False,
    ) -> TerminalSession:
        """A terminal in the named replica (container name or id), or in the first one that is ready. `command` is split
        as a shell does; without it the best shell of the image is started. The process ends with its stream, unless a
        `session` is named: then it goes on, and the next to name it sees its screen, in whichever replica it is; with
        `linger_seconds` it ends when nobody has viewed it for so long.
        Raises NotFound (deployment or replica), Conflict (nothing runs, or the image has no shell), Invalid, TooMany,
        Unavailable."""
        argv = argv_of(command)
        check_size(columns, rows)
        request = (
            SessionRequest(session, command, columns, rows, later, linger_seconds) if session is not None else None
        )
        deployment = await self._deployment_of(who, deployment_id)
        await self._ready()
        container = self._pick(deployment, replica)
        if request is not None:
            return await self._open_held(who, deployment, container, request)
        stream = await self._engine.exec_terminal(container.id, argv, columns=columns, rows=rows, env=ENVIRONMENT)
        opened = _OpenedStream(stream)
        try:
            failure = await opened.start_failure()
        except BaseException:
            await opened.close()
            raise
        if failure is not None:
            await opened.close()
            raise cannot_start(deployment.app_name, deployment.spec.image, command, failure)
        return TerminalSession(container.name, command or SHELL_NAME, opened)

    async def _open_held(
        self, who: Principal, deployment: Deployment, container: ContainerState, request: SessionRequest
    ) -> TerminalSession:
        if self._held is None:
            raise Invalid.at("session", "named sessions are not available here")
        place = Place(
            f"deployment/{deployment.id}",
            deployment.tenant_id,
            deployment.app_name,
            deployment.spec.image,
            self._engine,
            container.id,
            most_sessions=self._most_sessions,
            counted=False,
        )
        viewer = await self._held.open(who, place, request)
        names = {each.id: each.name for each in self._replicas.of(deployment.id)}
        return TerminalSession(names.get(viewer.container_id, container.name), viewer.command, viewer, viewer)

    async def _ready(self) -> None:
        """Before the first listing every replica seems to be gone, and a terminal that comes back gives up."""
        try:
            async with asyncio.timeout(LISTED_SECONDS):
                await self._replicas.listed.wait()
        except TimeoutError:
            raise EngineUnavailable("the engine has not told yet what runs: try again in a moment") from None

    def _pick(self, deployment: Deployment, replica: str | None) -> ContainerState:
        containers = self._replicas.of(deployment.id)
        if replica is not None:
            named = [c for c in containers if c.name == replica or (len(replica) >= 12 and c.id.startswith(replica))]
            if not named:
                raise NotFound(f"{deployment.app_name} has no replica {replica[:128]!r}")
            if named[0].phase is not ContainerPhase.RUNNING:
                raise Conflict(f"replica {named[0].name} does not run (it is {named[0].phase.value}): choose another")
            return named[0]
        # The newest generation first: that is what an update is about to make the only one.
        running = [c for c in containers if c.phase is ContainerPhase.RUNNING]
        running.sort(key=lambda c: (not self._is_ready(c), -c.generation, c.ordinal))
        if not running:
            raise Conflict(f"no replica of {deployment.app_name} runs now: start it, then open the terminal")
        return running[0]


class _OpenedStream:
    """The engine's stream, with its first output read ahead."""

    def __init__(self, stream: NewExecStream) -> None:
        self._stream = stream
        self._first: asyncio.Task[bytes] | None = asyncio.create_task(stream.read(), name="terminal-first-read")

    async def start_failure(self) -> bytes | None:
        """What the engine wrote instead of starting the process, or None where it runs."""
        assert self._first is not None
        await wait_for_start(self._first, self._stream.is_starting)
        if not self._first.done():
            return None
        head = self._first.result()
        looks_failed = head.startswith(START_FAILURES)
        if (looks_failed or not head) and await self._stream.exit_code() in CANNOT_START:
            return head or b"the process ended at once"
        return None

    async def read(self) -> bytes:
        # Shielded, so that a reader who gives up does not take the first output with it.
        if self._first is not None:
            data = await asyncio.shield(self._first)
            self._first = None
            return data
        return await self._stream.read()

    async def write(self, data: bytes) -> None:
        await self._stream.write(data)

    async def resize(self, columns: int, rows: int) -> None:
        check_size(columns, rows)
        await self._stream.resize(columns, rows)

    async def exit_code(self) -> int | None:
        return await self._stream.exit_code()

    async def close(self) -> None:
        first, self._first = self._first, None
        if first is not None:
            first.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await first
        await self._stream.close()
