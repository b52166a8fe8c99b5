"""When a client that does not go on is let go, by a clock that only the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from backend.request_times import Patience, TimedRequests

PATIENCE = Patience(head=30, body=60)
START = b"POST / HTTP/1.1\r\nHost: localhost\r\n"
BODY = START + b"Content-Length: 10\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
LARGE = 100 * 1024


class _Timer:
    def __init__(self, when: float, act: Callable[[], None]) -> None:
        self.when, self.act, self.cancelled = when, act, False

    def cancel(self) -> None:
        self.cancelled = True


class _Clock:
    """What a protocol needs of a loop."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[_Timer] = []

    def call_later(self, seconds: float, act: Callable[[], None]) -> _Timer:
        timer = _Timer(self.now + seconds, act)
        self.timers.append(timer)
        return timer

    def create_task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(work)


class _Wire(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False
        self.protocol: asyncio.BaseProtocol | None = None

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def get_protocol(self) -> Any:
        return self.protocol

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class _Client:
    """A connection to an application that goes no further than its `first` step before it may."""

    def __init__(self, *, first: str = "", reads: bool = True) -> None:
        self._go = asyncio.Event()
        self._first, self._reads = first, reads
        self._clock, self.wire = _Clock(), _Wire()
        config = uvicorn.Config(self._app, lifespan="off", log_config=None, interface="asgi3", timeout_keep_alive=75)
        self._server: Any = TimedRequests(config, ServerState(), {}, self._clock, patience=PATIENCE)
        self.wire.protocol = self._server
        self._server.connection_made(self.wire)

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]}
        if self._first == "answer":
            await send(start)
        elif self._first == "read":
            await self._read(receive)
        await self._go.wait()
        if self._reads and self._first != "read":
            await self._read(receive)
        if self._first != "answer":
            await send(start)
        await send({"type": "http.response.body", "body": b"here"})

    @staticmethod
    async def _read(receive: Any) -> None:
        while (await receive()).get("more_body"):
            pass

    async def send(self, data: bytes) -> None:
        self._server.data_received(data)
        await self._settle()

    async def wait(self, seconds: float) -> None:
        clock = self._clock
        end = clock.now + seconds
        while due := [timer for timer in clock.timers if not timer.cancelled and timer.when <= end]:
            first = min(due, key=lambda timer: timer.when)
            clock.timers.remove(first)
            clock.now = first.when
            first.act()
            await self._settle()
        clock.now = end

    async def answer(self) -> None:
        """Let the application go on."""
        self._go.set()
        await self._settle()

    @staticmethod
    async def _settle() -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    @property
    def statuses(self) -> list[bytes]:
        return [part[:3] for part in self.wire.written.split(b"HTTP/1.1 ")[1:]]


async def test_a_slow_body_is_waited_for_while_it_goes_on() -> None:
    client = _Client()
    await client.answer()
    await client.send(BODY)
    for _ in range(9):
        await client.wait(50)
        await client.send(b"x")
    await client.wait(59)
    assert not client.wire.closed
    await client.wait(1)
    assert client.wire.closed
    assert client.statuses == [b"408"]


async def test_bytes_between_chunks_are_no_body() -> None:
    client = _Client()
    await client.send(START + b"Transfer-Encoding: chunked\r\n\r\n1;")
    for _ in range(6):
        assert not client.wire.closed
        await client.wait(10)
        await client.send(b"x")
    assert client.statuses == [b"408"]


async def test_a_whole_request_is_answered_whenever_the_app_likes() -> None:
    client = _Client()
    await client.send(BODY + b"0123456789")
    await client.wait(1000)
    assert not client.wire.closed
    await client.answer()
    assert client.statuses == [b"200"]


async def test_a_body_that_the_app_does_not_take_is_not_missed() -> None:
    client = _Client()
    await client.send(START + b"Content-Length: %d\r\n\r\n" % (2 * LARGE) + b"x" * LARGE)
    await client.wait(1000)
    assert not client.wire.closed
    await client.answer()
    await client.wait(59)
    assert not client.wire.closed
    await client.wait(2 * 60)
    assert client.statuses == [b"408"]


async def test_a_client_that_waits_to_be_told_to_go_on() -> None:
    client = _Client()
    await client.send(START + b"Expect: 100-continue\r\nContent-Length: 10\r\n\r\n")
    await client.wait(1000)
    assert client.wire.written == b""
    await client.answer()
    assert client.statuses == [b"100"]
    await client.wait(60)
    assert client.wire.closed
    assert client.statuses == [b"100", b"408"]


@pytest.mark.parametrize("first", ["", "read"])
async def test_the_answer_to_the_request_before_comes_first(first: str) -> None:
    client = _Client(first=first)
    await client.send(GET + BODY)
    await client.wait(1000)
    assert client.wire.written == b""
    await client.answer()
    assert client.statuses == [b"200"]
    await client.wait(2 * 60)
    assert client.wire.closed
    assert client.statuses == [b"200", b"408"]


async def test_an_answer_that_has_begun_is_not_written_into() -> None:
    client = _Client(first="answer")
    await client.send(BODY)
    await client.wait(59)
    assert not client.wire.closed
    await client.wait(1)
    assert client.wire.closed
    assert client.statuses == [b"200"]


async def test_a_body_whose_request_is_answered_already() -> None:
    client = _Client(reads=False)
    await client.answer()
    await client.send(BODY)
    await client.wait(50)
    await client.send(b"01234")
    await client.wait(50)
    assert not client.wire.closed
    await client.send(b"56789")
    await client.wait(29)
    assert not client.wire.closed
    await client.wait(1)
    assert client.wire.closed
    assert client.statuses == [b"200"]


async def test_empty_lines_begin_no_request() -> None:
    client = _Client()
    await client.answer()
    await client.send(GET)
    for _ in range(3):
        assert not client.wire.closed
        await client.send(b"\r\n")
        await client.wait(14)
    assert client.wire.closed
    assert client.statuses == [b"200"]
    client = _Client()
    await client.answer()
    await client.send(GET)
    await client.wait(74)
    assert not client.wire.closed
    await client.send(GET)
    assert client.statuses == [b"200", b"200"]
