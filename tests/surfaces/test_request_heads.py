"""Heads of requests past the limits are refused before they fill the memory, and cost nobody else anything."""

from __future__ import annotations

import socket
from collections.abc import Iterable

import pytest

from backend.request_heads import MAX_HEAD_BYTES, MAX_HEAD_FIELDS
from tests.backend.running_backend import RunningBackend

START = b"GET /v1/nothing HTTP/1.1\r\nHost: localhost\r\n"
UPGRADE = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + b"A" * 22 + b"=="
)
CHUNKED = (
    b"POST /v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
)


def _exchange(backend: RunningBackend, parts: Iterable[bytes]) -> bytes:
    """What comes back until the server closes or the first answer is whole; sending ends where the server ends it."""
    with socket.create_connection(("127.0.0.1", backend.bind_port), timeout=30) as connection:
        try:
            for part in parts:
                connection.sendall(part)
        except OSError:
            pass
        received = b""
        try:
            while b"\r\n\r\n" not in received and (data := connection.recv(65536)):
                received += data
        except ConnectionError:
            pass
    return received


def _status(backend: RunningBackend, parts: Iterable[bytes]) -> bytes:
    return _exchange(backend, parts).partition(b"\r\n")[0][9:12]


def test_heads_within_the_limits(backend: RunningBackend) -> None:
    fields = b"".join(b"X-%d: y\r\n" % number for number in range(MAX_HEAD_FIELDS - 1))
    assert _status(backend, [START + fields + b"\r\n"]) == b"404"
    large = b"X: " + b"y" * (MAX_HEAD_BYTES - 100) + b"\r\n"
    assert _status(backend, [START + large + b"\r\n"]) == b"404"


@pytest.mark.parametrize("more", [b"", UPGRADE + b"\r\n"], ids=["request", "socket"])
def test_heads_past_the_limits(backend: RunningBackend, more: bytes) -> None:
    fields = b"".join(b"X-%d: y\r\n" % number for number in range(MAX_HEAD_FIELDS))
    assert _status(backend, [START + more + fields + b"\r\n"]) == b"431"
    assert _status(backend, [START + more + b"X: " + b"y" * MAX_HEAD_BYTES + b"\r\n\r\n"]) == b"431"
    long_path = START.replace(b"nothing", b"n" * MAX_HEAD_BYTES)
    assert _status(backend, [long_path + more + b"\r\n"]) == b"431"


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (START + b"X: ", b"y" * 65536),
        (START + b"X", b"y" * 65536),
        (START, b"X: y\r\n" * 10_000),
        (CHUNKED + b"X: ", b"y" * 65536),
        (CHUNKED, b"X: y\r\n" * 10_000),
    ],
    ids=["value", "name", "fields", "trailer", "trailers"],
)
def test_a_head_without_an_end_is_not_read_on(backend: RunningBackend, start: bytes, piece: bytes) -> None:
    sent = 0

    def endless() -> Iterable[bytes]:
        nonlocal sent
        yield start
        while sent < 64 * 2**20:
            yield piece
            sent += len(piece)

    _exchange(backend, endless())
    # What the kernel's buffers take besides is a few megabytes.
    assert sent < 32 * 2**20


def test_requests_after_one_another_each_have_the_whole_limit(backend: RunningBackend) -> None:
    request = START + b"X: " + b"y" * (MAX_HEAD_BYTES // 2) + b"\r\n\r\n"
    with socket.create_connection(("127.0.0.1", backend.bind_port), timeout=30) as connection:
        answers = connection.makefile("rb")
        for _ in range(5):
            connection.sendall(request)
            assert answers.readline() == b"HTTP/1.1 404 Not Found\r\n"
            length = 0
            while (line := answers.readline()) != b"\r\n":
                name, _, value = line.partition(b":")
                length = int(value) if name == b"content-length" else length
            answers.read(length)


def _asked(backend: RunningBackend, target: bytes, *hosts: bytes, more: bytes = b"") -> bytes:
    fields = b"".join(b"Host: %b\r\n" % host for host in hosts)
    return _status(backend, [b"GET %b HTTP/1.1\r\n" % target + fields + more + b"\r\n"])


@pytest.mark.parametrize("more", [b"", UPGRADE + b"\r\n"], ids=["request", "socket"])
def test_more_than_one_host(backend: RunningBackend, more: bytes) -> None:
    for hosts in ((b"evil.example", b"localhost"), (b"localhost", b"evil.example"), (b"localhost", b"localhost")):
        assert _asked(backend, b"/v1/nothing", *hosts, more=more) == b"400"
    assert _asked(backend, b"/v1/nothing", b"localhost", more=more) == b"404"


def test_a_target_with_a_host_of_its_own(backend: RunningBackend) -> None:
    for target in (
        b"http://evil.example/v1/nothing",
        b"http://localhost@evil.example/v1/nothing",
        b"http://localhost:1/v1/nothing",
    ):
        assert _asked(backend, target, b"localhost") == b"400"
        assert _asked(backend, target, b"localhost", more=UPGRADE + b"\r\n") == b"400"
    assert _asked(backend, b"http://localhost/v1/nothing", b"evil.example") == b"400"
    assert _asked(backend, b"http://localhost/v1/nothing", b"localhost") == b"404"
    assert _asked(backend, b"http://[::1]:80/v1/nothing", b"[::1]:80") == b"404"
    assert _asked(backend, b"HTTP://LocalHost:80/v1/nothing", b"localhost:80") == b"404"


def test_a_target_without_a_host(backend: RunningBackend) -> None:
    """It is the server that is asked about, which the surfaces know nothing of."""
    asked = b"OPTIONS * HTTP/1.1\r\nConnection: close\r\nHost: "
    assert _status(backend, [asked + b"localhost\r\n\r\n"]) == b"404"
    assert _status(backend, [asked + b"evil.example\r\n\r\n"]) == b"400"
