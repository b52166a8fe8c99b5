"""The terminal socket: input, resize and ping in, output and pong out, each side waiting for the other."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Annotated, Any

from litestar import WebSocket, websocket
from pydantic import Field, TypeAdapter

from backend.domain.terminals import EndReason
from backend.surfaces import query
from backend.surfaces.devpocket.sockets import APPLICATION, messages, run, serve, tell
from backend.surfaces.services import Services
from backend.surfaces.sockets import NORMAL, TRY_LATER, Socket, SocketEnd
from backend.wire.devpocket_environments import ErrorFrame, InputFrame, OutputFrame, PingFrame, PongFrame, ResizeFrame

if TYPE_CHECKING:
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


def terminal_routes(services: Services) -> list[Any]:
    @websocket("/api/v1/ws/terminal/{environment_id:str}")
    async def terminal(socket: WebSocket[Any, Any, Any], environment_id: str) -> None:
        async def work(who: Principal, credential: str) -> None:
            columns = query.integer(socket, "cols", 80, least=1, most=MAX_COLUMNS) or 80
            rows = query.integer(socket, "rows", 24, least=1, most=MAX_ROWS) or 24
            session = query.text(socket, "session", longest=_MAX_SESSION_NAME) or "main"
            viewer = await services.terminal_sessions.open(
                who, environment_id, session=session, columns=columns, rows=rows
            )
            try:
                await run(socket, services, who, credential, _send_output(socket, viewer), _take_input(socket, viewer))
            finally:
                await viewer.close()

        await serve(socket, services, work)

    return [terminal]


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
