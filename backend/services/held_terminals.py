"""Sessions in the terminal holder, as users open them: limits, words, and what a viewer is."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.domain.accounts import Principal
from backend.domain.engine import Engine
from backend.domain.errors import TooMany
from backend.domain.terminals import (
    SessionKey,
    SessionLimit,
    SessionStart,
    StartFailed,
    TerminalEnd,
    TerminalHolder,
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

# The DevPocket document: "WebSocket connections: 10 connections per user".
SOCKETS_PER_USER = 10
SESSIONS_PER_PLACE = 16
# A fraction of what a holder has for all tenants together.
SESSIONS_PER_TENANT = 128
# Input is noted as activity this often at most.
NOTE_SECONDS = 10.0
_RETRY_SECONDS = 5.0
# A holder tells of all sessions of a place in one frame.
_LONGEST_LABEL = 200


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """A session to view, by name; one that is not there is started with `command`, or the best shell of the image.
    `later` as in TerminalHolder.attach, `linger_seconds` as in SessionStart. Raises Invalid."""

    session: str
    command: str | None = None
    columns: int = 80
    rows: int = 24
    later: bool = False
    linger_seconds: float | None = None

    def __post_init__(self) -> None:
        check_session_name(self.session)
        check_size(self.columns, self.rows)
        argv_of(self.command)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session's process runs. `scope` is what its sessions are kept under, `name` and `image` are for
    people; at most `most_sessions` run there, and `counted` viewers are limited by user."""

    scope: str
    tenant_id: str
    name: str
    image: str
    engine: Engine
    container_id: str
    most_sessions: int = SESSIONS_PER_PLACE
    counted: bool = True


class HeldTerminals:
    """Opens viewers of sessions; counts them by user. The sessions of a tenant, wherever they run, are counted by the
    holder, for they outlive the backend."""

    def __init__(
        self,
        holder: TerminalHolder,
        *,
        sockets_per_user: int = SOCKETS_PER_USER,
        sessions_per_tenant: int = SESSIONS_PER_TENANT,
    ) -> None:
        self.holder = holder
        self._sockets_per_user = sockets_per_user
        self._sessions_per_tenant = sessions_per_tenant
        self._sockets: Counter[str] = Counter()

    async def open(
        self, who: Principal, place: Place, request: SessionRequest, on_input: Callable[[], None] = lambda: None
    ) -> SessionViewer:
        """View a session at a place whose owner was checked. `on_input` is called now and then while there is input.
        Raises Invalid, NotFound, Conflict, TooMany, Unavailable."""
        leave = self._enter(who.user.id) if place.counted else _nothing
        try:
            start = await self._start(place, request)
            key = SessionKey(place.scope, request.session)
            viewer = await self.holder.attach(key, start, request.columns, request.rows, later=request.later)
        except StartFailed as failure:
            leave()
            raise cannot_start(place.name, place.image, request.command, failure.output) from failure
        except BaseException:
            leave()
            raise
        return SessionViewer(viewer, place.name, request.session, on_input, leave)

    async def _start(self, place: Place, request: SessionRequest) -> SessionStart:
        label = request.command or SHELL_NAME
        return SessionStart(
            access=await place.engine.access(),
            container_id=place.container_id,
            argv=argv_of(request.command),
            label=label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…",
            env=ENVIRONMENT,
            linger_seconds=request.linger_seconds,
            where=place.name,
            limits=(
                _limit(place.scope, place.most_sessions, f"{place.name} has"),
                _limit(
                    f"tenant/{place.tenant_id}", self._sessions_per_tenant, "your deployments and environments have"
                ),
            ),
        )

    def sockets_of(self, user_id: str) -> int:
        """How many viewers a user has now."""
        return self._sockets[user_id]

    def _enter(self, user: str) -> Callable[[], None]:
        """Count a viewer; what it returns ends that. Raises TooMany."""
        if self._sockets[user] >= self._sockets_per_user:
            raise TooMany(
                f"you have {self._sockets_per_user} terminals open, and more are not allowed: close one",
                retry_after=_RETRY_SECONDS,
            )
        self._sockets[user] += 1
        return lambda: self._leave(user)

    def _leave(self, user: str) -> None:
        self._sockets[user] -= 1
        if self._sockets[user] <= 0:
            del self._sockets[user]


def _limit(group: str, most: int, who_has: str) -> SessionLimit:
    return SessionLimit(group, most, f"{who_has} {most} terminal sessions, and more are not allowed")


def _nothing() -> None:
    """For those that are not counted."""


class SessionViewer:
    """See `backend.domain.terminals.TerminalViewer`; it is an ExecStream too. `where` names what it is in."""

    def __init__(
        self,
        viewer: TerminalViewer,
        where: str,
        session: str,
        on_input: Callable[[], None],
        on_close: Callable[[], None],
    ) -> None:
        self._viewer = viewer
        self._on_input = on_input
        self._on_close = on_close
        self._noted_at = 0.0
        self._closed = False
        self.where = where
        self.session = session
        # Nothing is added to these, so nothing is put between.
        self.read = viewer.read
        self.begin_here = viewer.begin_here
        self.hand_over = viewer.hand_over
        self.finished = viewer.finished
        self.next_fault = viewer.next_fault
        self.say = viewer.say
        self.dismiss = viewer.dismiss
        self.hang_up = viewer.hang_up
        viewer.on_active = self.on_active = on_input

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
        if now - self._noted_at >= NOTE_SECONDS:
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


if TYPE_CHECKING:

    def _conforms(viewer: SessionViewer) -> TerminalViewer:
        return viewer
