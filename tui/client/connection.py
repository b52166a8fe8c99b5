"""One backend as the app sees it: its operations, its live feed, its terminals, sharing one session."""

from __future__ import annotations

from collections.abc import Callable

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidStatus

from tui.client.accounts import AccountClient
from tui.client.container_engine import ContainerEngineClient
from tui.client.devpocket import DevPocketClient
from tui.client.live import LIVE_PATH, Change, LiveFeed
from tui.client.pilothouse import PilothouseClient
from tui.client.session import Session
from tui.client.terminal import BackendTerminal
from tui.client.token_store import TokenStore
from tui.client.transport import Endpoint, open_socket

LINGER_SECONDS = 600
"""How long a shell in a replica waits for its connection to come back."""


class Backend:
    """Owns the HTTP client of one endpoint. `listener` hears of live changes once `live.run()` runs."""

    def __init__(
        self,
        endpoint: Endpoint,
        listener: Callable[[Change], None],
        *,
        api_key: str = "",
        tokens: TokenStore | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.session = Session(endpoint, api_key=api_key, tokens=tokens)
        self.account = AccountClient(self.session)
        self.deployments = ContainerEngineClient(self.session)
        self.environments = DevPocketClient(self.session)
        self.ours = PilothouseClient(self.session)
        self.live = LiveFeed(self._open_live, listener)
        self._own_id = ""

    async def own_id(self) -> str:
        """The short id of the user behind the session, asked once. Raises ClientError."""
        if not self._own_id:
            self._own_id = (await self.account.profile()).id
        return self._own_id

    def forget_user(self) -> None:
        """Somebody else may be here now: nothing of the one before stays."""
        self._own_id = ""
        self.live.forget()

    async def open_socket(self, path: str) -> ClientConnection:
        """A WebSocket with the session's credential, renewed once where it has ended. Raises OSError, TimeoutError,
        ClientError and websockets' InvalidHandshake."""
        token = await self.session.token()
        try:
            return await open_socket(self.endpoint, path, token)
        except InvalidStatus as refused:
            if refused.response.status_code != 401:
                raise
            await self.session.renew(token)
            return await open_socket(self.endpoint, path, await self.session.token())

    async def _open_live(self) -> ClientConnection:
        return await self.open_socket(LIVE_PATH)

    def terminal(
        self, deployment_id: str, *, replica: str = "", command: str = "", session: str = ""
    ) -> BackendTerminal:
        """A shell in a replica, not yet opened. One with a session ends when it is closed, but outlives its connection
        for a while: opened again by that name, it is found as it was."""
        path = f"/pilothouse/v1/deployments/{deployment_id}/terminal"
        linger = str(LINGER_SECONDS) if session else ""
        return BackendTerminal(
            self.open_socket,
            path,
            ends_on_close=True,
            replica=replica,
            command=command,
            session=session,
            linger=linger,
        )

    def environment_terminal(self, environment_id: str, *, session: str = "main", command: str = "") -> BackendTerminal:
        """A session in an environment, not yet opened: begun where it is not there, else found again as it is."""
        path = f"/pilothouse/v1/environments/{environment_id}/terminal"
        return BackendTerminal(self.open_socket, path, session=session, command=command)

    async def close(self) -> None:
        await self.session.close()
