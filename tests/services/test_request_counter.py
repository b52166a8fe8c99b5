"""Counts and latencies of requests, alone and through a real ingress."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from backend.domain.ingress import RequestRecord, Route
from backend.ingress.caddy import CaddyIngress
from backend.services.request_counter import QUIET, RequestCounter, bucket_latency, latency_bucket, percentile
from tests.services.running_replicas import eventually

NOW = datetime(2025, 1, 1, 12, 0, 30, tzinfo=UTC)
HOSTS = {"web.localhost": "d1", "api.localhost": "d2"}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def ingress(tmp_path: Path) -> CaddyIngress:
    return CaddyIngress(tmp_path / "run", tmp_path / "log", port=free_port())


def record(at: datetime, host: str = "web.localhost", status: int = 200, seconds: float = 0.01) -> RequestRecord:
    return RequestRecord(at, host, status, seconds, None, 10)


def test_a_latency_bucket_is_within_five_percent() -> None:
    for milliseconds in (0.06, 0.5, 1.0, 9.99, 250.0, 12_345.0, 100_000.0):
        assert bucket_latency(latency_bucket(milliseconds)) == pytest.approx(milliseconds, rel=0.05)
    assert latency_bucket(0.0) == 0
    assert latency_bucket(1e12) == latency_bucket(1e9)


def test_percentiles_of_a_histogram() -> None:
    counts = {latency_bucket(10.0): 94, latency_bucket(500.0): 6}
    assert percentile(counts, 0.5) == pytest.approx(10.0, rel=0.05)
    assert percentile(counts, 0.95) == pytest.approx(500.0, rel=0.05)
    assert percentile({}, 0.5) is None


def test_counts_by_minute_and_deployment(ingress: CaddyIngress) -> None:
    counter = RequestCounter(ingress, HOSTS.get, clock=lambda: NOW)
    for seconds in (0, 1, 40):
        counter.count(record(NOW + timedelta(seconds=seconds)))
    counter.count(record(NOW, host="API.localhost:8080"))
    counter.count(record(NOW, host="unknown.localhost"))
    minute = int(NOW.timestamp()) // 60
    assert counter.take() == {("d1", minute): 2, ("d1", minute + 1): 1, ("d2", minute): 1}
    assert counter.take() == {}


def test_rates_and_latencies_slide(ingress: CaddyIngress) -> None:
    now = NOW
    counter = RequestCounter(ingress, HOSTS.get, clock=lambda: now)
    assert counter.traffic("d1") == QUIET
    for second in range(10):
        for status in (200, 200, 404, 502):
            counter.count(record(NOW + timedelta(seconds=second), status=status))
    now = NOW + timedelta(seconds=10)
    traffic = counter.traffic("d1")
    assert (traffic.requests_per_second, traffic.errors_per_second) == (4.0, 1.0)
    assert traffic.latency_p95_ms == pytest.approx(10.0, rel=0.05)
    now = NOW + timedelta(seconds=30)
    traffic = counter.traffic("d1")
    assert traffic.requests_per_second == 0.0
    assert traffic.latency_p50_ms is not None
    now = NOW + timedelta(seconds=120)
    assert counter.traffic("d1") == QUIET
    assert counter.active() == []


@pytest.fixture
async def running_ingress(tmp_path: Path) -> AsyncIterator[tuple[CaddyIngress, int]]:
    port = free_port()
    ingress = CaddyIngress(tmp_path / "run", tmp_path / "log", port=port)
    await ingress.start()
    try:
        yield ingress, port
    finally:
        await ingress.stop()


async def test_requests_through_a_real_ingress_are_counted(running_ingress: tuple[CaddyIngress, int]) -> None:
    ingress, port = running_ingress
    await ingress.apply([Route("d1", ("web.localhost",), ())])
    counter = RequestCounter(ingress, HOSTS.get)
    await counter.start()
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            responses = await asyncio.gather(
                *(client.get(f"http://127.0.0.1:{port}/", headers={"Host": "web.localhost"}) for _ in range(5))
            )
        assert {response.status_code for response in responses} == {503}
        counted = 0

        def all_counted() -> bool:
            nonlocal counted
            counted += sum(counter.take().values())
            return counted >= 5

        await eventually(all_counted, "five requests are counted")
        assert counted == 5
    finally:
        await counter.close()
