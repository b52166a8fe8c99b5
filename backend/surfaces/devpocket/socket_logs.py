"""The log socket: what the last installation said, from its beginning, then lines as they come."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from litestar import WebSocket, websocket
from pydantic import TypeAdapter

from backend.surfaces.devpocket.convert_environments import to_wire_frame
from backend.surfaces.devpocket.sockets import messages, run, serve, tell
from backend.surfaces.services import Services
from backend.surfaces.sockets import NORMAL, Socket, SocketEnd
from backend.wire.devpocket_environments import PingFrame, PongFrame

if TYPE_CHECKING:
    from backend.domain.accounts import Principal

_MESSAGES: TypeAdapter[PingFrame] = TypeAdapter(PingFrame)


def log_routes(services: Services) -> list[Any]:
    @websocket("/api/v1/ws/logs/{environment_id:str}")
    async def logs(socket: WebSocket[Any, Any, Any], environment_id: str) -> None:
        async def work(who: Principal, credential: str) -> None:
            await services.environments.get(who, environment_id)
            await run(
                socket,
                services,
                who,
                credential,
                _send_log(socket, services, who, environment_id),
                _take_pings(socket),
            )

        await serve(socket, services, work)

    return [logs]


async def _send_log(socket: Socket, services: Services, who: Principal, environment_id: str) -> None:
    async with aclosing(services.environments.follow(who, environment_id)) as told:
        async for one in told:
            await tell(socket, to_wire_frame(one))
    raise SocketEnd(NORMAL, "the environment is gone")


async def _take_pings(socket: Socket) -> None:
    async def take(_: PingFrame) -> None:
        await tell(socket, PongFrame())

    await messages(socket, _MESSAGES, "ping", take)
