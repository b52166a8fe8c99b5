"""After crashes of ours and meddling by others, the world is again what was asked."""

from __future__ import annotations

import asyncio

import docker
from docker.types import IPAMConfig, IPAMPool

from backend.domain.deployments import DeploymentChange, DeploymentStatus
from backend.domain.engine import ContainerPhase, ContainerSpec
from backend.domain.journal import JournalKind
from backend.services.reconciler.slots import container_name
from tests.reconciler.core import Core, Load

RUNNING, STOPPED = DeploymentStatus.RUNNING, DeploymentStatus.STOPPED


def let_go(core: Core) -> None:
    """Drop all work at once, finishing nothing, as a killed process does."""
    for worker in list(core.reconciler._workers.values()):
        assert worker.task
        worker.task.cancel()
        worker.steps.abandon()


async def crash(core: Core) -> None:
    let_go(core)
    await core.stop()


async def test_a_restart_keeps_containers_and_drops_no_request(core: Core, app_image: str) -> None:
    app = await core.deploy("web", app_image, replicas=2)
    await core.until(app, RUNNING)
    before = {c.id for c in await core.containers(app)}
    async with Load(core, "web") as load:
        await crash(core)
        await load.more(50)
        await asyncio.sleep(0.5)
        await core.start()
        await core.eventually(app, lambda s: s.ready == 2)
        await asyncio.sleep(0.5)
    assert load.faults == []
    assert {c.id for c in await core.containers(app)} == before
    # What was seen before the crash is not told a second time.
    kinds = [entry.kind for entry in await core.history(app)]
    assert kinds.count(JournalKind.REPLICA_READY) == 2


async def test_half_done_work_is_completed_whenever_we_die(core: Core, app_image: str) -> None:
    app = await core.deploy("web", app_image, replicas=2, env={"VERSION": "0"})
    await core.until(app, RUNNING)
    async with Load(core, "web") as load:
        for turn, pause in enumerate((0.0, 0.05, 0.15, 0.3, 0.6, 1.0), start=1):
            await core.deployments.update(core.who, app.id, DeploymentChange(env={"VERSION": str(turn)}))
            await asyncio.sleep(pause)
            await crash(core)
            await core.start()
        await core.eventually(app, lambda s: s.status is RUNNING and len(s.replicas) == 2 and s.ready == 2)
        await asyncio.sleep(0.2)
    assert load.faults == []
    assert load.answers[-1].split()[0] == "6"
    assert sorted((c.generation, c.ordinal) for c in await core.containers(app)) == [(7, 0), (7, 1)]


async def test_a_deletion_survives_a_crash(core: Core, static_image: str) -> None:
    app = await core.deploy("web", static_image, 80, replicas=2)
    await core.until(app, RUNNING)
    await core.deployments.delete(core.who, app.id)
    await crash(core)
    assert await core_has_containers(core, app.id)
    await core.start()
    await core.until_gone(app)


async def core_has_containers(core: Core, object_id: str) -> bool:
    api = docker.from_env().api
    return bool(api.containers(all=True, filters={"label": f"pilothouse.id={object_id}"}))


async def test_what_others_remove_stop_or_kill_comes_back(core: Core, static_image: str) -> None:
    app = await core.deploy("web", static_image, 80, replicas=3)
    await core.until(app, RUNNING)
    removed, stopped, killed = await core.containers(app)
    api = docker.from_env().api
    await asyncio.to_thread(api.remove_container, removed.id, force=True)
    await asyncio.to_thread(api.stop, stopped.id, timeout=1)
    await asyncio.to_thread(api.kill, killed.id)
    await core.eventually(app, lambda s: s.ready == 3 and removed.id not in {r.container_id for r in s.replicas})
    states = {c.id: c for c in await core.containers(app)}
    assert removed.id not in states
    assert {states[stopped.id].phase, states[killed.id].phase} == {ContainerPhase.RUNNING}
    # Fixed addresses: what the ingress knows stays true over restarts that it does not hear of.
    assert states[stopped.id].endpoint == stopped.endpoint
    assert (await core.get("web")).status_code == 200


async def test_an_orphan_is_removed_and_strangers_are_left(core: Core, static_image: str) -> None:
    app = await core.deploy("web", static_image, 80)
    await core.until(app, RUNNING)
    network = await core.reconciler._shared.slots.network(core.who.tenant_id)
    orphan = await core.engine.create_container(
        ContainerSpec(
            name=f"ph-{core.installation[:8]}-orphan",
            image=app.spec.digest,
            kind="deployment",
            object_id="00000000-0000-0000-0000-000000000000",
            tenant_id=core.who.tenant_id,
            generation=1,
            ordinal=0,
            network=network,
        )
    )
    api = docker.from_env().api
    stranger = api.create_container("busybox:latest", ["sleep", "60"])["Id"]
    try:
        await crash(core)
        await core.start()
        await core.until_removed(orphan)
        assert api.inspect_container(stranger)["Id"] == stranger
    finally:
        api.remove_container(stranger, force=True)


async def test_a_taken_subnet_is_passed_over(core: Core, static_image: str) -> None:
    api = docker.from_env().api
    first = core.pool.replace("/22", "/24")
    taken = api.create_network(f"taken-{core.installation}", ipam=IPAMConfig(pool_configs=[IPAMPool(subnet=first)]))
    try:
        app = await core.deploy("web", static_image, 80)
        state = await core.until(app, RUNNING)
        assert state.replicas[0].address is not None
        assert not state.replicas[0].address.startswith(first.rsplit(".", 1)[0] + ".")
    finally:
        api.remove_network(taken["Id"])


async def test_a_repeat_finds_the_container_made_before_the_crash(core: Core, static_image: str) -> None:
    app = await core.deploy("web", static_image, 80)
    await core.until(app, RUNNING)
    [container] = await core.containers(app)
    assert container.name == container_name(core.installation, app, 1, 0)
    await core.deployments.stop(core.who, app.id)
    await core.until(app, STOPPED)
    await crash(core)
    await core.start()
    await core.deployments.start(core.who, app.id)
    await core.until(app, RUNNING)
    assert [c.id for c in await core.containers(app)] == [container.id]


async def test_a_network_removed_by_hand_is_made_again(core: Core, static_image: str) -> None:
    app = await core.deploy("web", static_image, 80)
    await core.until(app, RUNNING)
    await core.deployments.stop(core.who, app.id)
    await core.until(app, STOPPED)
    client = docker.from_env()
    [container] = await core.containers(app)
    client.networks.get(client.containers.get(container.id).attrs["HostConfig"]["NetworkMode"]).remove()
    await core.deployments.start(core.who, app.id)
    await core.until(app, RUNNING)
    assert (await core.get("web")).status_code == 200
    assert DeploymentStatus.FAILED not in [entry.data.get("status") for entry in await core.history(app)]
