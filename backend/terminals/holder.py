"""The holder: sessions by name, connections that ask for them, and an end when there is nothing to hold."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, cast

from backend.domain.errors import DomainError, TooMany, Unavailable
from backend.domain.terminals import EndReason, SessionKey, TerminalEnd
from backend.owner_socket import peer_uid
from backend.terminals.fair_share import FairShare
from backend.terminals.protocol import DATA, PROTOCOL, FrameDecoder, ProtocolFault, json_frame, read_json
from backend.terminals.session import Session
from backend.terminals.viewing import Viewing
from backend.terminals.wire_form import error_to_wire, start_from_wire
from backend.version import version

log = logging.getLogger(__name__)

MAX_SESSIONS = 512
IDLE_SECONDS = 60.0
# A connection that says nothing is no client of ours.
REQUEST_SECONDS = 10.0
_STOP_SECONDS = 10.0


class Holder:
    """Serves on a socket until it is told to stop, or has had nothing to hold for a while."""

    def __init__(self, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self.done = asyncio.Event()
        self._id = secrets.token_hex(8)
        self._sessions: dict[SessionKey, Session] = {}
        self._starting: dict[SessionKey, asyncio.Future[Session]] = {}
        self._connections: set[Connection] = set()
        self._share = FairShare()
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
        resumed = session is not None
        if session is None:
            session, resumed = await self._started(key, request, columns, rows)
        if connection.is_closed:
            session.begin()
            return
        viewer = connection.become_viewer(session, columns, rows)
        viewer.tell(
            {
                "type": "attached",
                "resumed": resumed,
                "command": session.what.label,
                "container_id": session.what.container_id,
                "columns": columns,
                "rows": rows,
            }
        )
        if session.end is not None:
            viewer.finish(session.end)
            return
        session.add(viewer, resumed=resumed)
        session.begin()

    async def _started(
        self, key: SessionKey, request: Mapping[str, Any], columns: int, rows: int
    ) -> tuple[Session, bool]:
        """The session, and whether another request has started it meanwhile."""
        if (starting := self._starting.get(key)) is not None:
            return await asyncio.shield(starting), True
        if len(self._sessions) + len(self._starting) >= MAX_SESSIONS:
            raise TooMany(f"the terminal holder has {MAX_SESSIONS} sessions: end some", retry_after=5)
        self._made += 1
        mark = f"{self._id}-{self._made}."
        session = Session(key, start_from_wire(request["start"]), columns, rows, mark, self._share, self._forget)
        future: asyncio.Future[Session] = asyncio.get_running_loop().create_future()
        self._starting[key] = future
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


class Connection(asyncio.Protocol):
    """One client: a request, and where that was to attach, a viewer."""

    def __init__(self, holder: Holder) -> None:
        self._holder = holder
        self._decoder = FrameDecoder()
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._viewer: Viewing | None = None
        self._session: Session | None = None
        self.is_closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are none by their class
        self._holder.opened(self)
        uid = peer_uid(transport.get_extra_info("socket"))
        if uid != os.getuid():
            log.warning("a process of user id %d was refused", uid)
            self._transport.abort()
            return
        self._timer = asyncio.get_running_loop().call_later(REQUEST_SECONDS, self._transport.abort)

    def connection_lost(self, error: Exception | None) -> None:
        self.is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._viewer is not None and self._session is not None:
            self._viewer.gone()
            self._session.remove(self._viewer)
        self._holder.closed(self)

    def data_received(self, data: bytes) -> None:
        try:
            for kind, payload in self._decoder.feed(data):
                self._take(kind, payload)
        except ProtocolFault as fault:
            log.warning("a client sent %s", fault)
            self._refuse("protocol", f"the terminal holder cannot read this: {fault}")

    def pause_writing(self) -> None:
        if self._viewer is not None:
            self._viewer.fell_behind()

    def resume_writing(self) -> None:
        if self._viewer is not None and self._session is not None:
            self._viewer.caught_up()
            self._session.viewer_caught_up(self._viewer)

    def become_viewer(self, session: Session, columns: int, rows: int) -> Viewing:
        assert self._transport is not None
        self._session = session
        self._viewer = Viewing(self._transport, columns, rows)
        self._viewer.on_stuck = session.remove
        return self._viewer

    def _take(self, kind: int, payload: bytes) -> None:
        if self._viewer is not None and self._session is not None:
            if kind == DATA:
                self._session.input(self._viewer, payload)
                return
            message = read_json(payload)
            if message.get("op") == "resize":
                self._viewer.size = _size(message)
                self._session.make_latest(self._viewer)
            return
        if self._task is not None or kind == DATA:
            raise ProtocolFault("more than one request at a time")
        if self._timer is not None:
            self._timer.cancel()
        self._task = asyncio.get_running_loop().create_task(self._serve(read_json(payload)))

    async def _serve(self, request: dict[str, Any]) -> None:
        if request.get("protocol") != PROTOCOL:
            self._refuse("protocol", f"the terminal holder of version {version()} speaks protocol {PROTOCOL}")
            return
        try:
            if request.get("op") == "attach":
                _size(request)
                await self._holder.attach(self, request)
                return
            self._write(await self._holder.answer(request))
        except DomainError as error:
            self._write(error_to_wire(error))
        except (ProtocolFault, KeyError, ValueError) as error:
            log.warning("a request that cannot be read: %r", error)
            self._refuse("protocol", f"the terminal holder cannot read this: {error}")
            return
        except Exception:
            log.exception("a request failed")
            self._refuse("failed", "the terminal holder failed; its log says how")
            return
        if self._transport is not None:
            self._transport.close()

    def _refuse(self, kind: str, message: str) -> None:
        self._write({"type": "error", "kind": kind, "message": message})
        if self._transport is not None:
            self._transport.close()

    def _write(self, message: Mapping[str, Any]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(json_frame(message))


def _size(message: Mapping[str, Any]) -> tuple[int, int]:
    """Raises ProtocolFault."""
    columns, rows = message.get("columns"), message.get("rows")
    if not isinstance(columns, int) or not isinstance(rows, int) or not 1 <= columns <= 1000 or not 1 <= rows <= 1000:
        raise ProtocolFault(f"a size of {columns!r} by {rows!r}")
    return columns, rows
