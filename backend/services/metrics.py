"""Metric series of a deployment: gathered in memory by the minute, kept in storage by minute, hour and day.

Everything that is kept is a sum with its weight, so that each coarser bucket is exactly what its minutes add up to.
A minute without samples has no bucket: it is a gap, not a zero.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from backend.domain.accounts import Principal
from backend.domain.deployments import Deployment
from backend.domain.errors import DomainError, Invalid
from backend.domain.metrics import LiveSample, MetricSeries, Point, Resolution
from backend.services.request_counter import RequestCounter
from backend.services.usage_sampler import DeploymentUsage, UsageSampler
from backend.storage import metrics as stored
from backend.storage.database import Database
from backend.storage.metrics import Bucket, BucketKey

log = logging.getLogger(__name__)

MAX_POINTS = 10_000
DEFAULT_RANGE = timedelta(hours=1)
_EARLIEST = datetime.min.replace(tzinfo=UTC)
RETENTION: Mapping[Resolution, timedelta] = {
    Resolution.MINUTE: timedelta(hours=24),
    Resolution.FIVE_MINUTES: timedelta(days=7),
    Resolution.HOUR: timedelta(days=90),
    Resolution.DAY: timedelta(days=730),
}
FLUSH_SECONDS = 60.0
FLUSHES_PER_PURGE = 60
# While storage is away, this many minute buckets wait in memory; the oldest go first.
MAX_WAITING = 200_000

_MINUTE = 60

_Minutes = dict[tuple[str, int], Bucket]  # by deployment and minute since 1970


def bucket_start(at: datetime, resolution: Resolution) -> datetime:
    """The beginning of the bucket that holds a moment; buckets are aligned to UTC."""
    seconds = int(at.timestamp())
    return datetime.fromtimestamp(seconds - seconds % resolution.seconds, UTC)


class MetricService:
    """`deployment_of` raises NotFound for what the caller may not see."""

    def __init__(
        self,
        database: Database,
        sampler: UsageSampler,
        counter: RequestCounter,
        deployment_of: Callable[[Principal, str], Awaitable[Deployment]],
        *,
        retention: Mapping[Resolution, timedelta] = RETENTION,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._sampler = sampler
        self._counter = counter
        self._deployment_of = deployment_of
        self._retention = {**RETENTION, **retention}
        self._clock = clock
        self._waiting: _Minutes = {}
        # Held while what waits moves to storage, so that nobody sees it twice or not at all.
        self._moving = asyncio.Lock()
        self._task: asyncio.Task[NoReturn] | None = None
        sampler.on_sample(self.gather)

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="metric-flush")

    async def close(self) -> None:
        """Stop, and store what was gathered; what storage does not take is lost, and the log says so."""
        if self._task is not None:
            async with self._moving:  # never in the middle of a flush
                self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        try:
            await self.flush()
        except DomainError as error:
            log.warning("the last minute of metrics is lost: %s", error.message)

    # --- reading

    def latest(self, deployment_id: str) -> LiveSample | None:
        """What a deployment (by uuid) uses now; None where it neither runs nor serves."""
        return self._sampler.latest(deployment_id)

    async def follow(
        self, who: Principal, deployment_id: str, interval_seconds: float = 2.0
    ) -> AsyncGenerator[LiveSample, None]:
        """The latest sample whenever there is a newer one, at most every `interval_seconds` (1 to 60). Raises NotFound
        and Invalid at the first step."""
        if not 1.0 <= interval_seconds <= 60.0:
            raise Invalid.at("interval_seconds", f"the interval must be from 1 to 60 seconds, not {interval_seconds:g}")
        deployment = await self._deployment_of(who, deployment_id)
        told: LiveSample | None = None
        with self._sampler.watch():
            while True:
                sample = self._sampler.latest(deployment.id)
                if sample is not None and sample != told:
                    told = sample
                    yield sample
                await asyncio.sleep(interval_seconds)

    async def series(
        self,
        who: Principal,
        deployment_id: str,
        start: datetime | None = None,
        end: datetime | None = None,
        resolution: Resolution = Resolution.MINUTE,
    ) -> MetricSeries:
        """Buckets from the one that holds `start` (default: an hour before `end`) to the one that holds `end` (default:
        now), that of the running minute included. Raises NotFound, Invalid."""
        if end is None and start is not None and start > self._clock():
            raise Invalid.at("from", "from must not lie in the future")
        end = end or self._clock()
        start = start or max(end, _EARLIEST + DEFAULT_RANGE) - DEFAULT_RANGE
        _check_range(start, end, resolution)
        deployment = await self._deployment_of(who, deployment_id)
        first = bucket_start(start, resolution)
        async with self._moving:
            async with self._database.session() as session:
                rows = await stored.read(session, deployment.id, resolution, first, end)
            self._collect_requests()
            buckets = dict(rows)
            for (owner, minute), bucket in self._waiting.items():
                if owner == deployment.id:
                    at = bucket_start(datetime.fromtimestamp(minute * _MINUTE, UTC), resolution)
                    if first <= at <= end:
                        buckets.setdefault(at, Bucket()).add(bucket)
        return _series(sorted(buckets.items(), key=lambda item: item[0]))

    # --- gathering

    def gather(self, usages: list[DeploymentUsage]) -> None:
        """Take up what was measured."""
        for usage in usages:
            for minute, weight in _minutes_between(usage.start, usage.end):
                self._bucket(usage.deployment_id, minute).add(
                    Bucket(
                        cpu_sum=usage.cpu_cores * weight,
                        memory_sum=float(usage.memory_bytes) * weight,
                        weight=weight,
                        requests=0,
                    )
                )

    def _collect_requests(self) -> None:
        for (deployment_id, minute), count in self._counter.take().items():
            self._bucket(deployment_id, minute).add(Bucket(requests=count))

    def _bucket(self, deployment_id: str, minute: int) -> Bucket:
        bucket = self._waiting.get((deployment_id, minute))
        if bucket is None:
            bucket = self._waiting[deployment_id, minute] = Bucket()
            if len(self._waiting) > MAX_WAITING:
                del self._waiting[next(iter(self._waiting))]
        return bucket

    # --- storing

    async def flush(self) -> None:
        """Add what was gathered to storage, in one transaction: all of it, or nothing and it waits on. Raises
        Unavailable."""
        async with self._moving:
            self._collect_requests()
            moving, self._waiting = self._waiting, {}
            if not moving:
                return
            try:
                await self._store(moving)
            except Exception:
                newer, self._waiting = self._waiting, moving
                for (deployment_id, minute), bucket in newer.items():
                    self._bucket(deployment_id, minute).add(bucket)
                raise

    async def _store(self, minutes: _Minutes) -> None:
        rolled: dict[BucketKey, Bucket] = {}
        for (deployment_id, minute), bucket in minutes.items():
            at = datetime.fromtimestamp(minute * _MINUTE, UTC)
            for resolution in Resolution:
                key = BucketKey(deployment_id, resolution, bucket_start(at, resolution))
                rolled.setdefault(key, Bucket()).add(bucket)
        async with self._database.transaction() as session:
            tenants = await stored.owners(session, {deployment_id for deployment_id, _ in minutes})
            await stored.add(session, rolled, tenants)

    async def purge(self) -> None:
        """Drop what is older than its retention, and what belongs to deployments that are gone."""
        now = self._clock()
        async with self._database.transaction() as session:
            await stored.purge(session, [(resolution, now - age) for resolution, age in self._retention.items()])

    async def _run(self) -> NoReturn:
        flushes = 0
        while True:
            # Shortly after the minute, so that most flushes write whole minutes.
            now = self._clock().timestamp()
            await asyncio.sleep(FLUSH_SECONDS - now % FLUSH_SECONDS + 0.5)
            try:
                await self.flush()
                if flushes % FLUSHES_PER_PURGE == 0:
                    await self.purge()
                flushes += 1
            except DomainError as error:
                log.warning("metrics wait in memory: %s", error.message)
            except Exception:
                log.exception("storing metrics failed")


def _minutes_between(start: datetime, end: datetime) -> list[tuple[int, int]]:
    """The minutes that an interval touches, each with the milliseconds within it."""
    at, last = int(start.timestamp() * 1000), int(end.timestamp() * 1000)
    parts = []
    while at < last:
        minute = at // 60_000
        border = min((minute + 1) * 60_000, last)
        parts.append((minute, border - at))
        at = border
    return parts


def _check_range(start: datetime, end: datetime, resolution: Resolution) -> None:
    if start > end:
        raise Invalid.at("from", "from must not be later than to")
    points = int((end - start).total_seconds() // resolution.seconds) + 1
    if points > MAX_POINTS:
        raise Invalid.at(
            "resolution",
            f"{points} points of {resolution.value} are too many (at most {MAX_POINTS}): "
            "choose a coarser resolution or a shorter range",
        )


def _series(buckets: list[tuple[datetime, Bucket]]) -> MetricSeries:
    return MetricSeries(
        cpu=[Point(at, b.cpu_sum / b.weight) for at, b in buckets if b.weight],
        memory=[Point(at, b.memory_sum / b.weight) for at, b in buckets if b.weight],
        requests=[Point(at, float(b.requests)) for at, b in buckets if b.requests is not None],
    )
