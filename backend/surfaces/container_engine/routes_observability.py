"""What a deployment says and uses: logs (also as they come), metrics, status."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from litestar import Request, Response, get
from litestar.response import Stream

from backend.domain.accounts import Principal
from backend.domain.errors import DomainError
from backend.domain.logs import LogQuery
from backend.domain.metrics import Resolution
from backend.surfaces import query
from backend.surfaces.container_engine import convert
from backend.surfaces.container_engine.described import answered_by
from backend.surfaces.container_engine.errors import error_answer
from backend.surfaces.credentials import principal_of
from backend.surfaces.described import needs
from backend.surfaces.openapi import reads
from backend.surfaces.parameters import LOGS, MAX_TAIL, METRICS
from backend.surfaces.responses import json_response
from backend.surfaces.services import Services
from backend.wire import container_engine as wire

log = logging.getLogger(__name__)

_ONE = "/v1/deployments/{deployment_id:str}"
_TAGS = ["monitoring"]
NDJSON = "application/x-ndjson"


def observability_routes(services: Services) -> list[Any]:
    @get(
        f"{_ONE}/logs",
        operation_class=reads(query=LOGS),
        responses=answered_by(200, wire.LogsResponse, 400, *needs(found=True)),
        tags=_TAGS,
    )
    async def get_logs(request: Request[Any, Any, Any], deployment_id: str) -> Response[Any]:
        who = principal_of(request)
        tail = query.integer(request, "tail", 100, most=MAX_TAIL)
        since, until = query.span(request, "since", "until")
        wanted = LogQuery(tail=tail, since=since, until=until)
        if query.boolean(request, "follow", False):
            # Whatever can be refused is refused before the first byte fixes the status.
            await services.deployments.get(who, deployment_id)
            lines = _followed(services, who, deployment_id, wanted)
            return Stream(lines, media_type=NDJSON)
        records = await services.logs.fetch(who, deployment_id, wanted)
        return json_response(wire.LogsResponse(logs=[convert.to_wire_log(record) for record in records]))

    @get(
        f"{_ONE}/metrics",
        operation_class=reads(query=METRICS),
        responses=answered_by(200, wire.MetricsResponse, 400, *needs(found=True)),
        tags=_TAGS,
    )
    async def get_metrics(request: Request[Any, Any, Any], deployment_id: str) -> Response[bytes]:
        start, end = query.span(request, "from", "to")
        resolution = query.choice(request, "resolution", Resolution, tuple(Resolution)) or Resolution.MINUTE
        series = await services.metrics.series(principal_of(request), deployment_id, start, end, resolution)
        return json_response(convert.to_wire_metrics(series))

    @get(
        f"{_ONE}/status",
        responses=answered_by(200, wire.DeploymentStatusResponse, *needs(found=True)),
        tags=_TAGS,
    )
    async def get_status(request: Request[Any, Any, Any], deployment_id: str) -> Response[bytes]:
        state = await services.deployments.state(principal_of(request), deployment_id)
        return json_response(convert.to_wire_status(state))

    return [get_logs, get_metrics, get_status]


async def _followed(services: Services, who: Principal, deployment_id: str, wanted: LogQuery) -> AsyncIterator[bytes]:
    """One JSON object a line, as the lines come. A failure on the way is the last line, in the error's shape."""
    batches = services.logs.follow(who, deployment_id, tail=wanted.tail, since=wanted.since, until=wanted.until)
    try:
        async with aclosing(batches):
            async for batch in batches:
                entries = convert.to_wire_batch(batch.records, batch.dropped)
                yield b"".join(entry.model_dump_json(by_alias=True).encode() + b"\n" for entry in entries)
    except DomainError as error:
        log.info("following the logs of %s ended: %s", deployment_id, error.message)
        yield error_answer(error)[1] + b"\n"
