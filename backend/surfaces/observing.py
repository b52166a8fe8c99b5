"""Operations that read what a deployment says and uses, the same in both container-engine documents: logs (fetched,
followed as NDJSON, over a socket) and metrics."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from litestar import Request, Response
from litestar.response import Stream

from backend.domain.accounts import Principal
from backend.domain.errors import DomainError
from backend.domain.logs import LogQuery
from backend.domain.metrics import Resolution
from backend.services.log_positions import Cursor
from backend.surfaces import query
from backend.surfaces.credentials import credential_of, principal_of
from backend.surfaces.failures import Failures
from backend.surfaces.observed import to_wire_batch, to_wire_log, to_wire_metrics
from backend.surfaces.parameters import MAX_TAIL
from backend.surfaces.responses import json_response
from backend.surfaces.services import Services
from backend.surfaces.sockets import Socket, ignore_input, refuse, run_socket, send_text, watch_credential
from backend.wire.observed import LogsResponse

log = logging.getLogger(__name__)

NDJSON = "application/x-ndjson"
MAX_CURSOR_LENGTH = 8192


async def answer_logs(
    request: Request[Any, Any, Any], services: Services, failures: Failures, deployment_id: str
) -> Response[Any]:
    """The last lines, or with `follow=true` a stream of them as they come."""
    who = principal_of(request)
    wanted = _log_query(request)
    if query.boolean(request, "follow", False):
        # Whatever can be refused is refused before the first byte fixes the status.
        await services.deployments.get(who, deployment_id)
        return Stream(_followed(services, failures, who, deployment_id, wanted), media_type=NDJSON)
    records = await services.logs.fetch(who, deployment_id, wanted)
    return json_response(LogsResponse(logs=[to_wire_log(record) for record in records]))


async def answer_metrics(request: Request[Any, Any, Any], services: Services, deployment_id: str) -> Response[bytes]:
    start, end = query.span(request, "from", "to")
    resolution = query.choice(request, "resolution", Resolution, tuple(Resolution)) or Resolution.MINUTE
    series = await services.metrics.series(principal_of(request), deployment_id, start, end, resolution)
    return json_response(to_wire_metrics(series))


async def serve_log_socket(socket: Socket, services: Services, failures: Failures, deployment_id: str) -> None:
    """One frame a line, as the lines come: from `tail` lines before now, or after the record that carried `cursor`."""
    accounts = services.accounts
    try:
        credential = credential_of(socket, allow_query=True)
        who = await accounts.authenticate(credential)
        wanted = _log_query(socket)
        cursor = query.text(socket, "cursor", longest=MAX_CURSOR_LENGTH)
        if cursor is not None:
            Cursor.parse(cursor)
        await services.deployments.get(who, deployment_id)
        batches = services.logs.follow(
            who, deployment_id, tail=wanted.tail, cursor=cursor, since=wanted.since, until=wanted.until
        )
    except DomainError as error:
        await refuse(socket, *failures.answer(error))
        return
    await socket.accept()
    await run_socket(
        socket,
        _send_batches(socket, batches),
        ignore_input(socket),
        watch_credential(accounts, credential),
    )


def _log_query(connection: query.Connection) -> LogQuery:
    tail = query.integer(connection, "tail", 100, most=MAX_TAIL)
    since, until = query.span(connection, "since", "until")
    return LogQuery(tail=tail, since=since, until=until)


async def _followed(
    services: Services, failures: Failures, who: Principal, deployment_id: str, wanted: LogQuery
) -> AsyncIterator[bytes]:
    """One JSON object a line, as the lines come. A failure on the way is the last line, in the error's shape."""
    batches = services.logs.follow(who, deployment_id, tail=wanted.tail, since=wanted.since, until=wanted.until)
    try:
        async with aclosing(batches):
            async for batch in batches:
                entries = to_wire_batch(batch.records, batch.dropped)
                yield b"".join(entry.model_dump_json().encode() + b"\n" for entry in entries)
    except DomainError as error:
        log.info("following the logs of %s ended: %s", deployment_id, error.message)
        yield failures.answer(error)[1] + b"\n"


async def _send_batches(socket: Socket, batches: Any) -> None:
    async with aclosing(batches):
        async for batch in batches:
            for entry in to_wire_batch(batch.records, batch.dropped):
                await send_text(socket, entry.model_dump_json())
