"""Environments on a real engine: from request to a running container, through every state, to nothing."""

from __future__ import annotations

import docker
import pytest

from backend.domain.engine import ContainerPhase
from backend.domain.environments import (
    EnvironmentChange,
    EnvironmentRequest,
    EnvironmentStatus,
    InstallEventKind,
)
from backend.domain.errors import Conflict, NotFound, WrongState
from backend.domain.terminals import EndReason
from backend.services.notifications import TOLD
from backend.storage import journal as journal_queries
from tests.engines.engine_bench import until
from tests.services.environments.environment_core import EnvironmentCore


async def test_an_environment_is_made_installed_and_runs(core: EnvironmentCore) -> None:
    made = await core.create("echo first; echo problem >&2", "touch /installed", name="My box", env={"WORD": "hello"})
    assert made.status is EnvironmentStatus.CREATING
    assert not made.installation_completed
    running = await core.running(made)
    assert running.installation_completed
    assert running.started_at is not None
    assert running.error_message is None
    kinds = [event.kind for event in await core.events(made)]
    assert kinds[0] is InstallEventKind.STATUS
    assert kinds[-1] is InstallEventKind.COMPLETE
    assert sorted(await core.said(made)) == ["first", "problem"]
    state = await core.container(made)
    assert (state.kind, state.tenant_id, state.generation) == ("environment", core.who.tenant_id, 1)
    assert state.cpu_millicores == 500
    assert state.memory_limit_bytes == 64 * 2**20
    assert await core.run(made, "echo $WORD $PORT; pwd; hostname; ls /installed") == (
        "hello 8080\n/root\nmy-box\n/installed\n"
    )
    template = await core.templates.get(core.who, made.template_id)
    assert template.usage_count == 1


async def test_stop_start_and_restart_keep_the_container_and_its_home(core: EnvironmentCore) -> None:
    made = await core.create("echo once", "touch /root/installed")
    await core.running(made)
    before = await core.container(made)
    await core.run(made, "echo kept > /root/file; echo kept too > /beside")
    with pytest.raises(WrongState) as refused:
        await core.environments.start(core.who, made.id)
    assert refused.value.details["status"] == "running"

    stopping = await core.environments.stop(core.who, made.short_id)
    assert stopping.reason == "stopping"
    stopped = await core.environments.settled(core.who, made.id, seconds=60)
    assert stopped.status is EnvironmentStatus.STOPPED
    assert (await core.container(made)).phase is ContainerPhase.EXITED
    with pytest.raises(WrongState):
        await core.environments.stop(core.who, made.id)
    with pytest.raises(WrongState):
        await core.environments.running_container(core.who, made.id)

    await core.environments.start(core.who, made.id)
    await core.running(made)
    assert await core.run(made, "cat /root/file /beside") == "kept\nkept too\n"
    started = await core.container(made)
    assert started.id == before.id

    await core.environments.restart(core.who, made.id)
    await core.eventually(made, lambda now: now.reason == "running" and now.started_at != started.started_at)
    again = await core.container(made)
    assert again.id == before.id
    assert again.started_at != started.started_at
    assert (await core.said(made)) == ["once"]
    environment, engine, state = await core.environments.running_container(core.who, made.short_id)
    assert (environment.id, engine, state.id) == (made.id, core.engine, before.id)


async def test_a_change_of_what_it_is_made_of_keeps_the_home_alone(core: EnvironmentCore) -> None:
    made = await core.create("echo installing")
    await core.running(made)
    before = await core.container(made)
    await core.run(made, "echo kept > /root/file; echo lost > /beside")
    changed = await core.environments.update(
        core.who, made.id, EnvironmentChange(image="python:3.11-slim", env={"NEW": "1"}, name="renamed")
    )
    assert changed.status is EnvironmentStatus.CREATING
    assert changed.generation == 2
    running = await core.running(made)
    assert (running.name, running.image, dict(running.env)) == ("renamed", "python:3.11-slim", {"NEW": "1"})
    after = await core.container(made)
    assert after.id != before.id
    assert (
        await core.run(made, "cat /root/file; echo $NEW; test ! -e /beside; python3 -c 'print(1+1)'") == "kept\n1\n2\n"
    )
    assert await core.said(made) == ["installing"]


async def test_cpu_and_memory_change_in_place(core: EnvironmentCore) -> None:
    made = await core.create()
    await core.running(made)
    before = await core.container(made)
    changed = await core.environments.update(core.who, made.id, EnvironmentChange(cpu="250m", memory="96Mi"))
    assert changed.generation == 1

    async def limits() -> bool:
        state = await core.container(made)
        return (state.cpu_millicores, state.memory_limit_bytes) == (250, 96 * 2**20)

    await until(limits)
    after = await core.container(made)
    assert (after.id, after.started_at) == (before.id, before.started_at)


async def test_a_stopped_one_is_made_anew_when_it_starts(core: EnvironmentCore) -> None:
    made = await core.create("echo installing")
    await core.running(made)
    await core.environments.stop(core.who, made.id)
    await core.until(made, EnvironmentStatus.STOPPED)
    changed = await core.environments.update(core.who, made.id, EnvironmentChange(port=9000))
    assert changed.status is EnvironmentStatus.STOPPED
    await core.environments.start(core.who, made.id)
    await core.running(made)
    assert await core.run(made, "echo $PORT") == "9000\n"


async def test_deleting_removes_container_home_and_network(core: EnvironmentCore) -> None:
    made = await core.create()
    await core.running(made)
    assert [volume.object_id for volume in await core.engine.list_volumes()] == [made.id]
    await core.environments.delete(core.who, made.id)
    # The name is free at once, also while the old one goes.
    again = await core.create()
    assert made.id not in {one.id for one in await core.environments.all(core.who)}
    await core.until_gone(made)
    await core.running(again)
    assert {state.object_id for state in await core.engine.list_containers()} == {again.id}
    assert [volume.object_id for volume in await core.engine.list_volumes()] == [again.id]
    await core.environments.delete(core.who, again.id)
    await core.until_gone(again)
    assert await core.engine.list_containers() == []
    assert await core.engine.list_volumes() == []
    with pytest.raises(NotFound):
        await core.environments.delete(core.who, again.id)


async def test_a_failing_step_says_why_and_a_restart_goes_on_with_it(core: EnvironmentCore) -> None:
    made = await core.create(
        "echo one >> /root/steps",
        "test -e /root/repaired || { echo it is broken; exit 7; }",
        "echo three >> /root/steps",
    )
    failed = await core.until(made, EnvironmentStatus.ERROR)
    assert failed.reason == "install_failed"
    assert failed.error_message is not None
    assert "step 2 of 3" in failed.error_message
    assert "code 7" in failed.error_message
    assert "it is broken" in failed.error_message
    assert not failed.installation_completed
    assert (await core.events(made))[-1].kind is InstallEventKind.ERROR
    with pytest.raises(WrongState):
        await core.environments.running_container(core.who, made.id)

    await core.environments.restart(core.who, made.id)
    await core.until(made, EnvironmentStatus.ERROR)
    await core.run(made, "touch /root/repaired")
    await core.environments.restart(core.who, made.id)
    fixed = await core.running(made)
    assert fixed.error_message is None
    assert await core.run(made, "cat /root/steps") == "one\nthree\n"


async def test_others_cannot_see_or_touch_it(core: EnvironmentCore) -> None:
    made = await core.create()
    other = await core.user("eve")
    assert await core.environments.all(other) == []
    for ask in (
        core.environments.get(other, made.id),
        core.environments.start(other, made.id),
        core.environments.stop(other, made.short_id),
        core.environments.restart(other, made.id),
        core.environments.delete(other, made.id),
        core.environments.usage(other, made.id),
        core.environments.logs(other, made.id),
        core.environments.running_container(other, made.id),
        core.environments.update(other, made.id, EnvironmentChange(name="mine")),
        anext(core.environments.follow(other, made.id)),
    ):
        with pytest.raises(NotFound):
            await ask
    # Names are each tenant's own.
    template = await core.template()
    assert (await core.environments.create(other, EnvironmentRequest("dev", template.name))).name == "dev"


async def test_a_name_is_taken_once(core: EnvironmentCore) -> None:
    await core.create(name="Dev")
    with pytest.raises(Conflict) as refused:
        await core.create(name="dev")
    assert refused.value.details["field"] == "name"
    second = await core.create(name="second")
    with pytest.raises(Conflict):
        await core.environments.update(core.who, second.id, EnvironmentChange(name="DEV"))
    assert (await core.environments.update(core.who, second.id, EnvironmentChange(name="Second"))).name == "Second"


async def test_one_that_was_paused_by_hand_says_so_and_can_be_deleted(core: EnvironmentCore) -> None:
    made = await core.create()
    await core.running(made)
    client = docker.from_env()
    try:
        client.api.pause((await core.container(made)).id)
        paused = await core.eventually(made, lambda now: now.reason == "paused")
        assert "docker unpause" in paused.message
        client.api.unpause((await core.container(made)).id)
        await core.running(made)
        client.api.pause((await core.container(made)).id)
        await core.eventually(made, lambda now: now.reason == "paused")
    finally:
        client.close()
    await core.environments.delete(core.who, made.id)
    await core.until_gone(made)
    assert await core.engine.list_containers() == []


class Terminals:
    """What terminals were told."""

    def __init__(self) -> None:
        self.told: list[tuple[EndReason, str]] = []

    async def warn(self, environment_id: str, text: str) -> int:
        return 0

    async def end_all(self, environment_id: str, reason: EndReason, message: str) -> None:
        self.told.append((reason, message))


async def test_terminals_are_told_why_they_end(core: EnvironmentCore) -> None:
    terminals = Terminals()
    core.parts.connect(terminals)
    made = await core.create()
    await core.running(made)
    assert terminals.told == []
    await core.environments.stop(core.who, made.id)
    assert (await core.environments.settled(core.who, made.id, seconds=60)).status is EnvironmentStatus.STOPPED
    await core.environments.start(core.who, made.id)
    assert (await core.environments.settled(core.who, made.id, seconds=60)).status is EnvironmentStatus.RUNNING
    await core.environments.update(core.who, made.id, EnvironmentChange(env={"A": "b"}))
    await core.running(made)
    await core.environments.delete(core.who, made.id)
    await core.until_gone(made)
    assert terminals.told == [
        (EndReason.CONTAINER_STOPPED, "dev was stopped"),
        (EndReason.CONTAINER_REMOVED, "dev is made anew; its home stays"),
        (EndReason.CONTAINER_REMOVED, "dev was deleted"),
    ]


async def test_the_journal_tells_the_whole_story_and_no_deployment_event(core: EnvironmentCore) -> None:
    made = await core.create("true")
    await core.running(made)
    await core.environments.delete(core.who, made.id)
    await core.until_gone(made)
    async with core.database.session() as session:
        entries = await journal_queries.of_object(session, made.id, before=None, limit=100)
    kinds = [entry.kind.value for entry in reversed(entries)]
    assert kinds[0] == "environment.created"
    assert kinds[-2:] == ["environment.deleted", "environment.removed"]
    statuses = [entry.data["status"] for entry in reversed(entries) if entry.kind.value == "environment.status.changed"]
    assert statuses == ["installing", "running"]
    assert all(kind.startswith("environment.") for kind in kinds)
    assert not any(kind in TOLD for kind in (entry.kind for entry in entries))
