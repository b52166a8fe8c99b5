"""The listeners' WebSockets, which can be given to another process after the handshake. See
`backend.surfaces.handover`."""

from __future__ import annotations

import logging
import os
import ssl
from http import HTTPStatus

import websockets.http11
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from backend.domain.terminals import GivenSocket
from backend.request_heads import MAX_HEAD_BYTES
from backend.surfaces.handover import EXTENSION

log = logging.getLogger(__name__)

# What a client sent before its connection was given; more of it than this waits with the kernel.
_MOST_EARLY = 32 * 1024

# websockets' limit for a line of a handshake is less than a query that our documents allow, and than the cookies that
# a browser may have for localhost: `backend.request_heads` has the limit.
websockets.http11.MAX_LINE_LENGTH = 2 * MAX_HEAD_BYTES


class GivingProtocol(WebSocketsSansIOProtocol):
    """uvicorn's, with `backend.surfaces.handover.Giver`, and with an answer to a handshake that cannot be read."""

    _kept: list[bytes] | None = None
    _given = False

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101 and self.scheme == "ws":
            self.scope["extensions"][EXTENSION] = self  # type: ignore[assignment]

    def keep(self) -> None:
        """See Giver."""
        self._kept = []

    def keep_no_more(self) -> None:
        """See Giver."""
        kept, self._kept = self._kept, None
        if not self.transport.is_closing():
            self.transport.resume_reading()
            for data in kept or ():
                super().data_received(data)

    def give(self) -> GivenSocket | None:
        """See Giver."""
        connection = self.transport.get_extra_info("socket")
        if connection is None or self.transport.is_closing() or self.transport.get_write_buffer_size() or self._given:
            return None
        if not self.queue.empty() or self.frames or self.conn.reader.buffer:
            return None  # read before it was to be kept
        if isinstance(self.transport.get_extra_info("ssl_object"), ssl.SSLObject):
            return None
        self.stop_keepalive()
        self.transport.pause_reading()
        self._given = True
        early = b"".join(self._kept or ())
        self._kept = []
        return GivenSocket(os.dup(connection.fileno()), early)

    def take_back(self) -> None:
        """See Giver."""
        self._given = False
        self._kept = []
        self.keep_no_more()

    def data_received(self, data: bytes) -> None:
        if self._kept is None or not self.handshake_complete:
            super().data_received(data)
            fault = self.conn.handshake_exc
            if fault is not None and not self.handshake_initiated:
                self._refuse_handshake(fault)
            return
        self._kept.append(data)
        if sum(map(len, self._kept)) > _MOST_EARLY:
            self.transport.pause_reading()

    def _refuse_handshake(self, fault: Exception) -> None:
        """uvicorn waits for a request that websockets will never hand out, because it could not be read."""
        answer = b"".join(self.conn.data_to_send())
        if not answer:  # websockets answers what is too long, and nothing else
            text = f"The WebSocket handshake is no valid HTTP request: {fault.__cause__ or fault}.\n"
            answer = self.conn.reject(HTTPStatus.BAD_REQUEST, text).serialize()
        self.handshake_complete = self.close_sent = True
        self.transport.write(answer)
        self.transport.close()

    def send_receive_event_to_app(self) -> None:
        """Text that is not UTF-8 ends the connection with 1007 and is the client's fault alone: uvicorn would log it
        as an error, with its traceback."""
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                log.debug("a socket's client sent text that is not UTF-8")
                self.frames = []
                self.conn.send_close(1007)
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()

    def shutdown(self) -> None:
        """The server ends: who was given the connection closes it, since a frame of ours would cut into theirs."""
        if not self._given:
            super().shutdown()
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": 1012})

    async def send(self, message: object) -> None:
        """Nothing once the connection is given away."""
        if self._given:
            return
        if self._kept is not None and isinstance(message, dict) and message.get("type") == "websocket.close":
            self.keep_no_more()  # the other side's answer is awaited
        await super().send(message)  # type: ignore[arg-type]
