"""What a client does wrong is no error of the server: its log stays quiet."""

from __future__ import annotations

import socket

import pytest

from tests.backend.running_backend import RunningBackend

START = b"POST /v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    "request_start",
    [
        START + b"Content-Length: 500\r\n\r\n{",
        START + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\nzz\r\n",
    ],
    ids=["cut", "malformed"],
)
def test_a_client_that_goes_away_within_its_body(backend: RunningBackend, request_start: bytes) -> None:
    before = len(backend.log())
    for port in (backend.bind_port, backend.snake_port):
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(request_start)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
        # Answered after it, on the same loop.
        with backend.tcp() as client:
            assert client.get("/v1/nothing").status_code == 404
    said = backend.log()[before:]
    assert "ERROR" not in said
    assert "Traceback" not in said
