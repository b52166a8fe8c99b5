"""Requests through the ingress, counted per deployment: per minute for storage, and a sliding view for live panels.

Latencies go into buckets that grow by a tenth, so that a percentile is right within 5 %, whatever the load.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn

from backend.domain.errors import DomainError
from backend.domain.ingress import Ingress, RequestRecord

log = logging.getLogger(__name__)

RATE_SECONDS = 10
LATENCY_SECONDS = 60
RETRY_SECONDS = 1.0

_GROWTH = math.log(1.1)
_SMALLEST_MS = 0.05
_BUCKETS = 160  # up to 0.05 ms * 1.1^160, which is 3.5 minutes
_SLICE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Traffic:
    """Rates over the last 10 s, latencies over the last minute in milliseconds (None without requests)."""

    requests_per_second: float = 0.0
    errors_per_second: float = 0.0
    latency_p50_ms: float | None = None
    latency_p95_ms: float | None = None


QUIET = Traffic()


def latency_bucket(milliseconds: float) -> int:
    """The number of the bucket of a latency."""
    if milliseconds <= _SMALLEST_MS:
        return 0
    return min(_BUCKETS - 1, 1 + int(math.log(milliseconds / _SMALLEST_MS) / _GROWTH))


def bucket_latency(bucket: int) -> float:
    """The middle of a bucket, in milliseconds."""
    return _SMALLEST_MS if bucket == 0 else _SMALLEST_MS * math.exp((bucket - 0.5) * _GROWTH)


@dataclass(slots=True)
class _Second:
    at: int
    requests: int = 0
    errors: int = 0


@dataclass(slots=True)
class _Slice:
    """Latencies of ten seconds, sparse."""

    at: int
    counts: dict[int, int]


class _Window:
    """What one deployment served lately."""

    __slots__ = ("seconds", "slices")

    def __init__(self) -> None:
        self.seconds: deque[_Second] = deque(maxlen=RATE_SECONDS + 2)
        self.slices: deque[_Slice] = deque(maxlen=LATENCY_SECONDS // _SLICE_SECONDS + 1)

    def add(self, second: int, latency_ms: float, is_error: bool) -> None:
        # A request that was logged late counts as just finished: it stays near enough.
        if not self.seconds or second > self.seconds[-1].at:
            self.seconds.append(_Second(second))
        current = self.seconds[-1]
        current.requests += 1
        current.errors += is_error
        number = second // _SLICE_SECONDS
        if not self.slices or number > self.slices[-1].at:
            self.slices.append(_Slice(number, {}))
        counts = self.slices[-1].counts
        bucket = latency_bucket(latency_ms)
        counts[bucket] = counts.get(bucket, 0) + 1

    def traffic(self, second: int) -> Traffic:
        """Whole seconds that are over, so that the rate does not depend on when one looks."""
        recent = [s for s in self.seconds if second - RATE_SECONDS <= s.at < second]
        oldest = second // _SLICE_SECONDS - LATENCY_SECONDS // _SLICE_SECONDS
        counts: dict[int, int] = {}
        for part in self.slices:
            if part.at > oldest:
                for bucket, count in part.counts.items():
                    counts[bucket] = counts.get(bucket, 0) + count
        return Traffic(
            sum(s.requests for s in recent) / RATE_SECONDS,
            sum(s.errors for s in recent) / RATE_SECONDS,
            percentile(counts, 0.50),
            percentile(counts, 0.95),
        )

    def is_over(self, second: int) -> bool:
        return not self.seconds or self.seconds[-1].at < second - LATENCY_SECONDS - _SLICE_SECONDS


def percentile(counts: dict[int, int], share: float) -> float | None:
    """The latency that `share` of the requests stayed below, in milliseconds."""
    total = sum(counts.values())
    if not total:
        return None
    left = math.ceil(total * share)
    for bucket in sorted(counts):
        left -= counts[bucket]
        if left <= 0:
            return round(bucket_latency(bucket), 3)
    raise AssertionError("counts do not add up to their total")


class RequestCounter:
    """Consumes the ingress's records. `deployment_of_host` maps a Host name (lower case, no port) to a deployment."""

    def __init__(
        self,
        ingress: Ingress,
        deployment_of_host: Callable[[str], str | None],
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._ingress = ingress
        self._deployment_of_host = deployment_of_host
        self._clock = clock
        self._minutes: dict[tuple[str, int], int] = {}
        self._windows: dict[str, _Window] = {}
        self._task: asyncio.Task[NoReturn] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="request-counter")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> NoReturn:
        while True:
            try:
                async for record in self._ingress.requests():
                    self.count(record)
            except DomainError as error:
                log.warning("counting requests: %s", error.message)
            await asyncio.sleep(RETRY_SECONDS)

    def count(self, record: RequestRecord) -> None:
        host = record.host
        deployment_id = self._deployment_of_host(host)
        if deployment_id is None:
            host = host.lower().rstrip(".").partition(":")[0]
            deployment_id = self._deployment_of_host(host)
            if deployment_id is None:
                return
        second = int(record.at.timestamp())
        key = (deployment_id, second // 60)
        self._minutes[key] = self._minutes.get(key, 0) + 1
        window = self._windows.get(deployment_id)
        if window is None:
            window = self._windows[deployment_id] = _Window()
        window.add(second, record.duration_seconds * 1000, record.status >= 500)

    def traffic(self, deployment_id: str) -> Traffic:
        """What a deployment serves now."""
        window = self._windows.get(deployment_id)
        if window is None:
            return QUIET
        second = int(self._clock().timestamp())
        if window.is_over(second):
            del self._windows[deployment_id]
            return QUIET
        return window.traffic(second)

    def active(self) -> list[str]:
        """Deployments that served something lately."""
        return list(self._windows)

    def take(self) -> dict[tuple[str, int], int]:
        """Counts by deployment and minute (since 1970) since the last call."""
        taken, self._minutes = self._minutes, {}
        return taken
