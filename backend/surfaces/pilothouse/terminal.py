"""The terminal sockets: bytes both ways, each side waiting for the other; control as JSON text frames."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from litestar import Request, Response, WebSocket, delete, get, websocket
from litestar.exceptions import WebSocketDisconnect
from pydantic import BaseModel, ValidationError

from backend.domain.errors import DomainError
from backend.domain.terminals import HANG_UP, EndReason, WebFrames, WebTerms
from backend.services.terminal_sessions import MAIN
from backend.services.terminals import TerminalSession
from backend.surfaces import query
from backend.surfaces.credentials import credential_of, principal_of
from backend.surfaces.failures import status_of
from backend.surfaces.handover import give, giver_of
from backend.surfaces.pilothouse import convert
from backend.surfaces.pilothouse.errors import error_answer
from backend.surfaces.responses import json_response
from backend.surfaces.services import Services
from backend.surfaces.sockets import (
    NORMAL,
    TRY_LATER,
    Socket,
    SocketEnd,
    accept,
    close,
    refuse,
    run_socket,
    send_bytes,
    send_text,
    watch_session,
)
from backend.wire.pilothouse import (
    TerminalError,
    TerminalExit,
    TerminalReady,
    TerminalResize,
    TerminalSessionsResponse,
    TerminalSize,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from backend.domain.accounts import Principal
    from backend.domain.engine import ExecStream
    from backend.domain.terminals import TerminalEnd
    from backend.services.held_terminals import SessionViewer
    from backend.services.terminal_sessions import TerminalSessions

    Opener = Callable[[Principal, int, int, bool], Awaitable[TerminalSession]]

log = logging.getLogger(__name__)

UNSUPPORTED = 1003
# Codes of our own: 4000 and HTTP's status.
OPENING_FAILED = 4000
MAX_SIDE = 1000
MAX_LINGER_SECONDS = 7 * 24 * 3600
_END_CODES = {
    EndReason.EXITED: NORMAL,
    EndReason.ENDED: HANG_UP,
    EndReason.CONTAINER_STOPPED: 4409,
    EndReason.CONTAINER_REMOVED: 4410,
    EndReason.ENGINE_LOST: TRY_LATER,
    EndReason.INPUT_STUCK: 4408,
}
_UNDERSTOOD = 'text frames must be {"type": "resize", "columns": 1 to 1000, "rows": 1 to 1000}'
_TERMS = WebTerms(WebFrames.BINARY, {reason.value: code for reason, code in _END_CODES.items()}, _UNDERSTOOD)


def terminal_routes(services: Services) -> list[Any]:
    @websocket("/v1/deployments/{deployment_id:str}/terminal")
    async def in_deployment(socket: WebSocket[Any, Any, Any], deployment_id: str) -> None:
        async def check(who: Principal) -> None:
            await services.deployments.get(who, deployment_id)

        async def opened(who: Principal, columns: int, rows: int, later: bool) -> TerminalSession:
            return await services.terminals.open(
                who,
                deployment_id,
                replica=socket.query_params.get("replica") or None,
                command=socket.query_params.get("command") or None,
                session=socket.query_params.get("session") or None,
                linger_seconds=query.integer(socket, "linger", None, least=1, most=MAX_LINGER_SECONDS),
                columns=columns,
                rows=rows,
                later=later,
            )

        await _serve(services, socket, check, opened)

    return [in_deployment, *_environment_routes(services, services.terminal_sessions)]


def _environment_routes(services: Services, sessions: TerminalSessions) -> list[Any]:
    @websocket("/v1/environments/{environment_id:str}/terminal")
    async def in_environment(socket: WebSocket[Any, Any, Any], environment_id: str) -> None:
        async def check(who: Principal) -> None:
            await sessions.check(who, environment_id)

        async def opened(who: Principal, columns: int, rows: int, later: bool) -> TerminalSession:
            viewer = await sessions.open(
                who,
                environment_id,
                session=socket.query_params.get("session") or MAIN,
                command=socket.query_params.get("command") or None,
                columns=columns,
                rows=rows,
                later=later,
            )
            return TerminalSession(viewer.where, viewer.command, viewer, viewer)

        await _serve(services, socket, check, opened)

    @get("/v1/environments/{environment_id:str}/terminals")
    async def listed(request: Request[Any, Any, Any], environment_id: str) -> Response[bytes]:
        found = await sessions.sessions(principal_of(request), environment_id)
        return json_response(TerminalSessionsResponse(sessions=[convert.to_wire_terminal(info) for info in found]))

    @delete("/v1/environments/{environment_id:str}/terminals/{session:str}")
    async def ended(request: Request[Any, Any, Any], environment_id: str, session: str) -> None:
        await sessions.end(principal_of(request), environment_id, session)

    return [in_environment, listed, ended]


async def _serve(
    services: Services, socket: Socket, check: Callable[[Principal], Awaitable[None]], opened: Opener
) -> None:
    accounts = services.accounts
    try:
        credential = credential_of(socket, allow_query=True)
        who = await accounts.authenticate(credential)
        columns = query.integer(socket, "columns", 80, least=1, most=MAX_SIDE) or 80
        rows = query.integer(socket, "rows", 24, least=1, most=MAX_SIDE) or 24
        await check(who)
    except DomainError as error:
        await refuse(socket, *error_answer(error))
        return
    giver = giver_of(socket)
    if giver is not None:
        giver.keep()
    await accept(socket)
    try:
        terminal = await opened(who, columns, rows, giver is not None)
    except DomainError as error:
        with suppress(WebSocketDisconnect):
            await _tell(socket, TerminalError(message=error.message))
        await close(socket, SocketEnd(OPENING_FAILED + status_of(error), error.message))
        return
    stream, viewer = terminal.stream, terminal.viewer
    try:
        await _tell(socket, _ready(terminal))
        watch = watch_session(accounts, credential, who)
        if giver is not None and viewer is not None and (given := giver.give()) is not None:

            async def lost(error: DomainError) -> None:
                await close(socket, SocketEnd(TRY_LATER, error.message))

            await give(socket, giver, given, viewer, _TERMS, lost, watch)
            return
        if giver is not None:
            giver.keep_no_more()
        parts = [_send_output(socket, stream, viewer), _take_input(socket, stream, viewer), watch]
        if viewer is not None:
            if giver is not None:
                viewer.begin_here()
            parts.append(_tell_sizes(socket, viewer))
        await run_socket(socket, *parts)
    except WebSocketDisconnect:
        log.debug("the client of a terminal went away at once")
    finally:
        await stream.close()


async def _tell(socket: Socket, message: BaseModel) -> None:
    await send_text(socket, message.model_dump_json(by_alias=True))


def _ready(terminal: TerminalSession) -> TerminalReady:
    viewer = terminal.viewer
    if viewer is None:
        return TerminalReady(replica=terminal.replica, command=terminal.command)
    return TerminalReady(
        replica=terminal.replica,
        command=terminal.command,
        session=viewer.session,
        resumed=viewer.resumed,
        answers="server",
    )


async def _send_output(socket: Socket, stream: ExecStream, viewer: SessionViewer | None) -> None:
    """Until the process ends. Reads no more while the client does not, so that the process waits in its turn."""
    while data := await stream.read():
        await send_bytes(socket, data)
    if viewer is not None and viewer.end is not None:
        await _tell_end(socket, viewer.end)
    code = await stream.exit_code()
    await _tell(socket, TerminalExit(code=code))
    raise SocketEnd(NORMAL, "the process ended" if code is None else f"the process ended with code {code}")


async def _tell_end(socket: Socket, end: TerminalEnd) -> None:
    """Raises SocketEnd."""
    await _tell(socket, TerminalExit(code=end.code, reason=end.reason.value, message=end.message))
    raise SocketEnd(_END_CODES[end.reason], end.message)


async def _tell_sizes(socket: Socket, viewer: SessionViewer) -> None:
    while True:
        columns, rows = await viewer.next_size()
        await _tell(socket, TerminalSize(columns=columns, rows=rows))


async def _take_input(socket: Socket, stream: ExecStream, viewer: SessionViewer | None) -> None:
    """Until the client goes. Takes no more while the process does not read, so that the client waits in its turn."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            if viewer is not None and message.get("code") == HANG_UP:
                viewer.hang_up()
            raise WebSocketDisconnect(detail="the client went away")
        if message["type"] != "websocket.receive":
            continue
        data, text = message.get("bytes"), message.get("text")
        if data:
            await stream.write(data)
        elif text is not None:
            try:
                size = TerminalResize.model_validate_json(text)
            except ValidationError:
                raise SocketEnd(UNSUPPORTED, _UNDERSTOOD) from None
            await stream.resize(size.columns, size.rows)
