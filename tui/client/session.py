"""Requests with a credential: the local owner's session over the unix socket, or an API key for a remote backend."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from backend.wire.pilothouse import LocalSessionResponse
from tui.client.errors import ApiError, ClientError, Unreachable
from tui.client.transport import Endpoint, http_client

SESSION_PATH = "/pilothouse/v1/session"


class Session:
    """Sends requests as one user. An answer of 401 is tried once more with a new session."""

    def __init__(self, endpoint: Endpoint, *, api_key: str = "", client: httpx.AsyncClient | None = None) -> None:
        self.endpoint = endpoint
        self._client = client or http_client(endpoint)
        self._api_key = api_key
        self._token = api_key
        self._renewing = asyncio.Lock()
        self.username = ""

    async def token(self) -> str:
        """The credential for a socket; asks for a session where there is none yet. Raises ClientError."""
        if not self._token:
            await self.renew("")
        return self._token

    async def renew(self, rejected: str) -> None:
        """A new session in place of the `rejected` token. Several callers at once make one. Raises ClientError."""
        async with self._renewing:
            if self._token != rejected:
                return
            if not self.endpoint.is_local:
                wrong = "does not accept the key in" if self._api_key else "needs an API key: set"
                raise ApiError(401, "UNAUTHORIZED", f"The backend {wrong} PILOTHOUSE_API_KEY")
            answer = await self._send("POST", SESSION_PATH, token="", params=None, body=None)
            if answer.status_code >= 400:
                raise error_of(answer)
            session = LocalSessionResponse.model_validate_json(answer.content)
            self._token, self.username = session.access_token, session.username

    async def request(
        self, method: str, path: str, *, params: dict[str, Any] | None = None, body: bytes | None = None
    ) -> httpx.Response:
        """The answer, whose status is below 400. Raises ApiError and Unreachable."""
        token = await self.token()
        answer = await self._send(method, path, token, params, body)
        if answer.status_code == 401:
            await self.renew(token)
            answer = await self._send(method, path, self._token, params, body)
        if answer.status_code >= 400:
            raise error_of(answer)
        return answer

    async def _send(
        self, method: str, path: str, token: str, params: dict[str, Any] | None, body: bytes | None
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            return await self._client.request(method, path, params=params, content=body, headers=headers)
        except httpx.TimeoutException as error:
            raise Unreachable("The backend does not answer in time; try again") from error
        except httpx.HTTPError as error:
            raise Unreachable(f"The backend cannot be reached: {error or type(error).__name__}") from error

    async def close(self) -> None:
        await self._client.aclose()


def error_of(answer: httpx.Response) -> ClientError:
    """The error that a response of 400 or more carries, in any of our shapes."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict):
        return ApiError(
            answer.status_code,
            str(error.get("code", "")),
            str(error.get("message", "")) or f"The backend answered {answer.status_code}",
            error.get("details") if isinstance(error.get("details"), dict) else None,
        )
    return ApiError(answer.status_code, "", f"The backend answered {answer.status_code} without saying why")
