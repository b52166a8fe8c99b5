"""Our own surface: system status, journal. All raise ApiError and Unreachable."""

from __future__ import annotations

from backend.wire.pilothouse import JournalResponse, SystemStatusResponse
from tui.client.answers import parsed
from tui.client.session import Session

PREFIX = "/pilothouse/v1"


class PilothouseClient:
    """One method per operation."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def system(self) -> SystemStatusResponse:
        answer = await self._session.request("GET", f"{PREFIX}/system")
        return parsed(SystemStatusResponse, answer)

    async def journal(self, deployment_id: str, *, before: int | None = None, limit: int = 100) -> JournalResponse:
        """Newest first; `before` is a sequence number."""
        params = {"limit": limit} | ({} if before is None else {"before": before})
        answer = await self._session.request("GET", f"{PREFIX}/deployments/{deployment_id}/journal", params=params)
        return parsed(JournalResponse, answer)
