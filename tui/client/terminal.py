"""The terminal sockets: bytes both ways, resizes and endings as JSON control messages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from backend.wire.pilothouse import TerminalError, TerminalExit, TerminalReady, TerminalResize
from tui.client.errors import ApiError, ClientError

READY_SECONDS = 15.0
# A server that is busy or on its way up may think otherwise in a moment.
_TRY_AGAIN_STATUSES = frozenset({429, 502, 503, 504})
# From here on close codes are the backend's own, and final: the container stopped, the session was ended.
_FIRST_FINAL_CODE = 4000
_NORMAL = 1000
_HANG_UP = 4410
_FINAL_CODES = frozenset({1003, 1008})


class BackendTerminal:
    """A terminal that the backend has opened in a container, as a source for the terminal widget. Failures come as
    OSError with a sentence: ConnectionError and TimeoutError where trying again may help."""

    def __init__(
        self,
        open_socket: Callable[[str], Awaitable[ClientConnection]],
        path: str,
        *,
        ends_on_close: bool = False,
        **wanted: str,
    ) -> None:
        """`path` is that of the socket; of `wanted` (replica, command, session, linger) what is not empty is asked for.
        With `ends_on_close` a session ends when it is closed here, though not where the connection to it is lost."""
        self._open_socket = open_socket
        self._path = path
        self._wanted = {name: value for name, value in wanted.items() if value}
        self._ends_on_close = ends_on_close
        self._lost = False
        self._socket: ClientConnection | None = None
        self._early: list[bytes] = []
        self._ended = False
        self._exit_code: int | None = None
        self.replica = ""
        self.command = ""
        self.session = ""
        """Empty for a shell that ends with its connection; others are found again, with their screen."""
        self.resumed = False

    async def open(self, columns: int, rows: int) -> BackendTerminal:
        """Connects and waits until the shell runs, or its screen is there again. Raises OSError."""
        query = {"columns": str(columns), "rows": str(rows)} | self._wanted
        try:
            self._socket = await self._open_socket(f"{self._path}?{urlencode(query)}")
            await asyncio.wait_for(self._until_ready(self._socket), READY_SECONDS)
        except ApiError as error:
            raise OSError(error.message) from error
        except ClientError as error:
            raise ConnectionError(error.message) from error
        except InvalidStatus as error:
            raise _refusal(error) from error
        except asyncio.CancelledError:
            # Closed by the user while it was being opened: what has been started there must not go on unseen.
            await self._leave(ends=self._ends_on_close)
            raise
        except TimeoutError as error:
            await self.close()
            raise TimeoutError("The container did not give a shell in time") from error
        except (InvalidHandshake, ConnectionClosed) as error:
            raise _broken(error) from error
        except FileNotFoundError as error:
            # The socket of a backend on this machine goes with it, and comes back with the next one.
            raise ConnectionError("The backend is not there") from error
        except ConnectionRefusedError as error:
            raise ConnectionError("The backend does not answer") from error
        return self

    async def _until_ready(self, socket: ClientConnection) -> None:
        while not self.replica:
            message = await socket.recv()
            if isinstance(message, bytes):
                self._early.append(message)
            else:
                self._control(message)

    async def read(self) -> bytes:
        """The next bytes of output; empty once the shell ended."""
        if self._early:
            return self._early.pop(0)
        while self._socket is not None and not self._ended:
            try:
                message = await self._socket.recv()
            except ConnectionClosed as error:
                self._lost = True
                raise _broken(error) from error
            if isinstance(message, bytes):
                if message:
                    return message
            else:
                self._control(message)
        return b""

    def _control(self, text: str) -> None:
        """Raises OSError where the server says what went wrong."""
        for kind in (TerminalReady, TerminalExit, TerminalError):
            try:
                frame = kind.model_validate_json(text)
            except ValidationError:
                continue
            if isinstance(frame, TerminalReady):
                self.replica, self.command = frame.replica, frame.command
                self.session, self.resumed = frame.session, frame.resumed
                return
            if isinstance(frame, TerminalError):
                raise OSError(frame.message)
            self._exit_code, self._ended = frame.code, True
            if frame.reason == "engine_lost":
                self._lost = True
                raise ConnectionError(frame.message or "The container engine was lost")
            if frame.reason != "exited" and frame.message:
                raise OSError(frame.message)
            return
        # A kind of a later version, or the size that another viewer gave the session.

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
            raise _broken(error) from error

    async def exit_code(self) -> int | None:
        return self._exit_code

    async def close(self) -> None:
        # What was never seen to run, or is to be found again, must not end with this connection.
        await self._leave(ends=bool(self._ends_on_close and self.replica and not self._lost and not self._ended))

    async def _leave(self, *, ends: bool) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close(_HANG_UP if ends else _NORMAL)


def _refusal(error: InvalidStatus) -> OSError:
    status = error.response.status_code
    words = f"The backend refused the terminal with status {status}"
    return ConnectionError(words) if status in _TRY_AGAIN_STATUSES else OSError(words)


def _broken(error: Exception) -> OSError:
    """What ended the connection, in the server's words where it gave some."""
    received = error.rcvd if isinstance(error, ConnectionClosed) else None
    if received is None:
        return ConnectionError("The connection to the terminal ended")
    words = received.reason or "The connection to the terminal ended"
    final = received.code >= _FIRST_FINAL_CODE or received.code in _FINAL_CODES
    return OSError(words) if final else ConnectionError(words)
