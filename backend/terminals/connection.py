"""One client of the holder: a request, and where that was to attach, a viewer."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from backend.domain.errors import DomainError
from backend.domain.terminals import MAX_COLUMNS, MAX_ROWS, TerminalEnd, WebFrames, WebTerms
from backend.owner_socket import peer_uid
from backend.terminals.protocol import DATA, PROTOCOL, FrameDecoder, ProtocolFault, json_frame, read_json
from backend.terminals.session import Session
from backend.terminals.viewing import Viewing
from backend.terminals.wire_form import end_to_wire, error_to_wire
from backend.version import version

if TYPE_CHECKING:
    from backend.terminals.holder import Holder
    from backend.terminals.web_viewer import WebConnection

log = logging.getLogger(__name__)

# A connection that says nothing is no client of ours.
REQUEST_SECONDS = 10.0
# One that asked to view later has the WebSocket at hand.
HAND_OVER_SECONDS = 30.0
# Input on a WebSocket is told to the backend this often at most.
ACTIVE_SECONDS = 10.0
RESTARTS = 1012
HUNG_UP = "the session was ended by one of its viewers"


@dataclass(frozen=True, slots=True)
class View:
    """What a viewer asked to see, and its size."""

    session: Session
    columns: int
    rows: int
    resumed: bool


class Connection(asyncio.Protocol):
    """`first` is what was read of it already, and `handles` the descriptors that came with that."""

    def __init__(self, holder: Holder, first: bytes = b"", handles: list[int] | None = None) -> None:
        self._holder = holder
        self._first = first
        self._handles = handles or []
        self._decoder = FrameDecoder()
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._later: View | None = None
        self._viewer: Viewing | None = None
        self._session: Session | None = None
        self._web: WebConnection | None = None
        self._active_at = 0.0
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
        if self._first:
            self.data_received(self._first)

    def connection_lost(self, error: Exception | None) -> None:
        self.is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        for handle in self._handles:
            os.close(handle)
        self._handles.clear()
        if self._web is not None:
            self._web.viewing.close_with(RESTARTS, "the server ends or restarts: open the terminal again")
        if self._viewer is not None and self._session is not None:
            self._viewer.gone()
            self._session.remove(self._viewer)
        if self._later is not None:
            self._later.session.begin()
        self._holder.closed(self)

    def data_received(self, data: bytes) -> None:
        try:
            for kind, payload in self._decoder.feed(data):
                self._take(kind, payload)
        except ProtocolFault as fault:
            log.warning("a client sent %s", fault)
            self._refuse("protocol", f"the terminal holder cannot read this: {fault}")

    def pause_writing(self) -> None:
        if self._web is not None:
            self._web.read_on(False)
        elif self._viewer is not None:
            self._viewer.fell_behind()

    def resume_writing(self) -> None:
        if self._web is not None:
            self._web.read_on(True)
        elif self._viewer is not None and self._session is not None:
            self._viewer.caught_up()
            self._session.viewer_caught_up(self._viewer)

    def write(self, message: Mapping[str, Any]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(json_frame(message))

    # --- viewing

    def view_here(self, view: View) -> None:
        """Bytes go over this connection."""
        assert self._transport is not None
        self._begin(view, Viewing(self._transport, view.columns, view.rows))

    def view_later(self, view: View) -> None:
        """Once the viewer says that it is to be here, or its WebSocket comes."""
        assert self._transport is not None
        self._later = view
        self._timer = asyncio.get_running_loop().call_later(HAND_OVER_SECONDS, self._transport.abort)

    async def view_on_web(self, handle: int, request: Mapping[str, Any]) -> None:
        """Bytes go over the WebSocket of that descriptor; this connection tells of its end."""
        from backend.terminals.web_viewer import WebConnection, take_over  # not every holder needs it

        view = self._taken()
        if view is None:
            os.close(handle)
            return
        terms = WebTerms(
            WebFrames(request["frames"]),
            {str(reason): int(code) for reason, code in request["codes"].items()},
            str(request["unsupported"]),
            int(request["max_message_bytes"]),
        )
        web = await take_over(handle, lambda: WebConnection(self, view.columns, view.rows, terms))
        if self.is_closed:
            web.viewing.close_with(RESTARTS, "the server ends or restarts: open the terminal again")
            view.session.begin()
            return
        self._web = web
        web.viewing.on_finish = self._web_finished
        self.write({"type": "over"})
        self._begin(view, web.viewing)
        web.begin(base64.b64decode(str(request.get("early") or "")))

    def _taken(self) -> View | None:
        view, self._later = self._later, None
        if self._timer is not None:
            self._timer.cancel()
        return view

    def _begin(self, view: View, viewer: Viewing) -> None:
        self._session, self._viewer = view.session, viewer
        viewer.on_stuck = view.session.remove
        if view.session.end is not None:
            viewer.finish(view.session.end)
            return
        view.session.add(viewer, resumed=view.resumed)
        view.session.begin()

    # --- what a WebSocket brings

    def web_input(self, data: bytes) -> None:
        assert self._session is not None and self._viewer is not None
        self._session.input(self._viewer, data)
        now = asyncio.get_running_loop().time()
        if now - self._active_at >= ACTIVE_SECONDS:
            self._active_at = now
            self.write({"type": "active"})

    def web_resize(self, columns: int, rows: int) -> None:
        assert self._session is not None and self._viewer is not None
        self._viewer.size = (columns, rows)
        self._session.make_latest(self._viewer)

    def web_caught_up(self) -> None:
        if self._session is not None and self._viewer is not None:
            self._session.viewer_caught_up(self._viewer)

    def web_fault(self, text: str) -> None:
        """For the backend, which knows what to answer."""
        self.write({"type": "fault", "text": text})

    def web_lost(self, hung_up: bool) -> None:
        """The client went away."""
        if self._session is not None and self._viewer is not None:
            self._session.remove(self._viewer)
            if hung_up:
                self._session.hang_up_soon(HUNG_UP)
        self.write({"type": "gone"})
        self._close()

    def _web_finished(self, end: TerminalEnd) -> None:
        self.write(end_to_wire(end))
        self._close()

    # --- requests

    def _take(self, kind: int, payload: bytes) -> None:
        if self._viewer is not None and self._session is not None:
            if kind == DATA:
                self._session.input(self._viewer, payload)
                return
            message = read_json(payload)
            if message.get("op") == "resize":
                self._viewer.size = checked_size(message)
                self._session.make_latest(self._viewer)
            elif message.get("op") == "hang_up":
                self._session.hang_up_soon(HUNG_UP)
            elif message.get("op") == "say" and self._web is not None:
                self._web.viewing.say(str(message["text"]))
            elif message.get("op") == "close" and self._web is not None:
                self._web.viewing.close_with(int(message["code"]), str(message["reason"]))
            return
        if self._later is not None:
            if kind != DATA and read_json(payload).get("op") == "here" and (view := self._taken()) is not None:
                self.view_here(view)
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
                checked_size(request)
                await self._holder.attach(self, request)
                return
            if request.get("op") == "hand_over":
                self.write(await self._holder.hand_over(request, self._handles))
            else:
                self.write(await self._holder.answer(request))
        except DomainError as error:
            self.write(error_to_wire(error))
        except (ProtocolFault, KeyError, ValueError) as error:
            log.warning("a request that cannot be read: %r", error)
            self._refuse("protocol", f"the terminal holder cannot read this: {error}")
            return
        except Exception:
            log.exception("a request failed")
            self._refuse("failed", "the terminal holder failed; its log says how")
            return
        self._close()

    def _refuse(self, kind: str, message: str) -> None:
        self.write({"type": "error", "kind": kind, "message": message})
        self._close()

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def checked_size(message: Mapping[str, Any]) -> tuple[int, int]:
    """Columns and rows. Raises ProtocolFault."""
    columns, rows = message.get("columns"), message.get("rows")
    if (
        not isinstance(columns, int)
        or not isinstance(rows, int)
        or not 1 <= columns <= MAX_COLUMNS
        or not 1 <= rows <= MAX_ROWS
    ):
        raise ProtocolFault(f"a size of {columns!r} by {rows!r}")
    return columns, rows
