"""Operations that read what a deployment says and uses, the same in both container-engine documents: logs (fetched,
followed as NDJSON, over a socket) and metrics."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from functools import partial
from typing import Any

from litestar import Request, Response
from litestar.response import Stream

from backend.domain.errors import DomainError
from backend.domain.logs import LogQuery
from backend.domain.metrics import Resolution
from backend.services.log_positions import Cursor
from backend.services.logs import LogBatch
from backend.surfaces import query
from backend.surfaces.credentials import credential_of, principal_of
from backend.surfaces.failures import Failures
from backend.surfaces.observed import encode_batch, encode_logs, to_wire_metrics
from backend.surfaces.parameters import MAX_TAIL
from backend.surfaces.responses import json_response, raw_json
from backend.surfaces.services import Services
from backend.surfaces.sockets import Socket, accept, ignore_input, refuse, run_socket, send_text, watch_credential

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
        credential = credential_of(request, allow_query=False)
        batches = services.logs.follow(who, deployment_id, tail=wanted.tail, since=wanted.since, until=wanted.until)
        watch = partial(watch_credential, services.accounts, credential, who)
        return Stream(_lines(failures, deployment_id, batches, watch), media_type=NDJSON)
    records = await services.logs.fetch(who, deployment_id, wanted)
    return raw_json(encode_logs(records), 200)


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
    await accept(socket)
    await run_socket(
        socket,
        _send_batches(socket, batches),
        ignore_input(socket),
        watch_credential(accounts, credential, who),
    )


def _log_query(connection: query.Connection) -> LogQuery:
    tail = query.integer(connection, "tail", 100, most=MAX_TAIL)
    since, until = query.span(connection, "since", "until")
    return LogQuery(tail=tail, since=since, until=until)


async def _lines(
    failures: Failures,
    deployment_id: str,
    batches: AsyncIterator[LogBatch],
    watch: Callable[[], Coroutine[Any, Any, None]],
) -> AsyncIterator[bytes]:
    """One JSON object a line, as the lines come, until `watch` raises. A failure on the way is the last line, in the
    error's shape."""
    watching = asyncio.ensure_future(watch())
    try:
        async with aclosing(_while_running(watching, batches)) as allowed:
            async for batch in allowed:
                yield b"".join(entry + b"\n" for entry in encode_batch(batch.records, batch.dropped))
    except DomainError as error:
        log.info("following the logs of %s ended: %s", deployment_id, error.message)
        yield failures.answer(error)[1] + b"\n"
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _while_running(watching: asyncio.Future[None], batches: Any) -> AsyncGenerator[LogBatch, None]:
    """The batches, until `watching` ends; then what it raises."""
    async with aclosing(batches):
        while True:
            coming = asyncio.ensure_future(anext(batches, None))
            try:
                await asyncio.wait({coming, watching}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not coming.done():
                    coming.cancel()
                    await asyncio.gather(coming, return_exceptions=True)
            if watching.done():
                watching.result()
                return
            batch = coming.result()
            if batch is None:
                return
            yield batch


async def _send_batches(socket: Socket, batches: Any) -> None:
    async with aclosing(batches):
        async for batch in batches:
            for entry in encode_batch(batch.records, batch.dropped):
                await send_text(socket, entry.decode())
