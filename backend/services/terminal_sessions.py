"""Terminal sessions in environments: shells that go on when nobody looks, with many viewers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from backend.domain.accounts import Principal
from backend.domain.engine import ContainerState, Engine
from backend.domain.environments import Environment
from backend.domain.errors import DomainError, NotFound, Unavailable
from backend.domain.terminals import EndReason, TerminalSessionInfo
from backend.services.held_terminals import HeldTerminals, Place, SessionRequest, SessionViewer

log = logging.getLogger(__name__)

MAIN = "main"


class TerminalSessions:
    """`running_container` raises NotFound for what the caller may not see, Conflict where it does not run; `get` only
    the first. `touch` notes that an environment is in use."""

    def __init__(
        self,
        terminals: HeldTerminals,
        *,
        get: Callable[[Principal, str], Awaitable[Environment]],
        running_container: Callable[[Principal, str], Awaitable[tuple[Environment, Engine, ContainerState]]],
        touch: Callable[[str], Awaitable[None]],
    ) -> None:
        self._terminals = terminals
        self._holder = terminals.holder
        self._get = get
        self._running_container = running_container
        self._touch = touch
        self._touching: set[asyncio.Task[None]] = set()

    async def open(
        self,
        who: Principal,
        environment_id: str,
        *,
        session: str = MAIN,
        command: str | None = None,
        columns: int = 80,
        rows: int = 24,
        later: bool = False,
    ) -> SessionViewer:
        """View a session of an environment. One that is not there is started: with `command`, split as a shell does,
        or the best shell of the image. Close the viewer to detach; the session goes on until its process ends. `later`
        as in TerminalHolder.attach.

        Raises Invalid, NotFound, Conflict (it does not run, or has no shell), TooMany, Unavailable."""
        request = SessionRequest(session, command, columns, rows, later)
        environment, engine, container = await self._running_container(who, environment_id)
        place = Place(
            _scope(environment.id),
            environment.tenant_id,
            environment.name,
            environment.image,
            engine,
            container.id,
        )

        def note_input() -> None:
            self._spawn_touch(environment.id)

        note_input()
        return await self._terminals.open(who, place, request, note_input)

    async def check(self, who: Principal, environment_id: str) -> None:
        """Raises NotFound for an environment that is not there, or that the caller may not see."""
        await self._get(who, environment_id)

    async def sessions(self, who: Principal, environment_id: str) -> list[TerminalSessionInfo]:
        """Those of an environment, the oldest first. Raises NotFound."""
        environment = await self._get(who, environment_id)
        return await self._holder.sessions(_scope(environment.id))

    async def end(self, who: Principal, environment_id: str, session: str) -> None:
        """Hang up. Raises NotFound for an environment or a session that is not there."""
        environment = await self._get(who, environment_id)
        ended = await self._holder.end(
            _scope(environment.id), session, EndReason.ENDED, f"the session was ended by {who.user.username}"
        )
        if not ended:
            raise NotFound(f"{environment.name} has no terminal session {session[:64]!r}")

    async def end_all(self, environment_id: str, reason: EndReason, message: str) -> None:
        """Before an environment is stopped or deleted, so that its viewers are told why. A holder that does not answer
        keeps nothing from stopping: its sessions end with their container."""
        try:
            await self._holder.end(_scope(environment_id), None, reason, message)
        except Unavailable as error:
            log.warning("the terminals of environment %s were not told: %s", environment_id, error.message)

    async def warn(self, environment_id: str, text: str) -> int:
        """Show a line in the environment's terminals. How many there were."""
        try:
            return await self._holder.notify(_scope(environment_id), text)
        except Unavailable as error:
            log.warning("the terminals of environment %s were not warned: %s", environment_id, error.message)
            return 0

    async def close(self) -> None:
        """The sessions go on."""
        for task in list(self._touching):
            task.cancel()
        await asyncio.gather(*self._touching, return_exceptions=True)

    def _spawn_touch(self, environment_id: str) -> None:
        """Beside the input, which must not wait for storage."""
        task = asyncio.create_task(self._touched(environment_id), name="terminal-touch")
        self._touching.add(task)
        task.add_done_callback(self._touching.discard)

    async def _touched(self, environment_id: str) -> None:
        try:
            await self._touch(environment_id)
        except DomainError as error:
            log.warning("the activity of environment %s was not noted: %s", environment_id, error.message)


def _scope(environment_id: str) -> str:
    return f"environment/{environment_id}"
