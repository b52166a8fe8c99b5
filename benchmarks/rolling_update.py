"""An app of 3 replicas rolls while it is asked through the ingress: how many requests fail, and how long they take."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field

from benchmarks.options import Options
from benchmarks.raw_http import RawConnection, get_request, until_answers
from benchmarks.report import Figure, Measured, percentile
from benchmarks.server import new_server
from tests.images.build import build_app_image

REPLICAS = 3
NAME = "rolling"
# Clients that keep their connection, that make a new one for each request, and whose requests are slow.
KEEPING, RECONNECTING, SLOW = 6, 2, 4
PAUSE_SECONDS = 0.01
SLOW_PATH = "/slow?0.7"
SHOWN_FAULTS = 5


@dataclass(slots=True)
class _Load:
    """What one client, or all of them, came back with: seconds of each answered request, slow ones apart."""

    took: list[float] = field(default_factory=list)
    slow: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        return len(self.took) + self.slow + len(self.faults)


def run(options: Options) -> Iterator[Figure]:
    image = build_app_image()
    before: list[_Load] = []
    rolling: list[_Load] = []
    seconds: list[float] = []
    with new_server() as server:
        check = {"path": "/health", "initialDelaySeconds": 0, "periodSeconds": 1}
        app = server.deploy(NAME, image, replicas=REPLICAS, healthCheck=check)
        server.until_ready(app)
        until_answers(server.ingress_port, f"{NAME}.localhost")
        for turn in range(options.pick(8, 2)):
            with _Clients(server.ingress_port) as clients:
                time.sleep(options.pick(5, 2))
                before.append(clients.end())
            with _Clients(server.ingress_port) as clients:
                began = time.monotonic()
                server.ask("PUT", f"/deployments/{app}", {"envVars": {"VERSION": str(turn)}})
                server.until_ready(app, every=0.1)  # seldom: it would be load of its own
                seconds.append(time.monotonic() - began)
                time.sleep(1)  # the old replicas end what they have begun
                rolling.append(clients.end())
    if any(load.faults for load in before):
        raise RuntimeError(f"the app fails although nothing rolls: {before}")
    faults = [fault for load in rolling for fault in load.faults]
    for fault in faults[:SHOWN_FAULTS]:
        print(f"rolling_update: {fault}", file=sys.stderr)
    requests = sum(load.requests for load in rolling)
    yield Figure("rolling_update", Measured.of(f"failed of {requests:,} requests", "", [len(faults)]), target=0)
    yield Figure("rolling_update", Measured.of("requests while it rolls", "", [requests]))
    yield Figure("rolling_update", Measured.of("  slow ones among them", "", [sum(load.slow for load in rolling)]))
    yield Figure("rolling_update", Measured.of(f"update of {REPLICAS} replicas", "s", seconds))
    yield Figure("rolling_update", _slow_end("p99 while it rolls", rolling), _slow_end("p99 before", before))


def _slow_end(label: str, loads: list[_Load]) -> Measured:
    return Measured.of(label, "ms", [1000 * percentile(load.took, 99) for load in loads])


class _Clients:
    """Ask the app again and again, from threads, until `end`."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._done = threading.Event()
        self._pool = ThreadPoolExecutor(KEEPING + RECONNECTING + SLOW)
        works = [self._keep] * KEEPING + [self._reconnect] * RECONNECTING + [self._wait_long] * SLOW
        self._loads: list[Future[_Load]] = [self._pool.submit(work) for work in works]

    def __enter__(self) -> _Clients:
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._pool.shutdown()

    def end(self) -> _Load:
        """All that came back, once each client has the answer to its last request."""
        self._done.set()
        loads = [load.result() for load in self._loads]
        return _Load(
            [seconds for load in loads for seconds in load.took],
            sum(load.slow for load in loads),
            [fault for load in loads for fault in load.faults],
        )

    def _keep(self) -> _Load:
        load = _Load()
        connection: RawConnection | None = None
        while not self._done.wait(PAUSE_SECONDS):
            try:
                connection = connection or RawConnection(self._port)
                load.took.append(connection.seconds(_REQUEST))
            except (OSError, ValueError) as error:
                load.faults.append(f"on a kept connection: {error!r}")
                connection = None
        return load

    def _reconnect(self) -> _Load:
        load = _Load()
        while not self._done.wait(PAUSE_SECONDS):
            try:
                with closing(RawConnection(self._port)) as connection:
                    load.took.append(connection.seconds(_REQUEST))
            except (OSError, ValueError) as error:
                load.faults.append(f"on a new connection: {error!r}")
        return load

    def _wait_long(self) -> _Load:
        load = _Load()
        while not self._done.is_set():
            try:
                with closing(RawConnection(self._port)) as connection:
                    connection.seconds(_SLOW_REQUEST)
                load.slow += 1
            except (OSError, ValueError) as error:
                load.faults.append(f"on a slow request: {error!r}")
        return load


_HOST = f"{NAME}.localhost"
_REQUEST = get_request("/", _HOST)
_SLOW_REQUEST = get_request(SLOW_PATH, _HOST)
