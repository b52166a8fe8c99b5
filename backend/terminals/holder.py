"""The holder: sessions by name, connections that ask for them, and an end when there is nothing to hold."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from backend.domain.errors import DomainError, TooMany, Unavailable
from backend.domain.terminals import EndReason, SessionKey, TerminalEnd
from backend.terminals.connection import Connection, View
from backend.terminals.fair_share import FairShare
from backend.terminals.limits import RETRY_SECONDS, check_limits, counts
from backend.terminals.protocol import ProtocolFault
from backend.terminals.session import Session
from backend.terminals.wire_form import start_from_wire
from backend.version import version

log = logging.getLogger(__name__)

MAX_SESSIONS = 512
IDLE_SECONDS = 60.0
_STOP_SECONDS = 10.0


class _Starting(NamedTuple):
    """It counts as a session from the first moment; `done` is set once it runs."""

    session: Session
    done: asyncio.Future[Session]


class Holder:
    """Serves on a socket until it is told to stop, or has had nothing to hold for a while."""

    def __init__(self, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self.done = asyncio.Event()
        self._id = secrets.token_hex(8)
        self._sessions: dict[SessionKey, Session] = {}
        self._starting: dict[SessionKey, _Starting] = {}
        self._connections: set[Connection] = set()
        self._share = FairShare()
        self._later: dict[str, Connection] = {}
        self._made = 0
        self._swept: set[str] = set()
        self._idle_seconds = idle_seconds
        self._idle_timer: asyncio.TimerHandle | None = None
        self._look_whether_idle()

    # --- what is asked

    async def attach(self, connection: Connection, request: Mapping[str, Any]) -> None:
        """Join a session, started where there is none; the connection is a viewer from then on."""
        key = SessionKey(str(request["scope"]), str(request["name"]))
        columns, rows = int(request["columns"]), int(request["rows"])
        session = self._sessions.get(key)
        if session is not None and session.is_ending:
            await session.gone.wait()
            session = self._sessions.get(key)
        resumed = session is not None
        if session is None:
            session, resumed = await self._started(key, request, columns, rows)
        if connection.is_closed:
            session.begin()
            return
        token = secrets.token_hex(16)
        connection.write(
            {
                "type": "attached",
                "resumed": resumed,
                "command": session.what.label,
                "container_id": session.what.container_id,
                "columns": columns,
                "rows": rows,
                "viewer": token,
            }
        )
        view = View(session, columns, rows, resumed)
        if request.get("later"):
            self._later[token] = connection
            connection.view_later(view)
        else:
            connection.view_here(view)

    async def hand_over(self, request: Mapping[str, Any], handles: list[int]) -> dict[str, Any]:
        """Give a viewer that asked for later the WebSocket whose descriptor came along. Raises ProtocolFault."""
        connection = self._later.pop(str(request.get("viewer")), None)
        if connection is None or len(handles) != 1:
            raise ProtocolFault("a hand-over without its viewer, or without a descriptor")
        await connection.view_on_web(handles.pop(), request)
        return {"type": "done", "count": 1}

    async def _started(
        self, key: SessionKey, request: Mapping[str, Any], columns: int, rows: int
    ) -> tuple[Session, bool]:
        """The session, and whether another request has started it meanwhile. Raises TooMany."""
        if (starting := self._starting.get(key)) is not None:
            return await asyncio.shield(starting.done), True
        start = start_from_wire(request["start"])
        check_limits(start.limits, self._all(), request.get("elsewhere") or {})
        if len(self._sessions) + len(self._starting) >= MAX_SESSIONS:
            raise TooMany(f"the terminal holder has {MAX_SESSIONS} sessions: end some", retry_after=RETRY_SECONDS)
        self._made += 1
        mark = f"{self._id}-{self._made}."
        session = Session(key, start, columns, rows, mark, self._share, self._forget)
        future: asyncio.Future[Session] = asyncio.get_running_loop().create_future()
        self._starting[key] = _Starting(session, future)
        try:
            await session.start()
        except BaseException as error:
            session.drop()
            told = error if isinstance(error, DomainError) else Unavailable("the session could not be started")
            future.set_exception(told)
            future.exception()  # there may be nobody else who waits
            raise
        finally:
            del self._starting[key]
        self._sessions[key] = session
        future.set_result(session)
        self._hang_up_orphans(session, request.get("holders") or [])
        log.info("session %s of %s: %s", key.name, key.scope, session.what.label)
        return session, False

    def _hang_up_orphans(self, session: Session, others: Sequence[str]) -> None:
        """Once for each container: what a killed holder left there has no terminal any more."""
        container = session.what.container_id
        if container not in self._swept:
            self._swept.add(container)
            session.hang_up_orphans([self._id, *map(str, others)])

    def _forget(self, session: Session) -> None:
        if self._sessions.get(session.key) is session:
            del self._sessions[session.key]
        if session.end is not None:
            log.info("session %s of %s ended: %s", session.key.name, session.key.scope, session.end.message)
        self._look_whether_idle()

    def _all(self) -> list[Session]:
        return [*self._sessions.values(), *(starting.session for starting in self._starting.values())]

    def _of(self, request: Mapping[str, Any]) -> list[Session]:
        scope, name = request.get("scope"), request.get("name")
        return [
            session
            for key, session in self._sessions.items()
            if scope in (None, key.scope) and name in (None, key.name)
        ]

    async def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Everything but `attach`. Raises ProtocolFault."""
        op = request.get("op")
        found = self._of(request)
        if op == "list":
            return {"type": "sessions", "sessions": [session.info() for session in found]}
        if op == "status":
            viewers = sum(len(session.viewers) for session in self._sessions.values())
            return {
                "type": "status",
                "id": self._id,
                "pid": os.getpid(),
                "version": version(),
                "sessions": len(self._sessions),
                "viewers": viewers,
                "counts": counts(request.get("groups") or (), self._all()),
            }
        if op == "end":
            end = TerminalEnd(EndReason(request["reason"]), None, str(request["message"]))
            await asyncio.gather(*(session.hang_up(end) for session in found))
            return {"type": "done", "count": len(found)}
        if op == "notify":
            for session in found:
                session.notify(str(request["text"]))
            return {"type": "done", "count": len(found)}
        if op == "stop":
            await self.stop(str(request.get("message") or "the terminal holder was ended"))
            return {"type": "done", "count": len(found)}
        raise ProtocolFault(f"an unknown request {op!r}")

    async def stop(self, message: str) -> None:
        """Hang up all sessions, and end."""
        end = TerminalEnd(EndReason.ENDED, None, message)
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await asyncio.gather(*(session.hang_up(end) for session in list(self._sessions.values())))
        except TimeoutError:
            log.warning("not every session could be hung up in time")
        self.done.set()

    # --- connections

    def opened(self, connection: Connection) -> None:
        self._connections.add(connection)

    def closed(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._later = {token: each for token, each in self._later.items() if each is not connection}
        self._look_whether_idle()

    def _look_whether_idle(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self._idle_timer = asyncio.get_running_loop().call_later(self._idle_seconds, self._idle)

    def _idle(self) -> None:
        if self._sessions or self._starting or self._connections:
            return  # looked at again when the last of them goes
        log.info("nothing to hold for %.0f s: ending", self._idle_seconds)
        self.done.set()
