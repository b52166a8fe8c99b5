"""The terminal socket: input, resize and ping in, output and pong out, each side waiting for the other."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Annotated, Any

from litestar import WebSocket, websocket
from pydantic import Field, TypeAdapter, ValidationError

from backend.domain.errors import DomainError
from backend.domain.terminals import EndReason, WebFrames, WebTerms
from backend.surfaces import query
from backend.surfaces.devpocket.sockets import (
    APPLICATION,
    MAX_MESSAGE_BYTES,
    end_of,
    fault_of,
    messages,
    run,
    serve,
    tell,
    turn_away,
)
from backend.surfaces.handover import give, giver_of
from backend.surfaces.services import Services
from backend.surfaces.sockets import NORMAL, TRY_LATER, Socket, SocketEnd, watch_credential
from backend.wire.devpocket_environments import ErrorFrame, InputFrame, OutputFrame, PingFrame, PongFrame, ResizeFrame

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from backend.domain.accounts import Principal
    from backend.domain.terminals import TerminalViewer

MAX_COLUMNS, MAX_ROWS = 1000, 1000
_MAX_SESSION_NAME = 64
_Message = Annotated[InputFrame | ResizeFrame | PingFrame, Field(discriminator="type")]
_MESSAGES: TypeAdapter[InputFrame | ResizeFrame | PingFrame] = TypeAdapter(_Message)
_KNOWN = "input, resize and ping"
# Whatever else ended the session, its environment does not run any more.
_CLOSES = {
    EndReason.EXITED: NORMAL,
    EndReason.ENDED: NORMAL,
    EndReason.ENGINE_LOST: TRY_LATER,
    EndReason.INPUT_STUCK: TRY_LATER,
}
_NOT_RUNNING = APPLICATION + 400
_TERMS = WebTerms(
    WebFrames.DEVPOCKET,
    {reason.value: _CLOSES.get(reason, _NOT_RUNNING) for reason in EndReason},
    max_message_bytes=MAX_MESSAGE_BYTES,
)


def terminal_routes(services: Services) -> list[Any]:
    @websocket("/api/v1/ws/terminal/{environment_id:str}")
    async def terminal(socket: WebSocket[Any, Any, Any], environment_id: str) -> None:
        async def work(who: Principal, credential: str) -> None:
            columns = query.integer(socket, "cols", 80, least=1, most=MAX_COLUMNS) or 80
            rows = query.integer(socket, "rows", 24, least=1, most=MAX_ROWS) or 24
            session = query.text(socket, "session", longest=_MAX_SESSION_NAME) or "main"
            viewer = await services.terminal_sessions.open(
                who, environment_id, session=session, columns=columns, rows=rows, later=giver is not None
            )
            try:
                if giver is not None and (given := giver.give()) is not None:
                    watching = watch_credential(services.accounts, credential, who)
                    parts = (_answer_faults(viewer), _told(viewer, watching))
                    await give(socket, giver, given, viewer, _TERMS, lambda error: turn_away(socket, error), *parts)
                    return
                if giver is not None:
                    giver.keep_no_more()
                    viewer.begin_here()
                await run(socket, services, who, credential, _send_output(socket, viewer), _take_input(socket, viewer))
            finally:
                await viewer.close()

        giver = giver_of(socket)
        if giver is not None:
            giver.keep()
        await serve(socket, services, work)

    return [terminal]


async def _answer_faults(viewer: TerminalViewer) -> None:
    """What the holder of the session does not understand is told to the client, and the socket goes on."""
    while True:
        message = await viewer.next_fault()
        try:
            _MESSAGES.validate_json(message)
        except ValidationError as error:
            viewer.say(ErrorFrame(message=fault_of(error, _KNOWN)).model_dump_json())


async def _told(viewer: TerminalViewer, part: Coroutine[Any, Any, None]) -> None:
    try:
        await part
    except DomainError as error:
        viewer.say(ErrorFrame(message=error.message).model_dump_json())
        raise end_of(error) from error


async def _send_output(socket: Socket, viewer: TerminalViewer) -> None:
    """Until the session ends. Reads no more while the client does not, so that the process waits in its turn. A
    character whose bytes come in two parts is sent with the second; bytes that are none become U+FFFD."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while data := await viewer.read():
        text = decoder.decode(data)
        if text:
            await tell(socket, OutputFrame(data=text))
    rest = decoder.decode(b"", True)
    if rest:
        await tell(socket, OutputFrame(data=rest))
    end = viewer.end
    if end is None:
        raise SocketEnd(NORMAL, "the terminal ended")
    code = _CLOSES.get(end.reason, _NOT_RUNNING)
    if code != NORMAL:
        await tell(socket, ErrorFrame(message=end.message))
    raise SocketEnd(code, end.message)


async def _take_input(socket: Socket, viewer: TerminalViewer) -> None:
    """Until the client goes. Takes no more while the process does not read, so that the client waits in its turn."""

    async def take(message: InputFrame | ResizeFrame | PingFrame) -> None:
        if isinstance(message, InputFrame):
            if message.data:
                await viewer.write(message.data.encode())
        elif isinstance(message, ResizeFrame):
            await viewer.resize(message.cols, message.rows)
        else:
            await tell(socket, PongFrame())

    await messages(socket, _MESSAGES, _KNOWN, take)
