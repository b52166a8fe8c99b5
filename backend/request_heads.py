"""How large the head of a request may be. The parser keeps what it has not finished, so that without a limit anyone who
reaches the port can fill the memory."""

from __future__ import annotations

import logging
from itertools import chain

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

log = logging.getLogger(__name__)

MAX_HEAD_BYTES = 64 * 1024
# Less than what the WebSocket library takes, so that a socket's handshake is refused alike.
MAX_HEAD_FIELDS = 100

_WORDS = f"The request's header fields are too large: at most {MAX_HEAD_FIELDS}, and {MAX_HEAD_BYTES} bytes in all\n"
_REFUSAL = (
    "HTTP/1.1 431 Request Header Fields Too Large\r\n"
    "content-type: text/plain; charset=utf-8\r\n"
    f"content-length: {len(_WORDS)}\r\n"
    "connection: close\r\n"
    f"\r\n{_WORDS}"
).encode()


class _HeadTooLarge(Exception):
    """Ends the parser's work."""


class BoundedHeads(HttpToolsProtocol):
    """Answers 431 to a head past a limit and closes, without waiting for its end."""

    # What came, by whole reads, since the parser last finished a head or passed on a part of a body. Trailers and the
    # extensions of chunks count as well.
    _unfinished = 0
    _too_large = False

    def data_received(self, data: bytes) -> None:
        self._unfinished += len(data)
        super().data_received(data)
        if self._unfinished > MAX_HEAD_BYTES and not self.transport.is_closing():
            self._refuse()

    def on_headers_complete(self) -> None:
        self._unfinished = 0
        size = len(self.url) + sum(map(len, chain.from_iterable(self.headers)))
        if len(self.headers) > MAX_HEAD_FIELDS or size > MAX_HEAD_BYTES:
            self._too_large = True
            raise _HeadTooLarge
        if not self.url.startswith(b"/"):
            self._tell_of_the_target()
        super().on_headers_complete()

    def _tell_of_the_target(self) -> None:
        """A target with a host of its own takes the place of the Host field (RFC 9112, 3.2.2), and is left out of
        what applications see. Where the two differ it stands beside the field, for the host check to refuse both."""
        target = httptools.parse_url(self.url)
        host = target.host
        if host is None:  # `OPTIONS *` names none
            return
        named = b"[%b]" % host if b":" in host else host
        authority = b"%b:%d" % (named, target.port) if target.port else named
        if [value.lower() for name, value in self.headers if name == b"host"] != [authority.lower()]:
            self.headers.append((b"host", authority))

    def on_body(self, body: bytes) -> None:
        self._unfinished = 0
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        if self._too_large:
            self._refuse()
        else:
            super().send_400_response(msg)

    def _refuse(self) -> None:
        log.debug("a request's head was too large")
        # Not into an answer that is on its way to an earlier request.
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(_REFUSAL)
        self.transport.close()
