"""Metric series: exact roll-ups, gaps, bounds, and what a crash or an outage costs; over real SQLite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backend.domain.accounts import Principal
from backend.domain.deployments import Deployment
from backend.domain.engine import UsageSample
from backend.domain.errors import Invalid, NotFound, Unavailable
from backend.domain.ingress import RequestRecord
from backend.domain.metrics import Resolution
from backend.engines.docker import DockerEngine
from backend.ingress.caddy import CaddyIngress
from backend.services.metrics import MetricService
from backend.services.replicas import ReplicaView
from backend.services.request_counter import RequestCounter
from backend.services.usage_sampler import DeploymentUsage, UsageSampler, cpu_rate
from backend.storage.database import Database
from backend.storage.tables import DeploymentRow, TenantRow
from tests.services.running_replicas import eventually, make_deployment, make_principal, running_replicas

NOON = datetime(2025, 1, 1, 12, 0, 0, tzinfo=UTC)
MB = 2**20


@dataclass
class Bench:
    """A metric service whose clock is set by hand."""

    database: Database
    who: Principal
    deployment: Deployment
    counter: RequestCounter
    metrics: MetricService
    now: datetime

    def use(self, start: datetime, seconds: float, cpu: float, memory: int = MB) -> None:
        end = start + timedelta(seconds=seconds)
        self.metrics.gather([DeploymentUsage(self.deployment.id, start, end, cpu, memory, 0)])

    def request(self, at: datetime) -> None:
        self.counter.count(RequestRecord(at, "web.localhost", 200, 0.01, None, 1))

    async def deployment_of(self, who: Principal, deployment_id: str) -> Deployment:
        if who.tenant_id != self.deployment.tenant_id or deployment_id != self.deployment.id:
            raise NotFound(f"there is no deployment {deployment_id!r}")
        return self.deployment

    def service(self) -> MetricService:
        """Another backend on the same storage."""
        engine = DockerEngine("unused")
        sampler = UsageSampler(engine, ReplicaView(engine), self.counter)
        return MetricService(self.database, sampler, self.counter, self.deployment_of, clock=lambda: self.now)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    database = Database.at(tmp_path / "test.db")
    await database.start()
    who = make_principal()
    deployment = make_deployment(who.tenant_id)
    await store(database, deployment)
    ingress = CaddyIngress(tmp_path / "run", tmp_path / "log", port=1)
    counter = RequestCounter(ingress, {"web.localhost": deployment.id}.get)
    made = Bench(database, who, deployment, counter, None, NOON)  # type: ignore[arg-type]
    made.metrics = made.service()
    yield made
    await database.close()


async def store(database: Database, deployment: Deployment) -> None:
    at = deployment.created_at
    async with database.transaction() as session:
        session.add(
            TenantRow(id=deployment.tenant_id, short_id=f"tnt-{deployment.short_id[4:]}", name="t", created_at=at)
        )
        await session.flush()
        session.add(
            DeploymentRow(
                id=deployment.id,
                short_id=deployment.short_id,
                tenant_id=deployment.tenant_id,
                created_by=deployment.created_by,
                app_name=deployment.app_name,
                desired="running",
                replicas=1,
                generation=1,
                status="running",
                created_at=at,
                updated_at=at,
            )
        )


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


async def test_buckets_are_averages_and_counts_with_gaps(bench: Bench) -> None:
    bench.use(NOON, 30, 1.0, 100 * MB)
    bench.use(NOON + timedelta(seconds=30), 30, 0.5, 300 * MB)
    bench.use(NOON + minutes(2), 12, 0.25)
    bench.request(NOON + timedelta(seconds=1))
    bench.request(NOON + minutes(2))
    bench.request(NOON + minutes(2))
    bench.now = NOON + minutes(3)
    before = await bench.metrics.series(bench.who, bench.deployment.id)
    await bench.metrics.flush()
    stored = await bench.metrics.series(bench.who, bench.deployment.id)
    assert before == stored
    assert [(p.at, p.value) for p in stored.cpu] == [(NOON, 0.75), (NOON + minutes(2), 0.25)]
    assert [p.value for p in stored.memory] == [200 * MB, MB]
    assert [(p.at, p.value) for p in stored.requests] == [(NOON, 1.0), (NOON + minutes(2), 2.0)]


async def test_coarser_buckets_are_exact_whatever_the_interval_was(bench: Bench) -> None:
    for second in range(0, 60, 2):  # somebody watched
        bench.use(NOON + timedelta(seconds=second), 2, 1.0)
    for second in range(60, 120, 12):
        bench.use(NOON + timedelta(seconds=second), 12, 0.5)
    await bench.metrics.flush()
    bench.use(NOON + minutes(2), 60, 0.0)
    bench.now = NOON + minutes(4)
    for resolution in (Resolution.FIVE_MINUTES, Resolution.HOUR, Resolution.DAY):
        series = await bench.metrics.series(bench.who, bench.deployment.id, NOON, bench.now, resolution)
        assert [p.value for p in series.cpu] == [pytest.approx(0.5)]
    assert series.cpu[0].at == datetime(2025, 1, 1, tzinfo=UTC)


async def test_an_interval_is_shared_among_the_minutes_that_it_touches(bench: Bench) -> None:
    bench.use(NOON + timedelta(seconds=50), 12, 1.0)
    bench.use(NOON + timedelta(seconds=62), 2, 0.0)
    bench.now = NOON + minutes(2)
    series = await bench.metrics.series(bench.who, bench.deployment.id)
    assert [p.value for p in series.cpu] == [1.0, 0.5]


async def test_a_restart_within_a_minute_adds_to_its_bucket(bench: Bench) -> None:
    bench.use(NOON, 20, 1.0)
    bench.request(NOON)
    await bench.metrics.close()
    bench.metrics = bench.service()
    bench.use(NOON + timedelta(seconds=20), 20, 0.5)
    bench.request(NOON + timedelta(seconds=30))
    await bench.metrics.close()
    bench.now = NOON + minutes(1)
    series = await bench.service().series(bench.who, bench.deployment.id)
    assert [p.value for p in series.cpu] == [0.75]
    assert [p.value for p in series.requests] == [2.0]


async def test_what_storage_refuses_waits_and_is_stored_once(bench: Bench, tmp_path: Path) -> None:
    broken = Database.at(tmp_path / "missing" / "nowhere.db")
    good, bench.database = bench.database, broken
    bench.metrics = bench.service()
    bench.use(NOON, 60, 1.0)
    with pytest.raises(Unavailable):
        await bench.metrics.flush()
    bench.use(NOON, 60, 0.0)
    bench.metrics._database = bench.database = good
    await bench.metrics.flush()
    await bench.metrics.flush()
    bench.now = NOON + minutes(1)
    series = await bench.metrics.series(bench.who, bench.deployment.id)
    assert [p.value for p in series.cpu] == [0.5]
    await broken.close()


async def test_bounds(bench: Bench) -> None:
    who, deployment_id = bench.who, bench.deployment.id
    with pytest.raises(Invalid, match="from"):
        await bench.metrics.series(who, deployment_id, NOON + minutes(1), NOON)
    with pytest.raises(Invalid, match="too many"):
        await bench.metrics.series(who, deployment_id, NOON - timedelta(days=8), NOON)
    await bench.metrics.series(who, deployment_id, NOON - timedelta(days=8), NOON, Resolution.HOUR)
    with pytest.raises(NotFound):
        await bench.metrics.series(make_principal(), deployment_id)


async def test_the_range_is_inclusive_of_its_buckets(bench: Bench) -> None:
    for minute in range(5):
        bench.use(NOON + minutes(minute), 60, float(minute))
    await bench.metrics.flush()
    series = await bench.metrics.series(bench.who, bench.deployment.id, NOON + minutes(1.5), NOON + minutes(3))
    assert [p.value for p in series.cpu] == [1.0, 2.0, 3.0]


async def test_retention_and_deleted_deployments(bench: Bench) -> None:
    bench.use(NOON, 60, 1.0)
    other = replace(make_deployment(make_principal().tenant_id, "other"))
    bench.metrics.gather([DeploymentUsage(other.id, NOON, NOON + minutes(1), 1.0, MB, 0)])
    await bench.metrics.flush()  # the other one is not stored: it is not there
    bench.now = NOON + timedelta(hours=25)
    await bench.metrics.purge()
    start = NOON - minutes(1)
    fine = await bench.metrics.series(bench.who, bench.deployment.id, start, NOON + minutes(5))
    coarse = await bench.metrics.series(bench.who, bench.deployment.id, start, bench.now, Resolution.FIVE_MINUTES)
    assert (len(fine.cpu), len(coarse.cpu)) == (0, 1)
    bench.now = NOON + timedelta(days=800)
    await bench.metrics.purge()
    daily = await bench.metrics.series(bench.who, bench.deployment.id, start, bench.now, Resolution.DAY)
    assert list(daily.cpu) == []


def sample(seconds: float, cpu: float) -> UsageSample:
    return UsageSample("c", NOON + timedelta(seconds=seconds), cpu, MB, None)


def test_cpu_rates_survive_restarts_and_gaps() -> None:
    long_ago = NOON - timedelta(days=1)
    assert cpu_rate(sample(0, 10.0), sample(2, 11.0), long_ago) == (0.5, NOON)
    # restarted between the looks: counted from its start
    start = NOON + timedelta(seconds=8)
    assert cpu_rate(sample(0, 10.0), sample(10, 1.0), start) == (0.5, start)
    assert cpu_rate(sample(0, 10.0), sample(10, 11.0), start) == (5.5, start)
    # seen for the first time
    assert cpu_rate(None, sample(10, 1.0), start) == (0.5, start)
    assert cpu_rate(None, sample(10, 1.0), long_ago) is None
    # too far apart, and too near
    assert cpu_rate(sample(0, 10.0), sample(600, 11.0), long_ago) is None
    assert cpu_rate(sample(0, 10.0), sample(0, 10.0), long_ago) is None


async def test_real_replicas_are_measured(bench: Bench) -> None:
    async with running_replicas() as app:
        sampler = UsageSampler(app.engine, app.view, bench.counter, watched_seconds=0.2)
        looks: list[list[DeploymentUsage]] = []
        sampler.on_sample(looks.append)
        await app.run("while :; do :; done")
        await app.run("while :; do sleep 1; done")
        await sampler.start()
        try:
            with sampler.watch():

                def busy() -> bool:
                    latest = sampler.latest(app.deployment.id)
                    return latest is not None and latest.cpu_cores > 0.05 and latest.memory_bytes > 0

                await eventually(busy, "one replica is busy")
                for container in app.view.of(app.deployment.id):
                    await app.engine.remove_container(container.id)
                await eventually(lambda: sampler.latest(app.deployment.id) is None, "what is gone uses nothing")
        finally:
            await sampler.close()
        assert any(usages and usages[0].deployment_id == app.deployment.id for usages in looks)
