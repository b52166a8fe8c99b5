"""The terminal socket: bytes both ways, each side waiting for the other; control as JSON text frames."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from litestar import WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect
from pydantic import BaseModel, ValidationError

from backend.domain.errors import DomainError
from backend.surfaces import query
from backend.surfaces.credentials import credential_of
from backend.surfaces.pilothouse.errors import error_answer
from backend.surfaces.services import Services
from backend.surfaces.sockets import (
    NORMAL,
    TRY_LATER,
    Socket,
    SocketEnd,
    close,
    refuse,
    run_socket,
    send_text,
    watch_credential,
)
from backend.wire.pilothouse import TerminalError, TerminalExit, TerminalReady, TerminalResize

if TYPE_CHECKING:
    from backend.domain.engine import ExecStream

log = logging.getLogger(__name__)

UNSUPPORTED = 1003


def terminal_routes(services: Services) -> list[Any]:
    accounts = services.accounts

    @websocket("/v1/deployments/{deployment_id:str}/terminal")
    async def terminal(socket: WebSocket[Any, Any, Any], deployment_id: str) -> None:
        try:
            credential = credential_of(socket, allow_query=True)
            who = await accounts.authenticate(credential)
            columns = query.integer(socket, "columns", 80, least=1, most=1000) or 80
            rows = query.integer(socket, "rows", 24, least=1, most=1000) or 24
            await services.deployments.get(who, deployment_id)
        except DomainError as error:
            await refuse(socket, *error_answer(error))
            return
        await socket.accept()
        try:
            session = await services.terminals.open(
                who,
                deployment_id,
                replica=socket.query_params.get("replica") or None,
                command=socket.query_params.get("command") or None,
                columns=columns,
                rows=rows,
            )
        except DomainError as error:
            await _tell(socket, TerminalError(message=error.message))
            await close(socket, SocketEnd(TRY_LATER, error.message))
            return
        stream = session.stream
        try:
            await _tell(socket, TerminalReady(replica=session.replica, command=session.command))
            await run_socket(
                socket,
                _send_output(socket, stream),
                _take_input(socket, stream),
                watch_credential(accounts, credential, who),
            )
        except WebSocketDisconnect:
            log.debug("the client of a terminal went away at once")
        finally:
            await stream.close()

    return [terminal]


async def _tell(socket: Socket, message: BaseModel) -> None:
    await send_text(socket, message.model_dump_json(by_alias=True))


async def _send_output(socket: Socket, stream: ExecStream) -> None:
    """Until the process ends. Reads no more while the client does not, so that the process waits in its turn."""
    while data := await stream.read():
        await socket.send({"type": "websocket.send", "bytes": data, "text": None})
    code = await stream.exit_code()
    await _tell(socket, TerminalExit(code=code))
    raise SocketEnd(NORMAL, "the process ended" if code is None else f"the process ended with code {code}")


async def _take_input(socket: Socket, stream: ExecStream) -> None:
    """Until the client goes. Takes no more while the process does not read, so that the client waits in its turn."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
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
                raise SocketEnd(UNSUPPORTED, 'text frames must be {"type": "resize", "columns", "rows"}') from None
            await stream.resize(size.columns, size.rows)
