"""Logs of real containers: merged, followed, resumed, and shared by viewers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import docker
import pytest

from backend.domain.engine import ContainerPhase
from backend.domain.errors import EngineUnavailable, Invalid, NotFound
from backend.domain.logs import LogLevel, LogQuery, LogRecord
from backend.services.logs import LogService
from tests.services.running_replicas import (
    DEADLINE,
    BreakableEngineSocket,
    RunningReplicas,
    eventually,
    make_principal,
    running_replicas,
)


@pytest.fixture
async def app() -> AsyncIterator[RunningReplicas]:
    async with running_replicas() as running:
        yield running


@pytest.fixture
def logs(app: RunningReplicas) -> LogService:
    return LogService(app.engine, app.view, app.deployment_of)


WAIT = "; while :; do sleep 1; done"


async def fetched(app: RunningReplicas, logs: LogService, count: int, query: LogQuery | None = None) -> list[LogRecord]:
    """Fetch until so many records are there."""
    query = query or LogQuery(None)
    async with asyncio.timeout(DEADLINE):
        while True:
            found = await logs.fetch(app.who, app.deployment.id, query)
            if len(found) >= count:
                return found
            await asyncio.sleep(0.05)


async def followed(
    app: RunningReplicas, logs: LogService, count: int, *, tail: int | None = 0, cursor: str | None = None
) -> list[LogRecord]:
    """Follow until so many records came."""
    records: list[LogRecord] = []
    async with (
        asyncio.timeout(DEADLINE),
        aclosing(logs.follow(app.who, app.deployment.id, tail=tail, cursor=cursor)) as batches,
    ):
        async for batch in batches:
            assert batch.dropped == 0
            records += batch.records
            if len(records) >= count:
                break
    return records


def texts(records: list[LogRecord]) -> list[str]:
    return [record.message for record in records]


async def test_fetch_merges_replicas_in_time_order_and_includes_stopped_ones(
    app: RunningReplicas, logs: LogService
) -> None:
    first = await app.run("echo one; echo '[error] two' >&2" + WAIT)
    await fetched(app, logs, 2)
    second = await app.run("echo three" + WAIT)
    await fetched(app, logs, 3)
    await app.engine.stop_container(second.id, 1)
    records = await logs.fetch(app.who, app.deployment.id, LogQuery(None))
    assert sorted(texts(records)[:2]) == ["[error] two", "one"]
    assert texts(records)[2:] == ["three"]
    assert [record.timestamp for record in records] == sorted(record.timestamp for record in records)
    error = next(record for record in records if "two" in record.message)
    assert (error.level, error.stream, error.replica, error.source) == (LogLevel.ERROR, "stderr", first.name, "app")
    assert records[-1].replica == second.name


async def test_tail_counts_over_all_replicas(app: RunningReplicas, logs: LogService) -> None:
    for _ in range(2):
        await app.run("seq 1 50" + WAIT)
    every = await fetched(app, logs, 100)
    assert await logs.fetch(app.who, app.deployment.id, LogQuery(7)) == every[-7:]
    assert await logs.fetch(app.who, app.deployment.id, LogQuery(0)) == []


async def test_since_and_until_bound_the_tail(app: RunningReplicas, logs: LogService) -> None:
    await app.run("echo a; sleep 0.3; echo b; sleep 0.3; echo c" + WAIT)
    every = await fetched(app, logs, 3)
    until = LogQuery(1, until=every[1].timestamp)
    assert texts(await logs.fetch(app.who, app.deployment.id, until)) == ["b"]
    since = LogQuery(None, since=every[1].timestamp)
    assert texts(await logs.fetch(app.who, app.deployment.id, since)) == ["b", "c"]


async def test_another_tenants_logs_are_not_found(app: RunningReplicas, logs: LogService) -> None:
    stranger = make_principal()
    with pytest.raises(NotFound):
        await logs.fetch(stranger, app.deployment.id, LogQuery())
    with pytest.raises(NotFound):
        await anext(logs.follow(stranger, app.deployment.id))


async def test_bad_bounds_are_invalid(app: RunningReplicas, logs: LogService) -> None:
    now = datetime.now(UTC)
    with pytest.raises(Invalid):
        await logs.fetch(app.who, app.deployment.id, LogQuery(-1))
    with pytest.raises(Invalid):
        await logs.fetch(app.who, app.deployment.id, LogQuery(1, now, now - timedelta(seconds=1)))
    for cursor in ("nonsense", "x" * 100_000, "abcdefabcdef-1"):
        with pytest.raises(Invalid):
            await anext(logs.follow(app.who, app.deployment.id, cursor=cursor))


async def test_follow_gives_history_then_live_without_loss_or_repeat(app: RunningReplicas, logs: LogService) -> None:
    await app.run("i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo $i; done" + WAIT)
    records = await followed(app, logs, 3000, tail=None)
    assert texts(records) == [str(number) for number in range(1, 3001)]
    await eventually(lambda: logs.followed_containers == 0, "nobody looks, nothing is followed")


async def test_a_cursor_resumes_from_any_record(app: RunningReplicas, logs: LogService) -> None:
    for _ in range(3):
        await app.run("seq 1 400" + WAIT)
    every = await fetched(app, logs, 1200)
    for at in (0, 1, 399, 700, 1198):
        rest = await followed(app, logs, 1199 - at, cursor=every[at].cursor)
        assert [(r.replica, r.message) for r in rest] == [(r.replica, r.message) for r in every[at + 1 :]]


async def test_a_live_cursor_resumes_while_lines_are_written(app: RunningReplicas, logs: LogService) -> None:
    for _ in range(2):
        await app.run("i=0; while [ $i -lt 600 ]; do i=$((i+1)); echo $i; usleep 1000; done" + WAIT)
    records: list[LogRecord] = []
    cursor = None
    while len(records) < 1200:
        part = await followed(app, logs, min(100, 1200 - len(records)), tail=None, cursor=cursor)
        records += part
        cursor = part[-1].cursor
    for name in {record.replica for record in records}:
        assert [r.message for r in records if r.replica == name] == [str(n) for n in range(1, 601)]


async def test_replicas_that_come_and_go_are_followed(app: RunningReplicas, logs: LogService) -> None:
    await app.run("echo first" + WAIT)
    await fetched(app, logs, 1)
    async with asyncio.timeout(DEADLINE), aclosing(logs.follow(app.who, app.deployment.id)) as batches:
        assert texts((await anext(batches)).records) == ["first"]
        short = await app.run("echo second; exit 3")
        # The engine restarts what exits: it may have spoken twice by now.
        assert set(texts((await anext(batches)).records)) == {"second"}
        await eventually(lambda: app.find(short.id) is not None, "it exited")
        await app.engine.remove_container(short.id)
        await app.run("echo third" + WAIT)
        seen: list[str] = []
        while "third" not in seen:
            seen += texts((await anext(batches)).records)
        assert set(seen) <= {"second", "third"}
        await eventually(lambda: logs.followed_containers == 2, "the removed one is let go of")


async def test_a_restarted_container_goes_on(app: RunningReplicas, logs: LogService) -> None:
    container = await app.run("echo up" + WAIT)
    await fetched(app, logs, 1)
    async with asyncio.timeout(DEADLINE), aclosing(logs.follow(app.who, app.deployment.id)) as batches:
        assert texts((await anext(batches)).records) == ["up"]
        await app.engine.stop_container(container.id, 1)
        await eventually(lambda: app.view.of(app.deployment.id)[0].phase is ContainerPhase.EXITED, "it stopped")
        await app.engine.start_container(container.id)
        assert texts((await anext(batches)).records) == ["up"]


async def test_an_engine_that_went_away_is_waited_for(tmp_path: Path) -> None:
    way = BreakableEngineSocket(tmp_path / "engine.sock")
    await way.restore()
    async with running_replicas(way.url) as app:
        logs = LogService(app.engine, app.view, app.deployment_of)
        await app.run("i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo $i; usleep 5000; done" + WAIT)
        seen: list[str] = []
        async with asyncio.timeout(DEADLINE), aclosing(logs.follow(app.who, app.deployment.id, tail=None)) as batches:
            async for batch in batches:
                assert batch.dropped == 0
                seen += texts(batch.records)
                if seen[-1] == "300":
                    break
                if app.view.engine_up and len(seen) < 100:
                    way.cut()
                    await eventually(lambda: not app.view.engine_up, "the loss is noticed")
                    with pytest.raises(EngineUnavailable):
                        await logs.fetch(app.who, app.deployment.id, LogQuery())
                    await way.restore()
                    await eventually(lambda: app.view.engine_up, "the engine is back")
        assert seen == [str(number) for number in range(1, 301)]


async def test_viewers_share_one_follower_and_a_slow_one_drops_alone(app: RunningReplicas) -> None:
    logs = LogService(app.engine, app.view, app.deployment_of, queue_lines=100)
    wait_for_signal = "trap 'go=1' USR1; echo 0; until [ \"$go\" ]; do sleep 0.1; done"
    container = await app.run(f"{wait_for_signal}; seq 1 2000; echo end" + WAIT)
    await fetched(app, logs, 1)
    async with (
        asyncio.timeout(DEADLINE),
        aclosing(logs.follow(app.who, app.deployment.id)) as slow,
        aclosing(logs.follow(app.who, app.deployment.id)) as quick,
    ):
        assert texts((await anext(slow)).records) == ["0"]
        assert texts((await anext(quick)).records) == ["0"]
        # Only now, for what is there when one begins to look does not count against the queue.
        await asyncio.to_thread(docker.from_env().api.kill, container.id, signal="USR1")
        seen, lost = 0, 0
        async for batch in quick:
            seen, lost = seen + len(batch.records), lost + batch.dropped
            if batch.records[-1].message == "end":
                break
        assert seen + lost == 2001
        assert logs.followed_containers == 1
        late = await anext(slow)
        assert late.dropped == 1901
        assert texts(late.records) == [*(str(number) for number in range(1902, 2001)), "end"]


async def test_follow_ends_at_until(app: RunningReplicas, logs: LogService) -> None:
    await app.run("echo a" + WAIT)
    await fetched(app, logs, 1)
    until = datetime.now(UTC) + timedelta(seconds=0.3)
    async with asyncio.timeout(DEADLINE):
        batches = [batch async for batch in logs.follow(app.who, app.deployment.id, until=until)]
    assert [texts(batch.records) for batch in batches] == [["a"]]
