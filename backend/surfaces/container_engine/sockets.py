"""The document's two sockets: events of the caller's deployments, and the log of one."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

from litestar import WebSocket, websocket

from backend.domain.accounts import Principal
from backend.domain.errors import DomainError
from backend.services.event_bus import Lagged
from backend.surfaces import query
from backend.surfaces.container_engine import convert
from backend.surfaces.container_engine.errors import error_answer
from backend.surfaces.credentials import credential_of
from backend.surfaces.parameters import MAX_TAIL
from backend.surfaces.services import Services
from backend.surfaces.sockets import (
    TRY_LATER,
    Socket,
    SocketEnd,
    ignore_input,
    refuse,
    run_socket,
    send_text,
    watch_credential,
)


def socket_routes(services: Services) -> list[Any]:
    accounts = services.accounts

    @websocket("/v1/events")
    async def events(socket: WebSocket[Any, Any, Any]) -> None:
        try:
            credential = credential_of(socket, allow_query=True)
            who = await accounts.authenticate(credential)
        except DomainError as error:
            await refuse(socket, *error_answer(error))
            return
        # Subscribed before the handshake is answered: a client misses nothing from then on.
        async with services.events.subscribe(tenant_id=who.tenant_id) as subscription:
            await socket.accept()
            await run_socket(
                socket,
                _send_events(socket, subscription),
                ignore_input(socket),
                watch_credential(accounts, credential),
            )

    @websocket("/v1/deployments/{deployment_id:str}/logs/stream")
    async def logs_stream(socket: WebSocket[Any, Any, Any], deployment_id: str) -> None:
        try:
            credential = credential_of(socket, allow_query=True)
            who = await accounts.authenticate(credential)
            tail = query.integer(socket, "tail", 100, most=MAX_TAIL)
            await services.deployments.get(who, deployment_id)
        except DomainError as error:
            await refuse(socket, *error_answer(error))
            return
        await socket.accept()
        await run_socket(
            socket,
            _send_logs(socket, services, who, deployment_id, tail),
            ignore_input(socket),
            watch_credential(accounts, credential),
        )

    return [events, logs_stream]


async def _send_events(socket: Socket, subscription: Any) -> None:
    try:
        async for entry in subscription:
            if entry.kind in convert.DOCUMENTED_EVENTS:
                await send_text(socket, convert.to_wire_event(entry).model_dump_json(by_alias=True))
    except Lagged as error:
        raise SocketEnd(TRY_LATER, error.message) from error


async def _send_logs(socket: Socket, services: Services, who: Principal, deployment_id: str, tail: int | None) -> None:
    async with aclosing(services.logs.follow(who, deployment_id, tail=tail)) as batches:
        async for batch in batches:
            for entry in convert.to_wire_batch(batch.records, batch.dropped):
                await send_text(socket, entry.model_dump_json(by_alias=True))
