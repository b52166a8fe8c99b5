"""The way to the engine: SDK calls on one bounded thread pool, streams on asyncio sockets, liveness for both."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from backend.domain.errors import EngineUnavailable
from backend.engines.address import EngineAddress
from backend.engines.errors import EngineFault, EngineTimeout, sdk_errors
from backend.engines.http_stream import Patience, StreamingResponse, StreamRequest, exchange
from backend.engines.sdk import Client

T = TypeVar("T")

# Calls that wait for a container (stop, restart, removal) hold a thread for long without using it, so there may be
# many; quick ones would only wait for each other's turn in the interpreter.
SLOW_CALLS = 28
QUICK_CALLS = 12
# A registry that takes connections and says nothing holds its callers for long: they must not hold up all others.
REGISTRY_CALLS = 24
THREADS = SLOW_CALLS + QUICK_CALLS + REGISTRY_CALLS
CALL_SECONDS = 60.0
PING_SECONDS = 3.0
CONNECT_SECONDS = 10.0
# A silent stream asks for a sign of life this often.
SILENCE_SECONDS = 10.0


class EngineConnection:
    """Speaks to one engine. Heals by itself: a failed call drops the SDK clients, the next one makes new ones and
    negotiates the API version again."""

    def __init__(self, address: EngineAddress, log: logging.Logger) -> None:
        self.address = address
        self._log = log
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="engine")
        self._slow = asyncio.Semaphore(SLOW_CALLS)
        self._quick = asyncio.Semaphore(QUICK_CALLS)
        self._registry = asyncio.Semaphore(REGISTRY_CALLS)
        self._lock = threading.Lock()
        self._clients: dict[float, Client] = {}
        self._version: str | None = None
        self._answered_at = 0.0
        self._ping_lock = asyncio.Lock()
        self._closed = False
        # how often the engine was lost: what was learnt of it before may be another engine's
        self.losses = 0

    async def close(self) -> None:
        """Let go of all threads and connections; running calls end by themselves."""
        self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._drop_clients()

    async def call(self, work: Callable[[Client], T], *, timeout: float = CALL_SECONDS, slow: bool = False) -> T:
        """Run `work` with an SDK client on the pool. `timeout` is for each answer, in seconds; `slow` marks work
        that waits for a container. Raises EngineFault and EngineUnavailable."""
        async with self._slow if slow else self._quick:
            return await self._submit(lambda: self._run(work, timeout))

    async def ask_registry(self, work: Callable[[Client], T], *, timeout: float) -> T:
        """As `call`, for work in which the engine waits for a registry."""
        async with self._registry:
            return await self._submit(lambda: self._run(work, timeout))

    async def offload(self, work: Callable[[], T]) -> T:
        """Run blocking work that is no engine call (files of /proc and cgroups) on the same pool."""
        async with self._quick:
            return await self._submit(work)

    async def ping(self) -> None:
        """Raises EngineUnavailable where the engine does not answer within 3 s."""
        request = StreamRequest("GET", "/_ping")
        try:
            async with asyncio.timeout(PING_SECONDS), self._exchange(request, _wait) as response:
                await response.read()
        except EngineFault as fault:
            raise self.address.unavailable(fault) from fault
        except TimeoutError as error:
            raise self.address.unavailable(error) from error

    async def check_alive(self) -> None:
        """Ping, unless the engine answered a moment ago: many silent streams share one ping."""
        async with self._ping_lock:
            if time.monotonic() - self._answered_at > SILENCE_SECONDS / 2:
                await self.ping()

    @contextlib.asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: object | None = None,
        upgrade: bool = False,
    ) -> AsyncIterator[StreamingResponse]:
        """A streaming request below the negotiated version, e.g. `/events`. The connection ends with the block.
        Raises EngineFault and EngineUnavailable."""
        version = self._version or await self.call(lambda client: str(client.api_version))
        request = StreamRequest(method, f"/v{version}{path}", headers or {}, body, upgrade)
        async with self._exchange(request, self._wait_watched) as response:
            yield response

    async def read_watched(self, response: StreamingResponse) -> bytes:
        """The next bytes of a stream that may be silent for long; empty at its end. Raises EngineUnavailable where
        the engine froze or cut it."""
        try:
            return await self._wait_watched(response.read)
        except OSError as error:
            raise self.address.unavailable(error) from error

    async def _wait_watched(self, read: Callable[[], Awaitable[bytes]]) -> bytes:
        """Wait as long as the engine gives signs of life. `read` may be cancelled and called again."""
        while True:
            try:
                async with asyncio.timeout(SILENCE_SECONDS):
                    data = await read()
            except TimeoutError:
                await self.check_alive()
                continue
            self._answered_at = time.monotonic()
            return data

    @contextlib.asynccontextmanager
    async def _exchange(self, request: StreamRequest, patience: Patience) -> AsyncIterator[StreamingResponse]:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                reader, writer = await self.address.connect()
        except OSError as error:  # TimeoutError is one
            raise self.address.unavailable(error) from error
        try:
            async with exchange(reader, writer, request, patience) as response:
                self._answered_at = time.monotonic()
                yield response
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            raise self.address.unavailable(error) from error

    async def _submit(self, work: Callable[[], T]) -> T:
        if self._closed:
            raise EngineUnavailable("the connection to the container engine is closed")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._closed and task is not None and not task.cancelling():
                # it was the pool that went away, not the caller
                raise EngineUnavailable("the connection to the container engine is closed") from None
            raise

    def _run(self, work: Callable[[Client], T], timeout: float) -> T:
        """On a pool thread."""
        try:
            with sdk_errors(self.address.unavailable):
                result = work(self._client(timeout))
        except EngineUnavailable as error:
            self._log.debug("engine call failed: %s", error.message)
            if not isinstance(error, EngineTimeout):
                self._drop_clients()
            raise
        self._answered_at = time.monotonic()
        return result

    def _client(self, timeout: float) -> Client:
        with self._lock:
            version = self._version
            if (client := self._clients.get(timeout)) is not None:
                return client
        if version is None:
            first = self.address.client(None, PING_SECONDS, 1)
            try:
                version = str(first.version(api_version=False)["ApiVersion"])
            finally:
                first.close()
        with self._lock:
            self._version = version
            return self._clients.setdefault(timeout, self.address.client(version, timeout, THREADS))

    def _drop_clients(self) -> None:
        with self._lock:
            clients, self._clients, self._version = list(self._clients.values()), {}, None
            self.losses += 1
        for client in clients:
            client.close()


async def _wait(read: Callable[[], Awaitable[bytes]]) -> bytes:
    return await read()
