"""Never more than the limit in any minute, whoever counts, and whatever becomes of Redis."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from backend.domain.errors import Unavailable
from backend.domain.rate_limits import WINDOW_SECONDS, RateClass
from backend.rate_limiting import limits_of
from backend.services.rate_limits import DEFAULT_LIMITS, ProcessWindows, RateLimiter
from backend.setting_parsers import Rejected, as_rate_limits
from backend.storage.redis_windows import PREFIX, RedisWindows
from tests.services.redis_server import RedisServer

READ = ("container-engine", RateClass.READ)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


# --- in the process


@given(
    limit=st.integers(1, 12),
    # Eighths of seconds add up exactly.
    steps=st.lists(
        st.tuples(st.integers(0, 400).map(lambda eighths: eighths / 8), st.sampled_from("ab")), max_size=120
    ),
)
def test_no_minute_has_more_than_the_limit(limit: int, steps: list[tuple[float, str]]) -> None:
    clock = Clock()
    windows = ProcessWindows(clock=clock)
    let_in: dict[str, list[float]] = {"a": [], "b": []}
    for pause, caller in steps:
        clock.now += pause
        recent = [at for at in let_in[caller] if at > clock.now - WINDOW_SECONDS]
        found = windows.take(caller, limit)
        # Exactly as many as fit, so never too few either.
        assert found.allowed == (len(recent) < limit)
        if found.allowed:
            let_in[caller].append(clock.now)
            recent.append(clock.now)
        assert found.limit == limit
        assert found.remaining == limit - len(recent)
        assert found.reset_after == recent[0] + WINDOW_SECONDS - clock.now
        assert 0 < found.reset_after <= WINDOW_SECONDS


def test_a_refused_caller_may_ask_again_when_told() -> None:
    clock = Clock()
    windows = ProcessWindows(clock=clock)
    for _ in range(3):
        clock.now += 7
        assert windows.take("a", 3).allowed
    refused = windows.take("a", 3)
    assert not refused.allowed
    clock.now += refused.reset_after - 0.5
    assert not windows.take("a", 3).allowed
    clock.now += 0.5
    assert windows.take("a", 3).allowed


def test_a_limit_that_was_lowered() -> None:
    clock = Clock()
    windows = ProcessWindows(clock=clock)
    for _ in range(5):
        windows.take("a", 5)
        clock.now += 1
    refused = windows.take("a", 2)
    assert (refused.allowed, refused.remaining) == (False, 0)
    clock.now += refused.reset_after
    assert windows.take("a", 2).allowed


def test_memory_is_bounded() -> None:
    clock = Clock()
    windows = ProcessWindows(max_callers=100, clock=clock)
    for number in range(1000):
        windows.take(str(number), 5)
    assert len(windows) == 100
    clock.now += WINDOW_SECONDS
    windows.take("one", 5)
    assert len(windows) == 1, "who was idle for a whole window is forgotten"


def test_a_busy_caller_is_not_forgotten_before_idle_ones() -> None:
    clock = Clock()
    windows = ProcessWindows(max_callers=10, clock=clock)
    for number in range(50):
        clock.now += 0.1
        windows.take(str(number), 1000)
        windows.take("busy", 1000)
    assert windows.take("busy", 1000).remaining == 1000 - 51


# --- which limits hold


def test_documented_limits() -> None:
    assert {kind.value: limit for kind, limit in DEFAULT_LIMITS.items()} == {
        "authentication": 10,
        "deployment_operations": 30,
        "read": 100,
        "logs_and_metrics": 60,
    }
    assert limits_of(())[READ] == 100


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("none", 0),
        ("read=7", 7),
        ("all=500, read=9", 9),
        ("read=9, all=500", 500),
        ("container-engine.read=3", 3),
        ("authentication=1", 100),
        (["all=none"], 0),
        ({"read": 8}, 8),
        ({"container-engine": {"read": 6}, "all": 5}, 5),
        ({"all": 5, "container-engine": {"read": 6}}, 6),
    ],
)
def test_settings_change_limits(raw: object, expected: int) -> None:
    assert limits_of(as_rate_limits(raw))[READ] == expected


@pytest.mark.parametrize("raw", ["read", "read=", "read=-1", "read=x", "writes=1", "nowhere.read=1", "=1", 5, ["read"]])
def test_limits_that_cannot_be(raw: object) -> None:
    with pytest.raises(Rejected):
        as_rate_limits(raw)


async def test_no_limit_counts_nothing() -> None:
    limiter = RateLimiter({READ: 0})
    assert await limiter.take(*READ, "a") is None
    assert await limiter.take("elsewhere", RateClass.READ, "a") is None


async def test_callers_classes_and_surfaces_are_counted_apart() -> None:
    surfaces, callers = ("container-engine", "container-engine-snake"), ("key:1", "key:2", "address:1")
    limiter = RateLimiter({(surface, kind): 1 for surface in surfaces for kind in RateClass})
    for surface in surfaces:
        for kind in RateClass:
            for caller in callers:
                first, second = await limiter.take(surface, kind, caller), await limiter.take(surface, kind, caller)
                assert first is not None
                assert second is not None
                assert (first.allowed, second.allowed) == (True, False)


# --- in Redis


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RedisServer]:
    server = RedisServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def shared(redis_server: RedisServer) -> AsyncIterator[RedisWindows]:
    windows = RedisWindows(redis_server.url, patience_seconds=20)
    yield windows
    await windows.close()


async def test_several_backends_count_together(redis_server: RedisServer) -> None:
    backends = [RedisWindows(redis_server.url, patience_seconds=20) for _ in range(3)]
    found = await asyncio.gather(*(backends[n % 3].take("together", 25) for n in range(100)))
    assert sum(one.allowed for one in found) == 25
    assert sorted(one.remaining for one in found if one.allowed) == list(range(25)), "each saw a count of its own"
    assert {one.remaining for one in found if not one.allowed} == {0}
    assert all(0 < one.reset_after <= WINDOW_SECONDS for one in found)
    for backend in backends:
        await backend.close()


async def test_what_left_the_window_counts_no_more(redis_server: RedisServer, shared: RedisWindows) -> None:
    assert (await shared.take("sliding", 2)).allowed
    client = redis.Redis(port=redis_server.port)
    seconds, micros = client.time()
    now = seconds + micros / 1e6
    client.delete(PREFIX + "sliding")
    client.rpush(PREFIX + "sliding", now - 75, now - 50, now - 20)
    refused = await shared.take("sliding", 2)
    assert not refused.allowed
    assert 5 < refused.reset_after <= 10
    let_in = await shared.take("sliding", 3)
    assert (let_in.allowed, let_in.remaining) == (True, 0)
    assert client.llen(PREFIX + "sliding") == 3, "the oldest is gone"
    assert 0 < client.pttl(PREFIX + "sliding") <= WINDOW_SECONDS * 1000, "idle callers leave nothing behind"
    client.close()


async def test_a_redis_that_is_down(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    server = RedisServer()
    shared = RedisWindows(server.url)
    limiter = RateLimiter({READ: 3}, shared, clock=clock)

    async def allowed() -> list[bool]:
        return [bool(found and found.allowed) for found in [await limiter.take(*READ, "a") for _ in range(4)]]

    with caplog.at_level(logging.INFO):
        with pytest.raises(Unavailable):
            await shared.take("a", 1)
        assert await allowed() == [True, True, True, False], "this process counts for itself"
        clock.now += 10
        assert await allowed() == [False] * 4
        assert limiter.fault
        assert len(caplog.records) == 1, "one line for a whole outage"
        server.start()
        try:
            clock.now += 10
            assert await allowed() == [True, True, True, False], "counted in Redis, where nothing was yet"
            assert not limiter.fault
            assert "shared again" in caplog.messages[-1]
            server.stop()
            server.start()
            clock.now += 10
            assert await allowed() == [True, True, True, False], "a restarted Redis is found by new connections"
            assert not limiter.fault
        finally:
            server.stop()
    await limiter.close()
