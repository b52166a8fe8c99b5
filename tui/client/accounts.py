"""The documented operations on the caller's own account, one function each. All raise ApiError and Unreachable."""

from __future__ import annotations

from datetime import datetime

from backend.wire.container_engine import (
    ApiKeyCreateRequest,
    ApiKeyCreateResponse,
    ApiKeyListResponse,
    ApiKeyResponse,
    PasswordChangeRequest,
    ProfileResponse,
    ProfileUpdateRequest,
)
from tui.client.answers import parsed
from tui.client.session import Session

PREFIX = "/container-engine/v1"
PAGE = 100


class AccountClient:
    """Profile, password and API keys."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def profile(self) -> ProfileResponse:
        answer = await self._session.request("GET", f"{PREFIX}/user/profile")
        return parsed(ProfileResponse, answer)

    async def update_profile(self, *, username: str | None = None, email: str | None = None) -> None:
        """What is None stays."""
        body = ProfileUpdateRequest(username=username, email=email).model_dump_json(by_alias=True, exclude_none=True)
        await self._session.request("PUT", f"{PREFIX}/user/profile", body=body.encode())

    async def change_password(self, current: str, new: str, again: str) -> None:
        """`current` is empty for an account that has none yet."""
        request = PasswordChangeRequest.model_validate(
            {"currentPassword": current, "newPassword": new, "confirmNewPassword": again}
        )
        body = request.model_dump_json(by_alias=True).encode()
        await self._session.request("PUT", f"{PREFIX}/user/password", body=body)

    async def api_keys(self) -> list[ApiKeyResponse]:
        """All of them, newest first."""
        found: list[ApiKeyResponse] = []
        page = 1
        while True:
            params = {"page": page, "limit": PAGE}
            answer = await self._session.request("GET", f"{PREFIX}/api-keys", params=params)
            listed = parsed(ApiKeyListResponse, answer)
            found += listed.api_keys
            if page >= listed.pagination.total_pages:
                return found
            page += 1

    async def create_api_key(self, name: str, description: str, expires_at: datetime | None) -> ApiKeyCreateResponse:
        """The only answer that holds the secret."""
        request = ApiKeyCreateRequest.model_validate(
            {"name": name, "description": description, "expiresAt": expires_at}
        )
        body = request.model_dump_json(by_alias=True, exclude_none=True).encode()
        answer = await self._session.request("POST", f"{PREFIX}/api-keys", body=body)
        return parsed(ApiKeyCreateResponse, answer)

    async def revoke_api_key(self, key_id: str) -> None:
        await self._session.request("DELETE", f"{PREFIX}/api-keys/{key_id}")
