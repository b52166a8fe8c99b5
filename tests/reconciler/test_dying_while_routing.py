"""A backend that dies between what the ingress serves and what storage says of it takes nothing from the ingress, and
presumes nothing ready that was not."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from backend.domain.deployments import Deployment, DeploymentChange, DeploymentStatus, HealthCheck
from tests.reconciler.core import DEADLINE_SECONDS, Core, Load
from tests.reconciler.test_recovery import let_go

RUNNING = DeploymentStatus.RUNNING
# A second passes between a replica's start, or ours, and the first word of its health. A slow boot is no failure here.
SLOW_CHECK = HealthCheck("/slow", initial_delay_seconds=0, period_seconds=1, timeout_seconds=5, failure_threshold=30)
# A replica that boots slowly is not taken for a sick one: it has six seconds, and then five for each answer. One that
# serves when we come back is checked at once.
CHECK = HealthCheck("/health", initial_delay_seconds=4, period_seconds=1, timeout_seconds=5, failure_threshold=3)


async def answered(core: Core, text: str) -> None:
    while True:
        if (await core.get("web")).text.split()[0] == text:
            return
        await asyncio.sleep(0.02)


async def die_before_it_is_written(core: Core, answer: str) -> None:
    """Die once the app gives this answer, with storage shut from before that moment on."""
    async with core.database.transaction():
        async with asyncio.timeout(DEADLINE_SECONDS):
            await answered(core, answer)
        await asyncio.sleep(0.3)
        let_go(core)
        await asyncio.sleep(0.1)
    await core.stop()


async def stable_generation(core: Core, app: Deployment) -> int | None:
    return (await core.deployments.get(core.who, app.id)).stable_generation


async def test_the_first_replica_serves_on_though_storage_does_not_know_that_it_was_ready(
    core: Core, app_image: str
) -> None:
    app = await core.deploy("web", app_image, env={"VERSION": "1"}, health_check=SLOW_CHECK)
    await core.eventually(app, lambda s: s.reason == "waiting_for_health")
    await die_before_it_is_written(core, "1")
    async with Load(core, "web") as load:
        await core.start()
        assert await stable_generation(core, app) is None
        await core.until(app, RUNNING)
        await asyncio.sleep(1.5)
    assert load.faults == []
    assert load.answers
    assert await stable_generation(core, app) == 1


async def test_the_new_generation_serves_on_though_storage_does_not_know_that_it_was_ready(
    core: Core, app_image: str
) -> None:
    app = await core.deploy("web", app_image, env={"VERSION": "1"}, health_check=SLOW_CHECK)
    await core.until(app, RUNNING)
    await core.deployments.update(core.who, app.id, DeploymentChange(env={"VERSION": "2"}))
    await core.eventually(app, lambda s: s.reason == "waiting_for_health")
    await die_before_it_is_written(core, "2")
    async with Load(core, "web") as load:
        await core.start()
        assert await stable_generation(core, app) == 1
        await core.eventually(app, lambda s: s.status is RUNNING and len(s.replicas) == 1)
        await asyncio.sleep(1.5)
    assert load.faults == []
    assert load.answers[-1].split()[0] == "2"
    assert await stable_generation(core, app) == 2


async def test_a_replica_that_was_never_ready_is_not_presumed_so(core: Core, app_image: str) -> None:
    app = await core.deploy("web", app_image, health_check=SLOW_CHECK)
    await core.until(app, RUNNING)
    [first] = await core.containers(app)
    await core.deployments.scale(core.who, app.id, 2)
    await core.eventually(app, lambda s: len(s.replicas) == 2 and s.reason == "waiting_for_health")
    let_go(core)
    await core.stop()
    await core.start()
    found = await core.eventually(app, lambda s: s.ready > 0)
    assert [replica.container_id for replica in found.replicas if replica.phase.value == "ready"] == [first.id]
    await core.eventually(app, lambda s: s.ready == 2)


async def test_an_update_that_never_gets_ready_goes_back_though_we_died_in_it(core: Core, app_image: str) -> None:
    app = await core.deploy("web", app_image, health_check=CHECK)
    await core.until(app, RUNNING)
    async with Load(core, "web") as load:
        await core.deployments.update(core.who, app.id, DeploymentChange(env={"HEALTH_FAILS": "1"}))
        await core.eventually(app, lambda s: len(s.replicas) == 2)
        let_go(core)
        await core.stop()
        await core.start()
        state = await core.eventually(app, lambda s: s.error_message is not None and len(s.replicas) == 1)
    assert "/health answered 503" in (state.error_message or "")
    assert load.faults == []
    assert await stable_generation(core, app) == 1


async def test_a_new_generation_that_went_bad_while_we_were_away_is_not_made_the_stable_one(
    core: Core, app_image: str
) -> None:
    app = await core.deploy("web", app_image, env={"VERSION": "1"}, health_check=CHECK)
    await core.until(app, RUNNING)
    [old] = await core.containers(app)
    # A request that the old replica is still at keeps it there, out of its route, when we die. It must outlast the
    # boot of the new one.
    async with Load(core, "web", clients=1, path="/slow?20"):
        await asyncio.sleep(0.5)
        await core.deployments.update(core.who, app.id, DeploymentChange(env={"VERSION": "2"}))
        await core.eventually(app, lambda s: s.reason == "waiting_for_health")
        await die_before_it_is_written(core, "2")
        await core.get("web", "/sick")
        await core.start()
        state = await core.eventually(app, lambda s: s.error_message is not None and len(s.replicas) == 1)
    assert [replica.container_id for replica in state.replicas] == [old.id]
    assert await stable_generation(core, app) == 1
    assert (await core.get("web")).text.split()[0] == "1"


@pytest.mark.parametrize("saved", [b"", None], ids=["torn", "lost"])
async def test_replicas_that_serve_are_kept_though_the_ingress_knows_nothing_any_more(
    core: Core, app_image: str, saved: bytes | None
) -> None:
    app = await core.deploy("web", app_image, env={"VERSION": "1"}, health_check=CHECK, replicas=2)
    await core.until(app, RUNNING)
    before = {container.id for container in await core.containers(app)}
    await core.deployments.update(core.who, app.id, DeploymentChange(env={"HEALTH_FAILS": "1"}))
    await core.eventually(app, lambda s: len(s.replicas) == 3)
    let_go(core)
    pids = [pid for pid in core.ingress.pids.values() if pid]
    await core.stop()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        await asyncio.to_thread(os.waitpid, pid, 0)
    routes = core.folder / "run" / "ingress-router.json"
    if saved is None:
        routes.unlink()
    else:
        routes.write_bytes(saved)
    await core.start()
    async with asyncio.timeout(DEADLINE_SECONDS):
        await answered(core, "1")
    async with Load(core, "web") as load:
        state = await core.eventually(app, lambda s: s.error_message is not None and len(s.replicas) == 2)
    assert load.faults == []
    assert {replica.container_id for replica in state.replicas} == before
