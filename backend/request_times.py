"""How long a request may take to come. uvicorn itself waits for ever for the rest of a head, for that of a WebSocket's
handshake too, and for that of a body."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from backend.request_heads import BoundedHeads

log = logging.getLogger(__name__)

_LATE = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a client may take, in seconds: over a whole head, and from one part of a body to the next."""

    head: float = 30.0
    body: float = 60.0


USUAL = Patience()


class _Awaited(Enum):
    REQUEST = auto()
    HEAD = auto()
    BODY = auto()


class TimedRequests(BoundedHeads):
    """Lets a client go that opens a connection or begins a request and does not send the rest in time: with a 408 where
    a request was begun and no answer to it."""

    def __init__(self, *args: Any, patience: Patience = USUAL, **others: Any) -> None:
        super().__init__(*args, **others)
        self._patience = patience
        self._awaited = _Awaited.REQUEST
        self._timer: asyncio.TimerHandle | None = None
        self._body_came = False
        # Whether reading was paused when the timer was set.
        self._was_paused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._set_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._awaited = _Awaited.HEAD
        self._set_timer()

    def on_headers_complete(self) -> None:
        self._stop_timer()
        super().on_headers_complete()
        self._awaited = _Awaited.BODY

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._body_came = True

    def on_message_complete(self) -> None:
        self._stop_timer()
        super().on_message_complete()
        self._awaited = _Awaited.REQUEST

    def data_received(self, data: bytes) -> None:
        self._body_came = False
        super().data_received(data)
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            return  # as for a WebSocket, whose protocol has taken the place of this one
        if self._awaited is _Awaited.BODY:
            if self._timer is None or self._body_came:
                self._set_timer()
        elif self._timer is None and self.timeout_keep_alive_task is None and not self._answering():
            # Empty lines before a request begin none, and yet end uvicorn's wait for it.
            self._set_timer()

    def _set_timer(self) -> None:
        self._stop_timer()
        seconds = self._patience.body if self._awaited is _Awaited.BODY else self._patience.head
        self._was_paused = self.flow.read_paused
        self._timer = self.loop.call_later(seconds, self._time_is_up)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _time_is_up(self) -> None:
        if self.transport.is_closing():
            return
        if self._awaited is _Awaited.BODY:
            if self._held_up():
                self._set_timer()
                return
            tell = not self.cycle.response_started
            if tell:
                self.cycle.disconnected = True  # whatever the application says now comes too late
        elif self._answering():
            self._set_timer()  # the answer to the request before this one is under way
            return
        else:
            tell = self._awaited is not _Awaited.REQUEST
        log.debug("a request did not come in time")
        if tell:
            self.transport.write(_LATE)
        self.transport.close()

    def _held_up(self) -> bool:
        """Whether the client could not send the body: its requests are answered in their order, nothing is read while
        the application has enough to do, and some clients wait until they are told to go on."""
        paused = self._was_paused or self.flow.read_paused
        return paused or bool(self.pipeline) or self.cycle.waiting_for_100_continue
