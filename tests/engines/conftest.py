"""A real engine, an installation of one's own per test, and nothing of it left behind."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import pytest

from backend.engines.docker import DockerEngine
from tests.engines.engine_bench import Bench


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    installation = secrets.token_hex(16)
    engine = DockerEngine(installation)
    await engine.start()
    bench = Bench(engine, installation, f"tenant-{secrets.token_hex(4)}")
    await bench.set_up()
    try:
        yield bench
    finally:
        await bench.clean()
        await engine.close()
