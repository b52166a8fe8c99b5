"""Clients at the door whose request cannot be read, or never becomes whole: each is answered and let go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from litestar import Litestar, Request, WebSocket, get, post, websocket
from websockets.asyncio.client import connect

from backend.listeners import Listener, Listeners, bind_tcp
from backend.request_times import USUAL, Patience
from tests.backend.running_backend import free_ports

DEADLINE_SECONDS = 60.0
HANDSHAKE = (
    "Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


@asynccontextmanager
async def _served(patience: Patience) -> AsyncIterator[int]:
    """A listener whose socket at `/echo` says how long its query and its cookies are, and then what it is sent."""

    @websocket("/echo")
    async def echo(socket: WebSocket[Any, Any, Any]) -> None:
        await socket.accept()
        await socket.send_text(f"{len(socket.url.query)} {len(socket.headers.get('cookie', ''))}")
        await socket.send_text(await socket.receive_text())
        await socket.close()

    @get("/")
    async def root() -> str:
        return "here"

    @post("/")
    async def length(request: Request[Any, Any, Any]) -> str:
        return str(len(await request.body()))

    (port,) = free_ports(1)
    app = Litestar([echo, root, length], logging_config=None)
    listener = Listener(bind_tcp("127.0.0.1", port, "port"), app)
    listeners = Listeners([listener], access_log=False, patience=patience)
    await listeners.start()
    yield port
    await listeners.stop()


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with _served(USUAL) as port:
        yield port


@pytest.fixture
async def impatient_port() -> AsyncIterator[int]:
    async with _served(Patience(head=0.3, body=0.3)) as port:
        yield port


async def _answer(port: int, *sent: bytes) -> str:
    """All that comes until the connection is closed by the other side."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for part in sent:
            writer.write(part)
            await writer.drain()
        try:
            return (await reader.read()).decode()
        finally:
            writer.close()


@pytest.mark.parametrize(
    ("line", "headers", "body", "status"),
    [
        ("/echo?" + "q" * 70_000, "", "", 431),
        ("/echo", "Cookie: " + "c" * 70_000 + "\r\n", "", 431),
        ("/echo", "".join(f"X-{number}: x\r\n" for number in range(200)), "", 431),
        ("/echo", "Content-Length: 5\r\n", "12345", 400),
        ("/echo", "Transfer-Encoding: chunked\r\n", "5\r\n12345\r\n0\r\n\r\n", 400),
    ],
    ids=["request line", "header line", "number of headers", "body", "chunked body"],
)
async def test_a_handshake_that_cannot_be_read_is_answered(
    port: int, line: str, headers: str, body: str, status: int
) -> None:
    answer = await _answer(port, f"GET {line} HTTP/1.1\r\n{HANDSHAKE}{headers}\r\n{body}".encode())
    assert answer.startswith(f"HTTP/1.1 {status} ")
    assert ("WebSocket" if status == 400 else "too large") in answer.partition("\r\n\r\n")[2]


async def test_long_queries_and_cookies_reach_the_app(port: int) -> None:
    cookies = {"Cookie": "c" * 9_000}
    async with connect(f"ws://127.0.0.1:{port}/echo?{'q' * 9_000}", additional_headers=cookies) as socket:
        assert await socket.recv() == "9000 9000"


BODY = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n"
CHUNK = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxx\r\n"
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def _statuses(answer: str) -> list[str]:
    return [part.split()[0] for part in answer.split("HTTP/1.1 ")[1:]]


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        ((b"GET /echo HTTP/1.1\r\n", HANDSHAKE.encode()), ["408"]),
        ((GET, b"GET / HTTP/1.1\r\nHost: loc"), ["200", "408"]),
        ((), []),
        ((BODY,), ["408"]),
        ((BODY, b"xx"), ["408"]),
        ((CHUNK,), ["408"]),
        ((GET, BODY), ["200", "408"]),
    ],
    ids=["handshake", "second request", "nothing", "body", "part", "chunk", "second body"],
)
async def test_a_request_that_never_becomes_whole_ends(
    impatient_port: int, sent: tuple[bytes, ...], answered: list[str]
) -> None:
    assert _statuses(await _answer(impatient_port, *sent)) == answered


async def test_an_empty_line_after_an_answer_keeps_no_connection(impatient_port: int) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", impatient_port)
        writer.write(GET)
        assert (await reader.readuntil(b"here")).startswith(b"HTTP/1.1 200 ")
        writer.write(b"\r\n")
        assert await reader.read() == b""
        writer.close()


async def test_a_socket_may_be_silent(impatient_port: int) -> None:
    async with connect(f"ws://127.0.0.1:{impatient_port}/echo") as socket:
        assert await socket.recv() == "0 0"
        await asyncio.sleep(1)
        await socket.send("still here")
        assert await socket.recv() == "still here"
