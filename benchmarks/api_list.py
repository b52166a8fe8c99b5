"""A page of 10 of a list of 1,000 over HTTP, against its own queries alone and a route that answers a constant; and
its slow end while 20 deployments roll, against the same when nothing happens."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import uvloop

from backend.domain.paging import PageRequest
from backend.storage import sessions
from backend.storage.database import Database
from backend.storage.glances import Reading
from benchmarks.options import Options
from benchmarks.raw_http import RawConnection, get_request
from benchmarks.report import Figure, Measured, percentile
from benchmarks.server import API, Server, new_server
from benchmarks.stored_deployments import open_accounts, open_queries, store
from tests.images.build import build_static_image

STORED = 1000
ROLLED = 20
TARGET_QUERIES = 1.5
TARGET_ROLLING = 5.0
BURST = 25
# A client that asks this often, not one that takes all that the backend has.
ASK_EVERY_SECONDS = 0.02
LIMIT = 10


def run(options: Options) -> Iterator[Figure]:
    image = build_static_image()
    with new_server() as server:
        token = server.token()
        server.stop()
        store(server.data_dir, token, options.pick(STORED, 200), image)
        server.start()
        time.sleep(2)
        yield from _against_queries(server, token, options)
        yield from _while_rolling(server, token, image, options)


# --- what HTTP, authentication and JSON add to the queries


def _against_queries(server: Server, token: str, options: Options) -> Iterator[Figure]:
    listing = get_request(f"{API}/deployments?limit={LIMIT}", f"127.0.0.1:{server.port}", token)
    constant = get_request("/health/live", f"127.0.0.1:{server.port}")
    over_http: list[float] = []
    of_constant: list[float] = []
    in_session: list[float] = []
    in_glance: list[float] = []
    connection = RawConnection(server.port)
    with _BareQueries(server.data_dir, token) as queries:
        for turn in range(options.pick(80, 20) + 1):
            figures = [connection.seconds(listing) for _ in range(BURST)]
            constants = [connection.seconds(constant) for _ in range(BURST)]
            queried = queries.seconds(BURST, queries.database.session)
            glanced = queries.seconds(BURST, queries.database.glance)
            if turn:  # the first one fills caches
                over_http += figures
                of_constant += constants
                in_session += queried
                in_glance += glanced
    connection.close()
    ours = Measured.of(f"GET deployments?limit={LIMIT}", "ms", [1000 * each for each in over_http])
    # Storage's session, which every other operation uses, and the reading on the loop's own thread that this one does.
    for label, took, target in (
        ("its queries, bare", in_session, TARGET_QUERIES),
        ("the same at a glance", in_glance, None),
    ):
        yield Figure("api_list", ours, Measured.of(label, "ms", [1000 * each for each in took]), target)
    yield Figure("api_list", ours, Measured.of("GET /health/live", "ms", [1000 * each for each in of_constant]))


class _BareQueries:
    """What the operation asks of storage, in this process: one session, the caller's login, the count and the page."""

    def __init__(self, data_dir: Path, token: str) -> None:
        self._data_dir = data_dir
        self._token = token
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)

    def __enter__(self) -> _BareQueries:
        self._runner.run(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self.database.close())
        self._runner.close()

    async def _open(self) -> None:
        self.database = Database.at(self._data_dir / "pilothouse.db")
        self._queries = open_queries(self._data_dir)
        await self.database.start()
        accounts = open_accounts(self._data_dir, self.database)
        self._who = await accounts.authenticate(self._token)
        accounts.close()

    def seconds(self, times: int, opened: Callable[[], AbstractAsyncContextManager[Reading]]) -> list[float]:
        """Each asking's, in a session that `opened` gives."""
        return self._runner.run(self._ask(times, opened))

    async def _ask(self, times: int, opened: Callable[[], AbstractAsyncContextManager[Reading]]) -> list[float]:
        request = PageRequest(page=1, limit=LIMIT)
        assert self._who.session_id is not None
        took = []
        for _ in range(times):
            began = time.perf_counter()
            async with opened() as session:
                await sessions.session_by_id(session, self._who.session_id)
                items, _total = await self._queries.page(session, self._who.tenant_id, request, None)
            took.append(time.perf_counter() - began)
            assert len(items) == LIMIT
        return took


# --- while deployments roll


def _while_rolling(server: Server, token: str, image: str, options: Options) -> Iterator[Figure]:
    listing = get_request(f"{API}/deployments?limit={LIMIT}", f"127.0.0.1:{server.port}", token)
    rolled = options.pick(ROLLED, 5)
    deployments = [server.deploy(f"rolled-{n:02}", image) for n in range(rolled)]
    server.until_ready(*deployments)
    time.sleep(2)
    idle: list[float] = []
    rolling: list[float] = []
    with ThreadPoolExecutor(1) as pool:
        for turn in range(options.pick(3, 1)):
            done = threading.Event()
            asking = pool.submit(_ask_until, server.port, listing, done)
            time.sleep(options.pick(10, 5))
            idle.append(_slow_end(asking, done))

            done = threading.Event()
            asking = pool.submit(_ask_until, server.port, listing, done)
            for deployment in deployments:
                server.ask("PUT", f"/deployments/{deployment}", {"envVars": {"TURN": str(turn)}})
            server.until_ready(*deployments, every=0.25)  # seldom: it would be load of its own
            rolling.append(_slow_end(asking, done))
            time.sleep(2)
    yield Figure(
        "api_list",
        Measured.of(f"p99, {rolled} deployments rolling", "ms", rolling),
        Measured.of("p99, idle", "ms", idle),
        TARGET_ROLLING,
    )


def _slow_end(asking: Future[list[float]], done: threading.Event) -> float:
    done.set()
    return 1000 * percentile(asking.result(), 99)


def _ask_until(port: int, request: bytes, done: threading.Event) -> list[float]:
    connection = RawConnection(port)
    took = []
    while not done.wait(ASK_EVERY_SECONDS):
        took.append(connection.seconds(request))
    connection.close()
    return took
