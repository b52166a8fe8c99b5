"""A WebSocket over a plain socket: a reader that costs next to nothing beside what it measures."""

from __future__ import annotations

import os
import socket

_TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10
_READ_BYTES = 1 << 18


class SocketClosed(Exception):
    """The server ended it; the message says how."""


class RawSocket:
    """One open socket. Raises SocketClosed where the handshake is refused."""

    def __init__(self, port: int, path: str, token: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        answer = b""
        while (head := answer.find(b"\r\n\r\n")) < 0:
            answer += self._received()
        if not answer.startswith(b"HTTP/1.1 101"):
            raise SocketClosed(answer[:300].decode(errors="replace"))
        self._rest = answer[head + 4 :]

    def fileno(self) -> int:
        return self._socket.fileno()

    def read(self) -> list[bytes]:
        """Waits for bytes; the messages that are whole by then, perhaps none. Answers pings. Raises SocketClosed."""
        data = self._rest + self._received()
        texts: list[bytes] = []
        start, end = 0, len(data)
        while end - start >= 2:
            length = data[start + 1]  # a server masks nothing, so that the high bit is never set
            begin = start + 2
            if length >= 126:
                begin += 2 if length == 126 else 8
                length = int.from_bytes(data[start + 2 : begin], "big")
            stop = begin + length
            if begin > end or stop > end:
                break
            kind = data[start] & 15
            if kind in (_TEXT, _BINARY):
                texts.append(data[begin:stop])
            elif kind == _PING:
                self._pong(data[begin:stop])
            elif kind == _CLOSE:
                raise SocketClosed(repr(data[begin:stop]))
            start = stop
        self._rest = data[start:]
        return texts

    def write(self, data: bytes, *, text: bool = False) -> None:
        """Sends a message of at most 64 KiB. Its mask changes nothing."""
        size = bytes((128 | len(data),)) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
        self._socket.sendall(bytes((128 | (_TEXT if text else _BINARY),)) + size + bytes(4) + data)

    def close(self) -> None:
        self._socket.close()

    def _pong(self, payload: bytes) -> None:
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
        self._socket.sendall(bytes((128 | _PONG, 128 | len(payload))) + mask + masked)

    def _received(self) -> bytes:
        data = self._socket.recv(_READ_BYTES)
        if not data:
            raise SocketClosed("the connection was cut")
        return data
