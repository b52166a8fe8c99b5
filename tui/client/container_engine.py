"""The documented container-engine operations that the app uses, one function each, as wire models.

All raise ApiError where the backend refuses and Unreachable where it does not answer.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from backend.wire.container_engine import (
    DeploymentActionResponse,
    DeploymentCreateRequest,
    DeploymentCreateResponse,
    DeploymentDetailResponse,
    DeploymentListResponse,
    DeploymentStatusResponse,
    DeploymentUpdateRequest,
    DeploymentUpdateResponse,
    DomainAddRequest,
    DomainAddResponse,
    DomainListItem,
    DomainListResponse,
    LogsResponse,
    MessageResponse,
    MetricsResponse,
    ScaleRequest,
    ScaleResponse,
)
from backend.wire.timestamps import format_timestamp
from tui.client.answers import parsed
from tui.client.session import Session

PREFIX = "/container-engine/v1"


def _body(request: BaseModel) -> bytes:
    # A field left out and a field that is null are not the same: an update leaves alone what is left out.
    return request.model_dump_json(by_alias=True, exclude_none=True).encode()


class ContainerEngineClient:
    """One method per operation."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def create(self, request: DeploymentCreateRequest) -> DeploymentCreateResponse:
        answer = await self._session.request("POST", f"{PREFIX}/deployments", body=_body(request))
        return parsed(DeploymentCreateResponse, answer)

    async def page(self, page: int = 1, limit: int = 100) -> DeploymentListResponse:
        answer = await self._session.request("GET", f"{PREFIX}/deployments", params={"page": page, "limit": limit})
        return parsed(DeploymentListResponse, answer)

    async def get(self, deployment_id: str) -> DeploymentDetailResponse:
        answer = await self._session.request("GET", f"{PREFIX}/deployments/{deployment_id}")
        return parsed(DeploymentDetailResponse, answer)

    async def status(self, deployment_id: str) -> DeploymentStatusResponse:
        answer = await self._session.request("GET", f"{PREFIX}/deployments/{deployment_id}/status")
        return parsed(DeploymentStatusResponse, answer)

    async def update(self, deployment_id: str, request: DeploymentUpdateRequest) -> DeploymentUpdateResponse:
        answer = await self._session.request("PUT", f"{PREFIX}/deployments/{deployment_id}", body=_body(request))
        return parsed(DeploymentUpdateResponse, answer)

    async def scale(self, deployment_id: str, replicas: int) -> ScaleResponse:
        body = _body(ScaleRequest(replicas=replicas))
        answer = await self._session.request("PATCH", f"{PREFIX}/deployments/{deployment_id}/scale", body=body)
        return parsed(ScaleResponse, answer)

    async def stop(self, deployment_id: str) -> DeploymentActionResponse:
        answer = await self._session.request("POST", f"{PREFIX}/deployments/{deployment_id}/stop")
        return parsed(DeploymentActionResponse, answer)

    async def start(self, deployment_id: str) -> DeploymentActionResponse:
        answer = await self._session.request("POST", f"{PREFIX}/deployments/{deployment_id}/start")
        return parsed(DeploymentActionResponse, answer)

    async def delete(self, deployment_id: str) -> MessageResponse:
        answer = await self._session.request("DELETE", f"{PREFIX}/deployments/{deployment_id}")
        return parsed(MessageResponse, answer)

    async def domains(self, deployment_id: str) -> list[DomainListItem]:
        """Oldest first."""
        answer = await self._session.request("GET", f"{PREFIX}/deployments/{deployment_id}/domains")
        return parsed(DomainListResponse, answer).domains

    async def add_domain(self, deployment_id: str, domain: str) -> DomainAddResponse:
        body = _body(DomainAddRequest(domain=domain))
        answer = await self._session.request("POST", f"{PREFIX}/deployments/{deployment_id}/domains", body=body)
        return parsed(DomainAddResponse, answer)

    async def remove_domain(self, deployment_id: str, domain_id: str) -> MessageResponse:
        path = f"{PREFIX}/deployments/{deployment_id}/domains/{domain_id}"
        return parsed(MessageResponse, await self._session.request("DELETE", path))

    async def logs(self, deployment_id: str, tail: int = 100) -> LogsResponse:
        answer = await self._session.request("GET", f"{PREFIX}/deployments/{deployment_id}/logs", params={"tail": tail})
        return parsed(LogsResponse, answer)

    async def metrics(self, deployment_id: str, start: datetime, end: datetime, resolution: str) -> MetricsResponse:
        """`resolution` is 1m, 5m, 1h or 1d. CPU in cores, memory in bytes, requests per step."""
        params = {"from": format_timestamp(start), "to": format_timestamp(end), "resolution": resolution}
        answer = await self._session.request("GET", f"{PREFIX}/deployments/{deployment_id}/metrics", params=params)
        return parsed(MetricsResponse, answer)
