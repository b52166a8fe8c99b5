"""A deployment's life on a real engine behind a real ingress."""

from __future__ import annotations

import asyncio

import docker
import pytest

from backend.domain.deployments import DeploymentChange, DeploymentStatus, Health, HealthCheck, Resources
from backend.domain.errors import Conflict, ImageRejected, Invalid, NotFound
from backend.domain.journal import JournalKind
from backend.domain.paging import PageRequest
from tests.reconciler.core import Core, Load

RUNNING, STOPPED = DeploymentStatus.RUNNING, DeploymentStatus.STOPPED


async def test_deploy_scale_stop_start_delete(core: Core, static_image: str) -> None:
    app = await core.deploy("web", static_image, 80, replicas=2)
    assert app.status is DeploymentStatus.PENDING
    state = await core.until(app, RUNNING)
    assert (state.ready, state.desired, state.health) == (2, 2, Health.HEALTHY)
    assert (await core.get("web")).text == "hello from a container\n"

    await core.deployments.scale(core.who, app.id, 4)
    await core.eventually(app, lambda s: s.status is RUNNING and s.ready == 4)
    await core.deployments.scale(core.who, app.id, 1)
    await core.eventually(app, lambda s: s.status is RUNNING and len(s.replicas) == 1)
    assert [c.ordinal for c in await core.containers(app)] == [0]

    await core.deployments.stop(core.who, app.id)
    await core.until(app, STOPPED)
    assert (await core.get("web")).status_code == 503
    await core.deployments.start(core.who, app.id)
    await core.until(app, RUNNING)
    assert (await core.get("web")).status_code == 200

    await core.deployments.scale(core.who, app.id, 0)
    await core.eventually(app, lambda s: s.status is RUNNING and not s.replicas)
    assert (await core.get("web")).status_code == 503

    await core.deployments.delete(core.who, app.id)
    with pytest.raises(NotFound):
        await core.deployments.get(core.who, app.id)
    again = await core.deploy("web", static_image, 80)
    await core.until_gone(app)
    await core.until(again, RUNNING)
    kinds = [entry.kind for entry in await core.history(again)]
    assert kinds[0] is JournalKind.CREATED
    assert JournalKind.STATUS_CHANGED in kinds


async def test_update_and_scale_roll_without_a_failed_request(core: Core, app_image: str) -> None:
    app = await core.deploy("web", app_image, env={"VERSION": "1"}, replicas=3)
    await core.until(app, RUNNING)
    async with Load(core, "web") as load, Load(core, "web", clients=2, path="/slow?0.7") as slow:
        await asyncio.sleep(0.5)
        await core.deployments.update(core.who, app.id, DeploymentChange(env={"VERSION": "2"}))
        await core.eventually(app, lambda s: s.status is RUNNING and len(s.replicas) == 3)
        await core.deployments.scale(core.who, app.id, 1)
        await core.eventually(app, lambda s: s.status is RUNNING and len(s.replicas) == 1)
        await core.deployments.scale(core.who, app.id, 3)
        await core.eventually(app, lambda s: s.status is RUNNING and s.ready == 3)
        await asyncio.sleep(0.3)
    assert load.faults == []
    assert slow.faults == []
    assert load.answers[0].startswith("1 ")
    assert load.answers[-1].startswith("2 ")
    assert len(slow.answers) > 3
    found = await core.deployments.get(core.who, app.id)
    assert dict(found.spec.env) == {"VERSION": "2"}
    assert found.stable_generation == found.generation == 2


async def test_the_health_path_gates_and_limits_are_enforced(core: Core, app_image: str) -> None:
    check = HealthCheck("/health", initial_delay_seconds=0, period_seconds=1, timeout_seconds=2, failure_threshold=10)
    app = await core.deploy(
        "gated", app_image, env={"BOOT_SECONDS": "1.5"}, resources=Resources("250m", "64Mi"), health_check=check
    )
    state = await core.eventually(app, lambda s: s.reason == "waiting_for_health")
    assert state.ready == 0
    state = await core.until(app, RUNNING)
    assert state.last_health_check is not None
    [container] = await core.containers(app)
    host = docker.from_env().api.inspect_container(container.id)["HostConfig"]
    assert host["Memory"] == 64 * 2**20
    assert host["NanoCpus"] == 250_000_000


async def test_requests_that_cannot_be_met_leave_nothing(core: Core, static_image: str) -> None:
    kept = await core.deploy("kept", static_image, 80)
    await core.until(kept, RUNNING)
    with pytest.raises(Conflict):
        await core.deploy("kept", static_image, 80)
    with pytest.raises(ImageRejected) as missing:
        await core.deploy("missing", "127.0.0.1:5001/team/none:1", 80)
    assert missing.value.details["field"] == "image"
    with pytest.raises(ImageRejected):
        await core.deploy("private", "127.0.0.1:5001/team/app:1", 80)
    for fault in (
        {"name": "Not_A_Label", "image": static_image, "port": 80},
        {"name": "x", "image": static_image, "port": 0},
        {"name": "x", "image": "UPPER CASE", "port": 80},
        {"name": "x", "image": static_image, "port": 80, "replicas": 101},
        {"name": "x", "image": static_image, "port": 80, "resources": Resources("lots", "64Mi")},
        {"name": "x", "image": static_image, "port": 80, "env": {"A=B": "c"}},
        # One such host would be refused by the ingress, and with it the routes of all.
        {"name": "x\n", "image": static_image, "port": 80},
        {"name": "x", "image": static_image, "port": 80, "env": {"A\n": "c"}},
        {"name": "x", "image": static_image, "port": 80, "health_check": HealthCheck("/health\n")},
        {"name": "x", "image": static_image, "port": 80, "resources": Resources("100m\n", "64Mi")},
    ):
        with pytest.raises(Invalid) as invalid:
            await core.deploy(**fault)  # type: ignore[arg-type]
        assert invalid.value.fields
    page = await core.deployments.page(core.who, PageRequest())
    assert [item.id for item in page.items] == [kept.id]
    assert {c.object_id for c in await core.containers()} == {kept.id}


async def test_another_users_deployment_is_not_found(core: Core, static_image: str) -> None:
    app = await core.deploy("mine", static_image, 80)
    eve = await core.user("eve")
    with pytest.raises(NotFound):
        await core.deployments.get(eve, app.id)
    with pytest.raises(NotFound):
        await core.deployments.scale(eve, app.short_id, 3)
    with pytest.raises(NotFound):
        await core.deployments.delete(eve, app.short_id)
    assert (await core.deployments.page(eve, PageRequest())).total == 0
