"""The truth about storage, engine and ingress."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.engines.docker import DockerEngine
from backend.ingress.caddy import CaddyIngress
from backend.services.system import PartState, SystemService
from backend.storage.database import Database


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database.at(tmp_path / "test.db")
    await opened.start()
    yield opened
    await opened.close()


@pytest.fixture
async def engine() -> AsyncIterator[DockerEngine]:
    opened = DockerEngine("test-system")
    yield opened
    await opened.close()


class AskedIngress(CaddyIngress):
    """Counts how often it is asked."""

    asked = 0

    async def ready(self) -> bool:
        self.asked += 1
        return await super().ready()


@pytest.fixture
def ingress(tmp_path: Path) -> AskedIngress:
    """Not started."""
    return AskedIngress(tmp_path / "run", tmp_path / "log", port=1)


async def test_parts_that_answer_are_ok_and_a_young_silent_one_is_starting(
    database: Database, engine: DockerEngine, ingress: AskedIngress
) -> None:
    system = SystemService(database, engine, ingress)
    status = await system.status()
    assert (status.storage.status, status.engine.status) == (PartState.OK, PartState.OK)
    assert status.engine_info is not None
    assert status.engine_info.cpus > 0
    assert status.ingress.status is PartState.STARTING
    assert not await system.ready()


async def test_a_silent_part_is_down_and_says_what_to_do(
    database: Database, ingress: AskedIngress, tmp_path: Path
) -> None:
    engine = DockerEngine("test-system", base_url=f"unix://{tmp_path}/no.sock")
    system = SystemService(database, engine, ingress, starting_seconds=0)
    status = await system.status()
    assert status.engine.status is PartState.DOWN
    assert "start" in status.engine.message
    assert status.engine_info is None
    assert status.ingress.status is PartState.DOWN
    assert "ingress" in status.ingress.message
    await engine.close()


async def test_storage_that_is_away_is_told(engine: DockerEngine, ingress: AskedIngress, tmp_path: Path) -> None:
    database = Database.at(tmp_path / "missing" / "test.db")
    status = await SystemService(database, engine, ingress, starting_seconds=0).status()
    assert status.storage.status is PartState.DOWN
    assert "storage" in status.storage.message
    await database.close()


async def test_many_callers_ask_each_part_once(database: Database, engine: DockerEngine, ingress: AskedIngress) -> None:
    now = 100.0
    system = SystemService(database, engine, ingress, monotonic=lambda: now)
    await asyncio.gather(*(system.status() for _ in range(50)))
    await system.status()
    assert ingress.asked == 1
    now += 1.5
    await system.status()
    assert ingress.asked == 2


async def test_a_caller_that_gives_up_does_not_end_the_question_of_others(
    database: Database, engine: DockerEngine, ingress: AskedIngress
) -> None:
    system = SystemService(database, engine, ingress)
    first = asyncio.create_task(system.status())
    second = asyncio.create_task(system.status())
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).storage.status is PartState.OK
    assert ingress.asked == 1
