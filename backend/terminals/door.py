"""Where the holder's clients come in. The first bytes of one may bring a descriptor along, which asyncio's own streams
would drop."""

from __future__ import annotations

import asyncio
import logging
import os
import socket

from backend.terminals.connection import REQUEST_SECONDS, Connection
from backend.terminals.holder import Holder

log = logging.getLogger(__name__)

_FIRST_BYTES = 512 * 1024
_MOST_HANDLES = 4


class Door:
    """Serves a listening unix socket until closed."""

    def __init__(self, listener: socket.socket, holder: Holder) -> None:
        self._listener = listener
        self._holder = holder
        self._waiting: dict[socket.socket, asyncio.TimerHandle] = {}
        self._entering: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        self._listener.setblocking(False)
        asyncio.get_running_loop().add_reader(self._listener, self._accept)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._listener)
        for connection in list(self._waiting):
            self._forget(connection)
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                log.warning("a client could not be let in: %s", error)
                return
            connection.setblocking(False)
            loop = asyncio.get_running_loop()
            self._waiting[connection] = loop.call_later(REQUEST_SECONDS, self._refuse, connection)
            loop.add_reader(connection, self._enter, connection)

    def _enter(self, connection: socket.socket) -> None:
        self._forget(connection)
        handles: list[int] = []
        try:
            first, handles, _, _ = socket.recv_fds(connection, _FIRST_BYTES, _MOST_HANDLES)
        except OSError as error:
            log.debug("a client went away at once: %s", error)
            first = b""
        if not first:
            for handle in handles:
                os.close(handle)
            connection.close()
            return
        task = asyncio.get_running_loop().create_task(self._serve(connection, first, handles))
        self._entering.add(task)
        task.add_done_callback(self._entering.discard)

    async def _serve(self, connection: socket.socket, first: bytes, handles: list[int]) -> None:
        await asyncio.get_running_loop().connect_accepted_socket(
            lambda: Connection(self._holder, first, handles), connection
        )

    def _forget(self, connection: socket.socket) -> None:
        asyncio.get_running_loop().remove_reader(connection)
        timer = self._waiting.pop(connection, None)
        if timer is not None:
            timer.cancel()

    def _refuse(self, connection: socket.socket) -> None:
        self._forget(connection)
        connection.close()
