"""The terminal socket: bytes both ways, resizes and endings as JSON control messages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from backend.wire.pilothouse import TerminalError, TerminalExit, TerminalReady, TerminalResize
from tui.client.errors import ClientError

READY_SECONDS = 15.0


class ReplicaTerminal:
    """A shell in a replica, as a source for the terminal widget. All failures come as OSError with a sentence."""

    def __init__(
        self,
        open_socket: Callable[[str], Awaitable[ClientConnection]],
        deployment_id: str,
        *,
        replica: str = "",
        command: str = "",
    ) -> None:
        self._open_socket = open_socket
        self._deployment_id = deployment_id
        self._wanted = {"replica": replica, "command": command}
        self._socket: ClientConnection | None = None
        self._early: list[bytes] = []
        self._exit_code: int | None = None
        self.replica = ""
        self.command = ""

    async def open(self, columns: int, rows: int) -> ReplicaTerminal:
        """Connects and waits until the shell runs. Raises OSError."""
        query = {"columns": str(columns), "rows": str(rows)} | {k: v for k, v in self._wanted.items() if v}
        path = f"/pilothouse/v1/deployments/{self._deployment_id}/terminal?{urlencode(query)}"
        try:
            self._socket = await self._open_socket(path)
            await asyncio.wait_for(self._until_ready(self._socket), READY_SECONDS)
        except ClientError as error:
            raise OSError(error.message) from error
        except InvalidStatus as error:
            raise OSError(f"The backend refused the terminal with status {error.response.status_code}") from error
        except TimeoutError as error:
            await self.close()
            raise OSError("The replica did not give a shell in time") from error
        except (InvalidHandshake, ConnectionClosed) as error:
            raise OSError(_closing_words(error)) from error
        return self

    async def _until_ready(self, socket: ClientConnection) -> None:
        while not self.replica:
            message = await socket.recv()
            if isinstance(message, bytes):
                self._early.append(message)
            else:
                self._control(message)

    async def read(self) -> bytes:
        """The next bytes of output; empty once the shell or the connection ended."""
        if self._early:
            return self._early.pop(0)
        while self._socket is not None:
            try:
                message = await self._socket.recv()
            except ConnectionClosed:
                return b""
            if isinstance(message, bytes):
                if message:
                    return message
            elif not self._control(message):
                return b""
        return b""

    def _control(self, text: str) -> bool:
        """False where the shell has ended. Raises OSError where the server says what went wrong."""
        for kind in (TerminalReady, TerminalExit, TerminalError):
            try:
                frame = kind.model_validate_json(text)
            except ValidationError:
                continue
            if isinstance(frame, TerminalReady):
                self.replica, self.command = frame.replica, frame.command
                return True
            if isinstance(frame, TerminalExit):
                self._exit_code = frame.code
                return False
            raise OSError(frame.message)
        return True  # a kind of a later version

    async def write(self, data: bytes) -> None:
        await self._send(data)

    async def resize(self, columns: int, rows: int) -> None:
        await self._send(TerminalResize(columns=columns, rows=rows).model_dump_json(by_alias=True))

    async def _send(self, message: bytes | str) -> None:
        if self._socket is None:
            raise OSError("The terminal is closed")
        try:
            await self._socket.send(message)
        except ConnectionClosed as error:
            raise OSError(_closing_words(error)) from error

    async def exit_code(self) -> int | None:
        return self._exit_code

    async def close(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close()


def _closing_words(error: Exception) -> str:
    reason = error.rcvd.reason if isinstance(error, ConnectionClosed) and error.rcvd is not None else ""
    return reason or "The connection to the replica ended"
