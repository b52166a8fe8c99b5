"""The live feed: snapshot, numbered deltas, sharing, slow viewers; with real containers and a real journal bus."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backend.domain.accounts import Principal
from backend.domain.deployments import Deployment, DeploymentState, DeploymentStatus, Health
from backend.domain.errors import Unavailable
from backend.domain.journal import JournalEntry, JournalKind
from backend.ingress.caddy import CaddyIngress
from backend.services.event_bus import EventBus, Lagged
from backend.services.live import MAX_WAITING, LiveDelta, LiveFeed, LiveService, LiveSnapshot
from backend.services.request_counter import RequestCounter
from backend.services.system import PartState, PartStatus, SystemStatus
from backend.services.usage_sampler import UsageSampler
from tests.services.running_replicas import (
    DEADLINE,
    RunningReplicas,
    eventually,
    make_deployment,
    make_principal,
    running_replicas,
)

OK = PartStatus(PartState.OK, "ok")


def state_of(deployment: Deployment) -> DeploymentState:
    return DeploymentState(deployment.status, "", deployment.message, None, Health.UNKNOWN, 1, 0, 0, 0, 0, None, ())


@dataclass
class Bench:
    app: RunningReplicas
    bus: EventBus
    live: LiveService
    sampler: UsageSampler
    rows: dict[str, Deployment] = field(default_factory=dict)
    loads: list[frozenset[str] | None] = field(default_factory=list)
    away: bool = False
    system: SystemStatus = field(default_factory=lambda: SystemStatus(OK, OK, OK, None))

    async def load(self, tenant_id: str, ids: frozenset[str] | None) -> list[tuple[Deployment, DeploymentState]]:
        self.loads.append(ids)
        if self.away:
            raise Unavailable("storage does not answer")
        rows = [row for row in self.rows.values() if row.tenant_id == tenant_id and (ids is None or row.id in ids)]
        return [(row, state_of(row)) for row in rows]

    async def status(self) -> SystemStatus:
        return self.system

    def put(self, deployment: Deployment) -> None:
        """Store it and say so in the journal."""
        self.rows[deployment.id] = deployment
        self.tell(deployment)

    def tell(self, deployment: Deployment) -> None:
        now = datetime.now(UTC)
        self.bus.publish(
            JournalEntry(
                1,
                deployment.tenant_id,
                deployment.id,
                deployment.short_id,
                1,
                JournalKind.STATUS_CHANGED,
                "system",
                "",
                {},
                now,
            )
        )


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with running_replicas() as app:
        bus = EventBus()
        counter = RequestCounter(CaddyIngress(tmp_path / "run", tmp_path / "log", port=1), {}.get)
        sampler = UsageSampler(app.engine, app.view, counter, watched_seconds=0.2)
        made = Bench(app, bus, None, sampler)  # type: ignore[arg-type]
        made.live = LiveService(bus, app.view, sampler, made.load, made.status, gather_seconds=0.05, status_seconds=0.1)
        yield made
        await sampler.close()
        await made.live.close()


class Viewer:
    """Reads a feed and applies what comes, as a client does."""

    def __init__(self, feed: LiveFeed) -> None:
        self._frames = aiter(feed)
        self.seq = -1
        self.shown: dict[str, Deployment] = {}
        self.system: SystemStatus | None = None

    async def next(self) -> LiveSnapshot | LiveDelta:
        async with asyncio.timeout(DEADLINE):
            frame = await anext(self._frames)
        if isinstance(frame, LiveSnapshot):
            self.shown = {}
            self.seq = frame.seq
        else:
            assert frame.seq == self.seq + 1
            self.seq += 1
        self.shown.update((item[0].id, item[0]) for item in frame.items)
        for gone in frame.removed if isinstance(frame, LiveDelta) else ():
            del self.shown[gone]
        self.system = frame.system or self.system
        return frame


def of(bench: Bench, who: Principal | None = None, name: str = "web") -> Deployment:
    return make_deployment((who or bench.app.who).tenant_id, name)


async def test_a_snapshot_then_what_changes(bench: Bench) -> None:
    first = of(bench)
    bench.put(first)
    async with bench.live.open(bench.app.who) as feed:
        viewer = Viewer(feed)
        snapshot = await viewer.next()
        assert isinstance(snapshot, LiveSnapshot)
        assert viewer.shown == {first.id: first}
        assert snapshot.system == bench.system

        second = of(bench, name="api")
        bench.put(second)
        delta = await viewer.next()
        assert isinstance(delta, LiveDelta)
        assert [item[0] for item in delta.items] == [second]

        del bench.rows[first.id]
        bench.tell(first)
        delta = await viewer.next()
        assert isinstance(delta, LiveDelta)
        assert delta.removed == (first.id,)
        assert viewer.shown == {second.id: second}


async def test_many_changes_are_gathered_and_only_what_changed_is_loaded(bench: Bench) -> None:
    apps = [of(bench, name=f"app-{number}") for number in range(20)]
    bench.rows = {app.id: app for app in apps}
    async with bench.live.open(bench.app.who) as feed:
        viewer = Viewer(feed)
        await viewer.next()
        for message in ("one", "two", "three"):
            for app in apps[:3]:
                bench.put(replace(app, message=message))
        bench.tell(apps[5])  # nothing about it changed
        delta = await viewer.next()
        assert {item[0].id for item in delta.items} == {app.id for app in apps[:3]}
        assert {item[0].message for item in delta.items} == {"three"}
        assert bench.loads == [None, frozenset(app.id for app in [*apps[:3], apps[5]])]


async def test_viewers_of_a_tenant_share_one_computation(bench: Bench) -> None:
    app = of(bench)
    bench.rows[app.id] = app
    async with bench.live.open(bench.app.who) as one, bench.live.open(bench.app.who) as two:
        first, second = Viewer(one), Viewer(two)
        await first.next()
        await second.next()
        bench.put(replace(app, status=DeploymentStatus.FAILED))
        assert await first.next() is await second.next()
        assert len(bench.loads) == 2
        assert bench.live.watched_tenants == 1
    assert bench.live.watched_tenants == 0
    bench.put(app)
    assert len(bench.loads) == 2


async def test_tenants_do_not_see_each_other(bench: Bench) -> None:
    stranger = make_principal()
    async with bench.live.open(stranger) as feed, bench.live.open(bench.app.who) as own:
        viewer, mine = Viewer(feed), Viewer(own)
        await viewer.next()
        await mine.next()
        bench.put(of(bench))
        await mine.next()
        theirs = of(bench, stranger)
        bench.put(theirs)
        await viewer.next()
        assert viewer.shown == {theirs.id: theirs}


async def test_containers_that_change_are_noticed_and_measured(bench: Bench) -> None:
    app = bench.app.deployment
    bench.rows[app.id] = app
    await bench.sampler.start()
    async with bench.live.open(bench.app.who) as feed:
        viewer = Viewer(feed)
        await viewer.next()
        loads = len(bench.loads)
        container = await bench.app.run("while :; do sleep 1; done")
        await eventually(lambda: len(bench.loads) > loads, "the container's start is noticed")
        assert bench.loads[-1] == frozenset({app.id})
        while not (frame := await viewer.next()).metrics:
            pass
        assert frame.metrics[0].deployment_id == app.id
        assert frame.metrics[0].memory_bytes > 0
        await bench.app.engine.remove_container(container.id)
        while not (frame := await viewer.next()).metrics or frame.metrics[0].memory_bytes:
            pass
        assert frame.metrics[0].cpu_cores == 0.0


async def test_a_change_of_the_system_is_sent(bench: Bench) -> None:
    async with bench.live.open(bench.app.who) as feed:
        viewer = Viewer(feed)
        await viewer.next()
        bench.system = replace(bench.system, engine=PartStatus(PartState.DOWN, "start it"))
        await viewer.next()
        assert viewer.system == bench.system


async def test_resync_gives_a_snapshot_in_place_of_what_waits(bench: Bench) -> None:
    async with bench.live.open(bench.app.who) as feed, bench.live.open(bench.app.who) as other:
        viewer, quick = Viewer(feed), Viewer(other)
        await viewer.next()
        await quick.next()
        for name in ("a", "b"):
            bench.put(of(bench, name=name))
            await quick.next()
        feed.resync()
        assert isinstance(await viewer.next(), LiveSnapshot)
        assert (viewer.seq, len(viewer.shown)) == (quick.seq, 2)
        bench.put(of(bench, name="c"))
        await viewer.next()
        assert len(viewer.shown) == 3


async def test_a_viewer_that_is_too_slow_is_let_go_and_others_are_not(bench: Bench) -> None:
    async with bench.live.open(bench.app.who) as slow, bench.live.open(bench.app.who) as other:
        await Viewer(slow).next()
        quick = Viewer(other)
        await quick.next()
        bench.live.gather_seconds = 0.0
        for number in range(MAX_WAITING + 1):
            bench.put(of(bench, name=f"app-{number}"))
            await quick.next()
        with pytest.raises(Lagged):
            await Viewer(slow).next()
        assert len(quick.shown) == MAX_WAITING + 1


async def test_storage_that_was_away_is_caught_up_with(bench: Bench) -> None:
    async with bench.live.open(bench.app.who) as feed:
        viewer = Viewer(feed)
        await viewer.next()
        bench.away = True
        app = of(bench)
        bench.put(app)
        await eventually(lambda: len(bench.loads) > 1, "it was tried")
        bench.away = False
        await viewer.next()
        assert viewer.shown == {app.id: app}


async def test_storage_that_is_away_at_first_is_told(bench: Bench) -> None:
    bench.away = True
    with pytest.raises(Unavailable):
        async with bench.live.open(bench.app.who):
            raise AssertionError("it opened")
    bench.away = False
    async with bench.live.open(bench.app.who) as feed:
        assert isinstance(await Viewer(feed).next(), LiveSnapshot)
