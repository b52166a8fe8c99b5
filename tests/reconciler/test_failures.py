"""What goes wrong is seen, told and undone."""

from __future__ import annotations

import docker
import pytest

from backend.domain.deployments import (
    DeploymentChange,
    DeploymentState,
    DeploymentStatus,
    Health,
    HealthCheck,
    RegistryAuth,
    ReplicaPhase,
    Resources,
)
from backend.domain.engine import EngineInfo
from backend.domain.errors import EngineUnavailable, Invalid
from backend.domain.journal import JournalKind
from backend.services.reconciler.outcome import SLOWEST_RETRY_SECONDS
from tests.reconciler.core import Core, Load

RUNNING, FAILED = DeploymentStatus.RUNNING, DeploymentStatus.FAILED


async def test_a_crash_loop_backs_off_and_tells_exit_code_and_last_lines(core: Core, app_image: str) -> None:
    app = await core.deploy("broken", app_image, env={"EXIT_CODE": "7"})
    state = await core.eventually(app, lambda s: s.status is FAILED and s.reason == "crash_loop")
    assert state.error_message is not None
    assert "code 7" in state.error_message
    assert "cannot read its settings" in state.error_message
    assert state.restart_count >= 3
    await core.eventually(app, lambda s: any(r.phase is ReplicaPhase.BACKING_OFF for r in s.replicas))
    assert JournalKind.REPLICA_EXITED in [entry.kind for entry in await core.history(app)]
    # A start by hand does not wait for the engine's back-off, and is counted anew.
    before = state.restart_count
    await core.deployments.start(core.who, app.id)
    await core.eventually(app, lambda s: s.restart_count < before)
    await core.until(app, FAILED)
    # Mended by an update, it runs, and the error is gone.
    await core.deployments.update(core.who, app.id, DeploymentChange(env={}))
    state = await core.until(app, RUNNING)
    assert state.error_message is None


async def test_a_bad_update_rolls_back_without_a_failed_request_and_says_why(core: Core, app_image: str) -> None:
    app = await core.deploy("web", app_image, env={"VERSION": "1"}, replicas=2)
    await core.until(app, RUNNING)
    before = {c.id for c in await core.containers(app)}
    async with Load(core, "web") as load:
        await core.deployments.update(core.who, app.id, DeploymentChange(env={"VERSION": "2", "EXIT_CODE": "9"}))
        state = await core.eventually(app, lambda s: s.status is RUNNING and s.error_message is not None)
    assert load.faults == []
    assert {text.split()[0] for text in load.answers} == {"1"}
    assert "rolled back" in (state.error_message or "")
    assert "code 9" in (state.error_message or "")
    await core.eventually(app, lambda s: len(s.replicas) == 2)
    assert {c.id for c in await core.containers(app)} >= before
    found = await core.deployments.get(core.who, app.id)
    assert dict(found.spec.env) == {"VERSION": "1"}
    assert JournalKind.ROLLED_BACK in [entry.kind for entry in await core.history(app)]


async def test_an_update_that_never_gets_healthy_rolls_back(core: Core, app_image: str) -> None:
    # Time to boot, and to answer: what is told must be the answer, not that none came.
    check = HealthCheck("/health", initial_delay_seconds=4, period_seconds=1, timeout_seconds=5, failure_threshold=3)
    app = await core.deploy("web", app_image, health_check=check)
    await core.until(app, RUNNING)
    await core.deployments.update(core.who, app.id, DeploymentChange(env={"HEALTH_FAILS": "1"}))
    state = await core.eventually(app, lambda s: s.status is RUNNING and s.error_message is not None)
    assert "/health answered 503" in (state.error_message or "")


async def test_memory_limits_kill_and_it_is_said(core: Core, app_image: str) -> None:
    app = await core.deploy("greedy", app_image, env={"EAT_MEMORY": "1"}, resources=Resources("500m", "32Mi"))
    state = await core.eventually(app, lambda s: s.status is FAILED and s.reason == "out_of_memory")
    assert "32Mi" in (state.error_message or "")


@pytest.mark.parametrize(
    ("asked", "field"),
    [(Resources("1000", "32Mi"), "resources.cpu"), (Resources("100m", "16Ti"), "resources.memory")],
    ids=["cpu", "memory"],
)
async def test_more_than_the_machine_has_is_refused(
    core: Core, static_image: str, asked: Resources, field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        await core.deploy("greedy", static_image, 80, resources=asked)
    assert [fault.field for fault in caught.value.fields] == [field]
    # Nothing is left behind: the name is free.
    app = await core.deploy("greedy", static_image, 80)
    with pytest.raises(Invalid) as caught:
        await core.deployments.update(core.who, app.id, DeploymentChange(cpu=asked.cpu, memory=asked.memory))
    assert [fault.field for fault in caught.value.fields] == [field]
    assert (await core.deployments.get(core.who, app.id)).generation == 1


async def test_what_only_the_engine_finds_too_large_is_told_and_mended(
    core: Core, static_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent() -> EngineInfo:
        raise EngineUnavailable("the engine answers too slowly")

    with monkeypatch.context() as slow:
        slow.setattr(core.engine, "ping", silent)
        app = await core.deploy("greedy", static_image, 80, resources=Resources("1000", "32Mi"))
    retry = f"next try in {SLOWEST_RETRY_SECONDS:.0f} s"
    state = await core.eventually(app, lambda s: s.status is FAILED and retry in s.message)
    assert "Range of CPUs" in (state.error_message or "")
    # Who mends it does not wait that long.
    await core.deployments.update(core.who, app.id, DeploymentChange(cpu="100m"))
    await core.until(app, RUNNING)


async def test_a_sick_replica_is_unrouted_and_restarted(core: Core, app_image: str) -> None:
    # Time to boot again: one restarted too soon for that would be restarted for ever.
    check = HealthCheck("/health", initial_delay_seconds=4, period_seconds=1, timeout_seconds=5, failure_threshold=2)
    app = await core.deploy("web", app_image, health_check=check)
    first = await core.until(app, RUNNING)
    await core.get("web", "/sick")
    await core.eventually(app, lambda s: s.health is Health.UNHEALTHY)
    after = await core.eventually(
        app, lambda s: s.ready == 1 and s.replicas[0].started_at != first.replicas[0].started_at
    )
    assert after.replicas[0].container_id == first.replicas[0].container_id
    assert JournalKind.REPLICA_UNHEALTHY in [entry.kind for entry in await core.history(app)]


async def test_a_private_image_is_pulled_with_credentials_that_are_never_stored_in_clear(core: Core) -> None:
    image = "127.0.0.1:5001/team/app:1"
    api = docker.from_env().api
    for found in api.images(name="127.0.0.1:5001/team/app"):
        for name in [*(found["RepoTags"] or []), *(found["RepoDigests"] or [])]:
            if name.startswith("127.0.0.1:5001/team/app"):
                api.remove_image(name, force=True)
    app = await core.deploy(
        "private", image, 80, registry_auth=RegistryAuth("alice", "s3cret"), env={"KEY": "hush-hush"}
    )
    # The image's shell ends at once, which is a crash loop; that it was pulled and started is the point.
    await core.eventually(app, lambda s: s.status is FAILED and s.reason == "crash_loop")
    assert app.spec.digest.startswith("127.0.0.1:5001/team/app@sha256:")
    for file in core.folder.glob("pilothouse.db*"):
        content = file.read_bytes()
        assert b"s3cret" not in content
        assert b"hush-hush" not in content


async def test_a_crash_is_told_also_while_the_replica_is_up_again(core: Core, app_image: str) -> None:
    # Its own check makes it crash, a second after each start.
    app = await core.deploy("broken", app_image, health_check=HealthCheck("/crash", initial_delay_seconds=1))
    told: set[str] = set()

    def crashed_again(state: DeploymentState) -> bool:
        told.add(state.error_message or "code 3")
        return state.restart_count >= 4

    await core.eventually(app, crashed_again)
    assert len(told) > 1
    assert [text for text in told if "code 3" not in text] == []


async def test_zero_replicas_prove_no_generation(core: Core, app_image: str) -> None:
    app = await core.deploy("web", app_image, env={"VERSION": "1"})
    await core.until(app, RUNNING)
    await core.deployments.scale(core.who, app.id, 0)
    await core.until(app, RUNNING)
    await core.deployments.update(core.who, app.id, DeploymentChange(env={"EXIT_CODE": "4"}))
    await core.until(app, RUNNING)
    await core.deployments.scale(core.who, app.id, 1)
    state = await core.eventually(app, lambda s: s.status is RUNNING and s.ready == 1)
    assert "code 4" in (state.error_message or "")


async def test_a_replica_paused_by_hand_is_told(core: Core, static_image: str) -> None:
    app = await core.deploy("web", static_image, 80)
    await core.until(app, RUNNING)
    [container] = await core.containers(app)
    paused = docker.from_env().containers.get(container.id)
    paused.pause()
    state = await core.eventually(app, lambda s: s.reason == "paused")
    assert container.name in state.message
    assert state.health is Health.UNHEALTHY
    paused.unpause()
    await core.eventually(app, lambda s: s.reason == "ready" and s.ready == 1)
