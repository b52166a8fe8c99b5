"""Requests with a credential: the local owner's session over the unix socket, a login, or an API key."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx

from backend.wire.container_engine import (
    LoginRequest,
    LoginResponse,
    RefreshRequest,
    RefreshResponse,
    RegisterRequest,
)
from backend.wire.pilothouse import LocalSessionResponse
from tui.client.answers import parsed
from tui.client.errors import ApiError, ClientError, LoginNeeded, Unreachable
from tui.client.token_store import Login, TokenStore
from tui.client.transport import Endpoint, http_client

SESSION_PATH = "/pilothouse/v1/session"
AUTH_PATH = "/container-engine/v1/auth"


class Session:
    """Sends requests as one user. An answer of 401 is tried once more with a new token."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        api_key: str = "",
        tokens: TokenStore | None = None,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        """`tokens` keeps logins at remote backends; without it they last as long as this object."""
        self.endpoint = endpoint
        self._client = client or http_client(endpoint)
        self._api_key = api_key
        self._tokens = tokens
        self._token = api_key
        self._refresh_token = ""
        self._renewing = asyncio.Lock()
        self.username = ""
        self.email = ""

    @property
    def by_login(self) -> bool:
        """Whether a person logs in here: not on one's own machine, and not with an API key."""
        return not self.endpoint.is_local and not self._api_key

    @property
    def needs_login(self) -> bool:
        """Whether nothing works before somebody logs in."""
        return self.by_login and not self._token and not self._refresh_token

    async def token(self) -> str:
        """The credential for a socket; asks for a session where there is none yet. Raises ClientError."""
        if not self._token:
            await self.renew("")
        return self._token

    async def renew(self, rejected: str) -> None:
        """A new token in place of the `rejected` one. Several callers at once make one. Raises ClientError."""
        async with self._renewing:
            if self._token != rejected:
                return
            if self.by_login:
                await self._refresh()
                return
            if self._api_key:
                raise ApiError(401, "UNAUTHORIZED", "The backend does not accept the key in PILOTHOUSE_API_KEY")
            answer = await self._send("POST", SESSION_PATH, token="", params=None, body=None)
            if answer.status_code >= 400:
                raise error_of(answer)
            session = parsed(LocalSessionResponse, answer)
            self._token, self.username = session.access_token, session.username

    # --- logins ---------------------------------------------------------------------------------------------

    async def restore(self) -> None:
        """Takes up the login that was kept, where there is one."""
        if not self.by_login or self._tokens is None:
            return
        login = await self._tokens.load(self.endpoint.url)
        if login is not None:
            self._token, self._refresh_token, self.email = login.access_token, login.refresh_token, login.email

    async def log_in(self, email: str, password: str) -> str:
        """Returns where the login is kept, "" where it is not. Raises ClientError."""
        body = LoginRequest(email=email, password=password).model_dump_json(by_alias=True).encode()
        answer = await self._send("POST", f"{AUTH_PATH}/login", token="", params=None, body=body)
        if answer.status_code >= 400:
            raise error_of(answer)
        login = parsed(LoginResponse, answer)
        self._token, self._refresh_token = login.access_token, login.refresh_token
        self.username, self.email = login.user.username, login.user.email
        return await self._keep()

    async def register(self, username: str, email: str, password: str, again: str, invitation: str = "") -> str:
        """A new account, logged in at once; returns as `log_in` does. Raises ClientError."""
        request = RegisterRequest.model_validate(
            {"username": username, "email": email, "password": password, "confirmPassword": again}
        )
        body = request.model_dump_json(by_alias=True).encode()
        more = {"X-Invitation-Code": invitation} if invitation else {}
        answer = await self._send("POST", f"{AUTH_PATH}/register", token="", params=None, body=body, more=more)
        if answer.status_code >= 400:
            raise error_of(answer)
        return await self.log_in(email, password)

    async def log_out(self) -> None:
        """Ends the login here and at the backend. Raises ClientError where the backend does not answer; the login is
        forgotten here all the same."""
        token = self._token
        await self._forget()
        if token:
            answer = await self._send("POST", f"{AUTH_PATH}/logout", token=token, params=None, body=None)
            if answer.status_code >= 400 and answer.status_code != 401:
                raise error_of(answer)

    async def _refresh(self) -> None:
        if self._refresh_token:
            body = RefreshRequest.model_validate({"refreshToken": self._refresh_token})
            content = body.model_dump_json(by_alias=True).encode()
            answer = await self._send("POST", f"{AUTH_PATH}/refresh", token="", params=None, body=content)
            if answer.status_code < 400:
                self._token = parsed(RefreshResponse, answer).access_token
                await self._keep()
                return
            if answer.status_code not in (400, 401, 403, 404):
                raise error_of(answer)
            await self._forget()
        self._token = ""
        raise LoginNeeded(f"You are not logged in at {self.endpoint.label}")

    async def _keep(self) -> str:
        if self._tokens is None:
            return ""
        try:
            return await self._tokens.save(self.endpoint.url, Login(self.email, self._token, self._refresh_token))
        except OSError:
            return ""  # it lasts until the app ends; the login screen says so

    async def _forget(self) -> None:
        self._token = self._refresh_token = self.username = ""
        if self._tokens is not None:
            try:
                await self._tokens.forget(self.endpoint.url)
            except OSError as error:
                raise ClientError(f"The login cannot be removed from its file: {error}") from error

    # --- requests -------------------------------------------------------------------------------------------

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
        self,
        method: str,
        path: str,
        token: str,
        params: dict[str, Any] | None,
        body: bytes | None,
        more: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        headers = {**(more or {}), **({"Authorization": f"Bearer {token}"} if token else {})}
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
    if isinstance(body, dict) and isinstance(body.get("detail"), str):
        # The DevPocket document's shape; its list of faults has the field of each.
        faults = body.get("errors")
        return ApiError(answer.status_code, "", body["detail"], {"fields": faults if isinstance(faults, list) else []})
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict):
        return ApiError(
            answer.status_code,
            str(error.get("code", "")),
            str(error.get("message", "")) or f"The backend answered {answer.status_code}",
            error.get("details") if isinstance(error.get("details"), dict) else None,
        )
    return ApiError(answer.status_code, "", f"The backend answered {answer.status_code} without saying why")
