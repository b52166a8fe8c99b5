"""What a crash leaves half done is finished by the next start, once; what an engine loses comes back."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from backend.domain.accounts import CredentialKind, Principal
from backend.domain.engine import ContainerPhase, ContainerSpec, ContainerState
from backend.domain.environments import Environment, EnvironmentStatus
from backend.engines.networks import network_name
from backend.services.environments.context import container_name, volume_name
from tests.engines.engine_bench import until
from tests.services.environments.environment_core import EnvironmentCore


@asynccontextmanager
async def killed_core(
    tmp_path: Path, *commands: str, marker: str
) -> AsyncIterator[tuple[EnvironmentCore, Environment]]:
    """A core that goes on after another one, which was killed as soon as `marker` existed in the container."""
    core = EnvironmentCore(tmp_path)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.services.environments.environment_process",
        str(tmp_path),
        core.installation,
        core.key.hex(),
        core.pool,
        json.dumps(commands),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        environment_id = (await process.stdout.readline()).decode().strip()
        core.engine = watcher = core.make_engine()

        async def marked() -> bool:
            return bool(await watcher.list_containers(environment_id)) and await has(core, environment_id, marker)

        await until(marked)
    finally:
        process.kill()
        await process.wait()
    await watcher.close()
    await core.start()
    user = (await core.accounts.login("ada@example.com", "correct horse battery")).user
    core.who = Principal(user, CredentialKind.SESSION)
    core.tenants.add(user.tenant_id)
    try:
        yield core, await core.environments.get(core.who, environment_id)
    finally:
        await core.clean()


async def has(core: EnvironmentCore, environment_id: str, path: str) -> bool:
    """Whether a file is in the environment's running container."""
    states = await core.engine.list_containers(environment_id)
    if not states or states[0].phase is not ContainerPhase.RUNNING:
        return False
    process = await core.engine.exec_process(states[0].id, ["test", "-e", path], env={})
    while await process.read():
        continue
    await process.close()
    return await process.exit_code() == 0


async def test_a_killed_backend_leaves_an_installation_that_the_next_one_finishes(tmp_path: Path) -> None:
    slow = "echo two >> /root/steps; touch /begun; test -e /root/second || { touch /root/second; sleep 300; }; echo end"
    async with killed_core(tmp_path, "echo one >> /root/steps", slow, "echo three >> /root/steps", marker="/begun") as (
        core,
        environment,
    ):
        assert environment.status is EnvironmentStatus.INSTALLING
        before = await core.container(environment)
        await core.running(environment)
        after = await core.container(environment)
        assert after.id == before.id
        # The step that was under way is run again, alone; what it had left running is gone.
        assert await core.run(environment, "cat /root/steps") == "one\ntwo\ntwo\nthree\n"
        assert not any(one.command == "sleep" and one.foreground for one in await core.engine.processes(after.id))
        assert "sleep 300" not in await core.run(environment, "ps -o args")
        assert await core.said(environment) == ["end"]


@pytest.mark.parametrize("begun", [False, True])
async def test_a_container_that_was_made_before_the_crash_is_taken_up(core: EnvironmentCore, begun: bool) -> None:
    made = await core.create("echo installing", "touch /installed")
    await core.running(made)
    # As a crash leaves it between making a container and starting it, or marking its first step.
    state = await core.container(made)
    await core.crash()
    core.engine = engine = core.make_engine()
    await engine.remove_container(state.id)
    spec = ContainerSpec(
        name=container_name(core.installation, made),
        image=made.digest,
        kind="environment",
        object_id=made.id,
        tenant_id=made.tenant_id,
        generation=1,
        ordinal=0,
        network=network_name(core.installation, made.tenant_id),
        entrypoint=("sleep",),
        command=("2147483647",),
        volumes={volume_name(core.installation, made): "/root"},
        cpu_millicores=500,
        memory_bytes=64 * 2**20,
    )
    half_done = await engine.create_container(spec)
    if begun:
        await engine.start_container(half_done)
    await engine.close()
    await core.start()

    async def installed() -> bool:
        return await has(core, made.id, "/installed")

    await until(installed)
    await core.running(made)
    assert (await core.container(made)).id == half_done
    assert await core.said(made) == ["installing"]


async def test_crashes_while_stopping_and_deleting_are_finished(core: EnvironmentCore) -> None:
    first, second = await core.create(name="first"), await core.create(name="second")
    await asyncio.gather(core.running(first), core.running(second))
    await core.parts.reconciler.close()  # nobody works on what is asked for now
    await core.environments.stop(core.who, first.id)
    await core.environments.delete(core.who, second.id)
    await core.restart()
    await core.eventually(first, lambda now: now.status is EnvironmentStatus.STOPPED)
    await core.until_gone(second)
    assert {state.object_id for state in await core.engine.list_containers()} == {first.id}
    assert [volume.object_id for volume in await core.engine.list_volumes()] == [first.id]


async def test_a_restart_that_was_asked_for_is_done_after_the_crash(core: EnvironmentCore) -> None:
    made = await core.create()
    await core.running(made)
    before = await core.container(made)
    await core.parts.reconciler.close()
    await core.environments.restart(core.who, made.id)
    await core.restart()
    await core.eventually(made, lambda now: now.reason == "running" and now.started_at != before.started_at)
    after = await core.container(made)
    assert after.id == before.id
    await core.restart()
    await core.running(made)
    assert (await core.container(made)).started_at == after.started_at


async def test_what_is_removed_or_ended_by_hand_comes_back(core: EnvironmentCore) -> None:
    made = await core.create("touch /installed")
    await core.running(made)
    first = await core.container(made)
    await core.run(made, "echo kept > /root/file")
    await core.engine.stop_container(first.id, 1)

    async def up_again() -> ContainerState | None:
        states = await core.engine.list_containers(made.id)
        return states[0] if states and states[0].phase is ContainerPhase.RUNNING else None

    stopped = await until(up_again)
    assert stopped.id == first.id
    await core.engine.remove_container(first.id)

    async def anew() -> bool:
        state = await up_again()
        return state is not None and state.id != first.id and await has(core, made.id, "/installed")

    await until(anew)
    await core.running(made)
    assert await core.run(made, "cat /root/file") == "kept\n"


async def test_a_container_of_no_environment_is_removed_and_its_volume_kept(core: EnvironmentCore) -> None:
    made = await core.create()
    await core.running(made)
    await core.crash()
    async with core.reopened_database() as database, database.transaction() as session:
        await core.parts.reconciler._shared.queries.purge(session, made.id)
    await core.start()

    async def empty() -> bool:
        return not await core.engine.list_containers()

    await until(empty)
    assert [volume.object_id for volume in await core.engine.list_volumes()] == [made.id]


async def test_an_environment_that_is_deleted_while_it_installs_goes_at_once(core: EnvironmentCore) -> None:
    made = await core.create("touch /begun; sleep 300")

    async def begun() -> bool:
        return await has(core, made.id, "/begun")

    await until(begun)
    await core.environments.delete(core.who, made.id)
    await core.until_gone(made)
    assert await core.engine.list_containers() == []


async def test_a_crash_after_the_last_step_tells_the_end_once(core: EnvironmentCore) -> None:
    made = await core.create("echo one")
    await core.running(made)
    told = await core.events(made)
    await core.crash()
    async with core.reopened_database() as database, database.transaction() as session:
        await core.parts.reconciler._shared.queries.write(
            session, made.id, status=EnvironmentStatus.INSTALLING, reason="installing", installation_completed=False
        )
    await core.start()
    assert (await core.running(made)).installation_completed
    assert await core.events(made) == told
