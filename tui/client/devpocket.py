"""The documented DevPocket operations that the app uses, one function each, as wire models.

All raise ApiError where the backend refuses and Unreachable where it does not answer.
"""

from __future__ import annotations

from pydantic import BaseModel

from backend.wire.devpocket import MessageResponse
from backend.wire.devpocket_environments import (
    EnvironmentCreateRequest,
    EnvironmentResponse,
    EnvironmentUpdateRequest,
    TemplateListResponse,
    TemplateResponse,
)
from tui.client.answers import parsed
from tui.client.session import Session

PREFIX = "/devpocket/api/v1"


def _body(request: BaseModel) -> bytes:
    # What was not set is left out: an update leaves alone what is left out.
    return request.model_dump_json(exclude_unset=True).encode()


class DevPocketClient:
    """One method per operation."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def templates(self) -> list[TemplateResponse]:
        """Those that new environments can be made from."""
        answer = await self._session.request("GET", f"{PREFIX}/templates")
        return [template for template in parsed(TemplateListResponse, answer).root if template.status != "deprecated"]

    async def create(self, request: EnvironmentCreateRequest) -> EnvironmentResponse:
        answer = await self._session.request("POST", f"{PREFIX}/environments", body=_body(request))
        return parsed(EnvironmentResponse, answer)

    async def get(self, environment_id: str) -> EnvironmentResponse:
        answer = await self._session.request("GET", f"{PREFIX}/environments/{environment_id}")
        return parsed(EnvironmentResponse, answer)

    async def update(self, environment_id: str, request: EnvironmentUpdateRequest) -> EnvironmentResponse:
        answer = await self._session.request("PUT", f"{PREFIX}/environments/{environment_id}", body=_body(request))
        return parsed(EnvironmentResponse, answer)

    async def start(self, environment_id: str) -> MessageResponse:
        return await self._act(environment_id, "start")

    async def stop(self, environment_id: str) -> MessageResponse:
        return await self._act(environment_id, "stop")

    async def restart(self, environment_id: str) -> MessageResponse:
        return await self._act(environment_id, "restart")

    async def _act(self, environment_id: str, action: str) -> MessageResponse:
        answer = await self._session.request("POST", f"{PREFIX}/environments/{environment_id}/{action}")
        return parsed(MessageResponse, answer)

    async def delete(self, environment_id: str) -> None:
        await self._session.request("DELETE", f"{PREFIX}/environments/{environment_id}")
