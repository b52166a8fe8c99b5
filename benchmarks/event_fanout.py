"""One event to 200 sockets, until they have it, against the same with a single socket; and what that costs."""

from __future__ import annotations

import selectors
import time
from collections.abc import Iterator
from itertools import chain

from benchmarks import processes
from benchmarks.options import Options
from benchmarks.raw_http import RawConnection, get_request
from benchmarks.raw_websocket import RawSocket
from benchmarks.report import Figure, Measured, percentile
from benchmarks.server import API, Server, new_server

SOCKETS = 200
EVENTS = 20
PAUSE_SECONDS = 0.05
PATIENCE_SECONDS = 30.0
# Has the server tell all sockets of its caller the same event, without waiting for anything else.
TRIGGER = "/container-engine-snake/v1/notifications/test"


def run(options: Options) -> Iterator[Figure]:
    many: list[list[float]] = []
    one: list[list[float]] = []
    cost_of_many: list[float] = []
    cost_of_one: list[float] = []
    with new_server() as server:
        with _Crowd(server, 1) as crowd:
            crowd.tell()  # what is done once only
        empty = processes.rss_mb(server.backend_pids())
        with _Crowd(server, SOCKETS):
            time.sleep(2)
            idle = processes.usage_of({"backend": server.backend_pids}, options.pick(20, 5))["backend"]
        for _ in range(options.pick(10, 3)):
            for size, latencies, costs in ((1, one, cost_of_one), (SOCKETS, many, cost_of_many)):
                with _Crowd(server, size) as crowd:
                    time.sleep(0.5)
                    took, cost = _told(server, crowd)
                latencies += took
                costs.append(cost)
    yield Figure(
        "event_fanout",
        Measured.of(f"event to 99 % of {SOCKETS} sockets", "ms", [1000 * percentile(each, 99) for each in many]),
        Measured.of("to a single socket", "ms", [1000 * each[0] for each in one]),
    )
    everything = list(chain.from_iterable(many))
    yield Figure(
        "event_fanout",
        Measured.of(f"p99 of {len(everything):,} deliveries", "ms", [1000 * percentile(everything, 99)]),
        Measured.of("p99, single socket", "ms", [1000 * percentile(list(chain.from_iterable(one)), 99)]),
    )
    yield Figure(
        "event_fanout",
        Measured.of("backend's processor time per event", "ms", [1000 * each for each in cost_of_many]),
        Measured.of("with a single socket", "ms", [1000 * each for each in cost_of_one]),
    )
    yield Figure("event_fanout", Measured.of(f"backend, {SOCKETS} silent sockets", "%", [idle.cpu_percent]))
    yield Figure(
        "event_fanout",
        Measured.of(f"backend, {SOCKETS} silent sockets", "MB", [idle.rss_mb]),
        Measured.of("before", "MB", [empty]),
    )


def _told(server: Server, crowd: _Crowd) -> tuple[list[list[float]], float]:
    """Latencies of some events, and the backend's seconds of processor time for each event."""
    pids = server.backend_pids()
    before = processes.cpu_seconds(pids)
    took = []
    for _ in range(EVENTS):
        took.append(crowd.tell())
        time.sleep(PAUSE_SECONDS)
    return took, (processes.cpu_seconds(pids) - before) / EVENTS


class _Crowd:
    """Event sockets of one account, and a connection that has them told. For a `with` block."""

    def __init__(self, server: Server, size: int) -> None:
        token = server.token()
        self._request = get_request(TRIGGER, f"127.0.0.1:{server.port}", token)
        self._trigger = RawConnection(server.port)
        self._selector = selectors.DefaultSelector()
        self._sockets = [RawSocket(server.port, f"{API}/events", token) for _ in range(size)]
        for each in self._sockets:
            self._selector.register(each, selectors.EVENT_READ)

    def __enter__(self) -> _Crowd:
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._sockets:
            each.close()
        self._trigger.close()
        self._selector.close()

    def tell(self) -> list[float]:
        """Seconds from the request until each socket had the event. Raises TimeoutError, SocketClosed, and ValueError
        where the request was refused."""
        took: list[float] = []
        began = time.perf_counter()
        self._trigger.send(self._request)
        while len(took) < len(self._sockets):
            ready = self._selector.select(PATIENCE_SECONDS)
            if not ready:
                raise TimeoutError(f"only {len(took)} sockets were told within {PATIENCE_SECONDS:.0f} s")
            for key, _ in ready:
                assert isinstance(key.fileobj, RawSocket)
                took += [time.perf_counter() - began for _text in key.fileobj.read()]
        self._trigger.until_answered()
        return took
