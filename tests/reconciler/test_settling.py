"""Changes that answer once they have come true, on a real engine."""

from __future__ import annotations

import asyncio

import pytest

from backend.domain.deployments import DeploymentStatus
from backend.domain.errors import NotFound
from backend.services.settling import SettlingService
from tests.reconciler.core import Core

RUNNING, STOPPED, FAILED = DeploymentStatus.RUNNING, DeploymentStatus.STOPPED, DeploymentStatus.FAILED


async def test_true_when_answered(core: Core, static_image: str) -> None:
    settling = SettlingService(core.deployments, core.view)
    app = await core.deploy("web", static_image, 80)
    scaled = await settling.scale(core.who, app.short_id, 3)
    assert (scaled.status, scaled.replicas) == (RUNNING, 3)
    assert len(await core.containers(app)) == 3
    assert (await settling.stop(core.who, app.id)).status is STOPPED
    assert {container.phase.value for container in await core.containers(app)} == {"exited"}
    assert (await settling.start(core.who, app.id)).status is RUNNING
    assert (await core.get("web")).status_code == 200
    deletion = await settling.delete(core.who, app.id)
    assert deletion.gone
    assert deletion.deployment.app_name == "web"
    assert await core.containers(app) == []
    with pytest.raises(NotFound):
        await settling.delete(core.who, app.id)


async def test_waiting_is_bounded_and_the_change_goes_on(core: Core, app_image: str) -> None:
    settling = SettlingService(core.deployments, core.view, patience_seconds=0.5)
    app = await core.deploy("late", app_image, env={"BOOT_SECONDS": "2"})
    await core.until(app, RUNNING)
    assert (await settling.scale(core.who, app.id, 2)).status is DeploymentStatus.SCALING
    await core.eventually(app, lambda state: state.status is RUNNING and state.ready == 2)


async def test_a_failure_is_final_too(core: Core, app_image: str) -> None:
    settling = SettlingService(core.deployments, core.view)
    app = await core.deploy("broken", app_image, env={"EXIT_CODE": "4"}, replicas=0)
    await core.until(app, RUNNING)
    failed = await settling.scale(core.who, app.id, 1)
    assert failed.status is FAILED
    assert failed.error_message


async def test_who_deletes_ends_the_others_waiting(core: Core, app_image: str) -> None:
    settling = SettlingService(core.deployments, core.view)
    app = await core.deploy("short-lived", app_image, env={"BOOT_SECONDS": "30"}, replicas=0)
    await core.until(app, RUNNING)
    waiting = asyncio.create_task(settling.scale(core.who, app.id, 1))
    await core.eventually(app, lambda state: bool(state.replicas))
    assert (await settling.delete(core.who, app.id)).gone
    with pytest.raises(NotFound):
        await waiting
