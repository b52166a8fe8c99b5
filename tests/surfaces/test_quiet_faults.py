"""What a client does wrong is no error of the server: its log stays quiet."""

from __future__ import annotations

import socket

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.backend.running_backend import RunningBackend
from tests.surfaces.people import Person

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


def test_text_that_is_not_utf_8(resident: Person) -> None:
    backend = resident.backend
    before = len(backend.log())
    url = f"ws://127.0.0.1:{backend.port}/container-engine/v1/events?token={resident.token}"
    with connect(url, proxy=None) as socket:
        with socket.send_context():
            socket.protocol.send_text(b"\xff\xfe")
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                socket.recv(timeout=30)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1007
    assert resident.client.get("/v1/nothing").status_code == 404
    said = backend.log()[before:]
    assert "ERROR" not in said
    assert "Traceback" not in said
