"""Terminal sessions in environments and replicas: shells that go on when nobody looks, with many viewers."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.domain.accounts import Principal
from backend.domain.engine import ContainerState, Engine
from backend.domain.environments import Environment
from backend.domain.errors import DomainError, NotFound, TooMany, Unavailable
from backend.domain.terminals import (
    EndReason,
    SessionKey,
    SessionStart,
    StartFailed,
    TerminalEnd,
    TerminalHolder,
    TerminalSessionInfo,
    TerminalViewer,
)
from backend.services.terminal_rules import (
    ENVIRONMENT,
    SHELL_NAME,
    argv_of,
    cannot_start,
    check_session_name,
    check_size,
)

log = logging.getLogger(__name__)

MAIN = "main"
# The DevPocket document: "WebSocket connections: 10 connections per user".
SOCKETS_PER_USER = 10
SESSIONS_PER_PLACE = 16
# Input is noted as activity this often at most.
TOUCH_SECONDS = 10.0
_RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session's process runs. `scope` is what its sessions are kept under, `name` and `image` are for
    people."""

    scope: str
    name: str
    image: str
    engine: Engine
    container_id: str


class TerminalSessions:
    """`running_container` raises NotFound for what the caller may not see, Conflict where it does not run; `get` only
    the first. `touch` notes that an environment is in use."""

    def __init__(
        self,
        holder: TerminalHolder,
        *,
        get: Callable[[Principal, str], Awaitable[Environment]],
        running_container: Callable[[Principal, str], Awaitable[tuple[Environment, Engine, ContainerState]]],
        touch: Callable[[str], Awaitable[None]],
        sockets_per_user: int = SOCKETS_PER_USER,
    ) -> None:
        self._holder = holder
        self._get = get
        self._running_container = running_container
        self._touch = touch
        self._sockets_per_user = sockets_per_user
        self._sockets: Counter[str] = Counter()
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
    ) -> SessionViewer:
        """View a session of an environment. One that is not there is started: with `command`, split as a shell does,
        or the best shell of the image. Close the viewer to detach; the session goes on until its process ends.

        Raises Invalid, NotFound, Conflict (it does not run, or has no shell), TooMany, Unavailable."""
        check_session_name(session)
        check_size(columns, rows)
        argv_of(command)
        environment, engine, container = await self._running_container(who, environment_id)
        place = Place(_scope(environment.id), environment.name, environment.image, engine, container.id)

        def note_input() -> None:
            self._spawn_touch(environment.id)

        note_input()
        return await self.open_at(
            who, place, session=session, command=command, columns=columns, rows=rows, on_input=note_input
        )

    async def open_at(
        self,
        who: Principal,
        place: Place,
        *,
        session: str,
        command: str | None,
        columns: int,
        rows: int,
        on_input: Callable[[], None] = lambda: None,
    ) -> SessionViewer:
        """As `open`, at a place whose owner was checked."""
        check_session_name(session)
        check_size(columns, rows)
        argv = argv_of(command)
        user = who.user.id
        if self._sockets[user] >= self._sockets_per_user:
            raise TooMany(
                f"you have {self._sockets_per_user} terminals open, and more are not allowed: close one",
                retry_after=_RETRY_SECONDS,
            )
        self._sockets[user] += 1
        try:
            viewer = await self._attached(place, session, argv, command, columns, rows)
        except BaseException:
            self._leave(user)
            raise
        return SessionViewer(viewer, session, on_input, lambda: self._leave(user))

    async def _attached(
        self, place: Place, session: str, argv: list[str], command: str | None, columns: int, rows: int
    ) -> TerminalViewer:
        held = await self._holder.sessions(place.scope)
        if len(held) >= SESSIONS_PER_PLACE and session not in {info.name for info in held}:
            raise TooMany(
                f"{place.name} has {SESSIONS_PER_PLACE} terminal sessions, and more are not allowed: end one",
                retry_after=_RETRY_SECONDS,
            )
        start = SessionStart(await place.engine.access(), place.container_id, argv, command or SHELL_NAME, ENVIRONMENT)
        try:
            return await self._holder.attach(SessionKey(place.scope, session), start, columns, rows)
        except StartFailed as failure:
            raise cannot_start(place.name, place.image, command, failure.output) from failure

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
        """Let go of the holder and the sessions, which go on."""
        for task in list(self._touching):
            task.cancel()
        await asyncio.gather(*self._touching, return_exceptions=True)
        await self._holder.close()

    def sockets_of(self, user_id: str) -> int:
        """How many viewers a user has now."""
        return self._sockets[user_id]

    def _leave(self, user_id: str) -> None:
        self._sockets[user_id] -= 1
        if self._sockets[user_id] <= 0:
            del self._sockets[user_id]

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


class SessionViewer:
    """See `backend.domain.terminals.TerminalViewer`; it is an ExecStream too."""

    def __init__(
        self, viewer: TerminalViewer, session: str, on_input: Callable[[], None], on_close: Callable[[], None]
    ) -> None:
        self._viewer = viewer
        self._on_input = on_input
        self._on_close = on_close
        self._noted_at = 0.0
        self._closed = False
        self.session = session
        self.read = viewer.read  # nothing is added to what is read, so nothing is put between

    @property
    def resumed(self) -> bool:
        return self._viewer.resumed

    @property
    def command(self) -> str:
        return self._viewer.command

    @property
    def container_id(self) -> str:
        return self._viewer.container_id

    @property
    def size(self) -> tuple[int, int]:
        return self._viewer.size

    @property
    def end(self) -> TerminalEnd | None:
        return self._viewer.end

    async def write(self, data: bytes) -> None:
        """See TerminalViewer."""
        now = asyncio.get_running_loop().time()
        if now - self._noted_at >= TOUCH_SECONDS:
            self._noted_at = now
            self._on_input()
        await self._viewer.write(data)

    async def resize(self, columns: int, rows: int) -> None:
        """See TerminalViewer. Raises Invalid."""
        check_size(columns, rows)
        await self._viewer.resize(columns, rows)

    async def next_size(self) -> tuple[int, int]:
        return await self._viewer.next_size()

    async def exit_code(self) -> int | None:
        return await self._viewer.exit_code()

    async def close(self) -> None:
        """Detach. May be called more than once."""
        if self._closed:
            return
        self._closed = True
        self._on_close()
        await self._viewer.close()


def _scope(environment_id: str) -> str:
    return f"environment/{environment_id}"


if TYPE_CHECKING:

    def _conforms(viewer: SessionViewer) -> TerminalViewer:
        return viewer
