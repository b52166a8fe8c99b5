"""HTTP over a plain socket: a client that costs next to nothing beside what it measures."""

from __future__ import annotations

import contextlib
import socket
import time

POLL_SECONDS = 0.005


class RawConnection:
    """One keep-alive connection. Requests are made once and sent as they are."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def seconds(self, request: bytes) -> float:
        """How long until the whole answer is there. Raises ValueError where it is not a 200."""
        began = time.perf_counter()
        self.send(request)
        self.until_answered()
        return time.perf_counter() - began

    def send(self, request: bytes) -> None:
        self._socket.sendall(request)

    def until_answered(self) -> None:
        """Waits for the whole answer. Raises ValueError where it is not a 200."""
        answer = self._socket.recv(1 << 16)
        while (head := answer.find(b"\r\n\r\n")) < 0:
            answer += self._more(answer)
        length = int(answer[:head].lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        while len(answer) < head + 4 + length:
            answer += self._more(answer)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise ValueError(answer[:300].decode(errors="replace"))

    def _more(self, answer: bytes) -> bytes:
        data = self._socket.recv(1 << 16)
        if not data:
            raise ValueError(f"the server closed the connection after {len(answer)} bytes")
        return data

    def close(self) -> None:
        self._socket.close()


def get_request(path: str, host: str, token: str = "") -> bytes:
    credential = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{credential}\r\n".encode()


def until_answers(port: int, host: str, *, seconds: float = 60.0) -> None:
    """Asks for `/` again and again, on a new connection each time, until a 200 comes. Raises TimeoutError."""
    request = f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        # Refused, or taken by a proxy that has nobody behind it yet.
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as one:
            one.sendall(request)
            if one.recv(1 << 12).split(b" ", 2)[1:2] == [b"200"]:
                return
        time.sleep(POLL_SECONDS)
    raise TimeoutError(f"{host} at port {port} did not answer within {seconds:.0f} s")
