"""Environments on another engine: a second view of the same one, which neither shares containers nor names."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import pytest

from backend.domain.environments import EnvironmentRequest, EnvironmentStatus
from backend.engines.docker import DockerEngine
from tests.services.environments.environment_core import EnvironmentCore

CLUSTER = "5b5e3b1e-0000-4000-8000-000000000001"


@pytest.fixture
async def away(core: EnvironmentCore) -> AsyncIterator[DockerEngine]:
    engine = DockerEngine(secrets.token_hex(8))
    await engine.start()
    core.remote[CLUSTER] = engine
    try:
        yield engine
    finally:
        await core.parts.close()
        for state in await engine.list_containers():
            await engine.remove_container(state.id)
        for volume in await engine.list_volumes():
            await engine.remove_volume(volume.name)
        for tenant in core.tenants:
            await engine.remove_network(tenant)
        await engine.close()
        core.remote.clear()


async def test_an_environment_runs_where_it_was_asked_for(core: EnvironmentCore, away: DockerEngine) -> None:
    template = await core.template("touch /root/installed")
    made = await core.environments.create(core.who, EnvironmentRequest("far", template.id, cluster_id=CLUSTER))
    assert made.cluster_id == CLUSTER
    await core.running(made)
    assert await core.engine.list_containers() == []
    (state,) = await away.list_containers()
    assert state.object_id == made.id
    assert [volume.object_id for volume in await away.list_volumes()] == [made.id]
    usage = await core.environments.usage(core.who, made.id)
    assert usage.memory_bytes
    assert (await core.environments.logs(core.who, made.id)).lines
    _, engine, container = await core.environments.running_container(core.who, made.id)
    assert (engine, container.id) == (away, state.id)

    await core.restart()
    await core.running(made)
    await core.environments.stop(core.who, made.id)
    await core.until(made, EnvironmentStatus.STOPPED)
    await core.environments.delete(core.who, made.id)
    await core.until_gone(made)
    assert await away.list_containers() == []
    assert await away.list_volumes() == []


async def test_a_cluster_that_is_away_keeps_the_status_and_says_so(core: EnvironmentCore, away: DockerEngine) -> None:
    template = await core.template()
    made = await core.environments.create(core.who, EnvironmentRequest("far", template.id, cluster_id=CLUSTER))
    await core.running(made)
    nowhere = DockerEngine(away._installation, base_url="tcp://127.0.0.1:9")
    core.remote[CLUSTER] = nowhere
    await core.restart()
    lost = await core.eventually(made, lambda now: now.reason == "engine_down")
    assert lost.status is EnvironmentStatus.RUNNING
    assert "127.0.0.1:9" in lost.message
    usage = await core.environments.usage(core.who, made.id)
    assert (usage.cpu_cores, usage.storage_bytes) == (None, None)
    # Credentials that were changed give another engine: it is followed instead.
    core.remote[CLUSTER] = away
    core.parts.reconciler.wake(made.id)
    await core.running(made)
    await nowhere.close()
