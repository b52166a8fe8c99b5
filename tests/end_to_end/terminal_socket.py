"""A terminal socket of our own surface, as a program uses it."""

from __future__ import annotations

import json
from contextlib import ExitStack
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.terminals.holder_bench import Seen

DEADLINE_SECONDS = 60.0


class TerminalSocket:
    """What it was told, and what its screen shows."""

    def __init__(self, port: int, token: str, path: str, *, columns: int = 80, rows: int = 24, **query: Any) -> None:
        words = urlencode({"token": token, "columns": columns, "rows": rows} | query)
        url = f"ws://127.0.0.1:{port}/pilothouse/v1/{path}/terminal?{words}"
        self._open = ExitStack()
        self.socket: ClientConnection = self._open.enter_context(connect(url, proxy=None, max_size=2**24))
        self.seen = Seen(columns, rows)
        self.output = b""
        self.told: list[dict[str, Any]] = []

    def __enter__(self) -> TerminalSocket:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def cut(self) -> None:
        """As when the network goes: without a word."""
        self.socket.socket.close()

    def receive(self) -> None:
        message = self.socket.recv(timeout=DEADLINE_SECONDS)
        if isinstance(message, bytes):
            self.output += message
            self.seen.feed(message)
        else:
            self.told.append(json.loads(message))

    def until_told(self, kind: str) -> dict[str, Any]:
        while not (found := [one for one in self.told if one["type"] == kind]):
            self.receive()
        return found[-1]

    def until_written(self, text: bytes) -> bytes:
        """All output since the last call."""
        while text not in self.output:
            self.receive()
        output, self.output = self.output, b""
        return output

    def until_shown(self, line: str) -> list[str]:
        """The screen once that is one of its lines."""
        while line not in self.seen.lines:
            self.receive()
        return self.seen.lines

    def type(self, text: bytes) -> None:
        self.socket.send(text)

    def resize(self, columns: object, rows: object) -> None:
        self.socket.send(json.dumps({"type": "resize", "columns": columns, "rows": rows}))

    def until_closed(self) -> tuple[int, str]:
        """Code and reason; 1006 where the connection was cut."""
        try:
            while True:
                self.receive()
        except ConnectionClosed as error:
            return (error.rcvd.code, error.rcvd.reason) if error.rcvd else (1006, "")
