"""An engine that goes away in the middle, and comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.domain.environments import EnvironmentStatus
from backend.domain.errors import EngineUnavailable
from tests.engines.engine_bench import until
from tests.engines.engine_relay import Relay
from tests.services.environments.environment_core import EnvironmentCore


@pytest.fixture
async def relay(tmp_path: Path) -> AsyncIterator[Relay]:
    relay = Relay(tmp_path / "engine.sock")
    await relay.open()
    yield relay
    if relay.path.exists():
        await relay.cut()


@pytest.fixture
async def core(tmp_path: Path, relay: Relay) -> AsyncIterator[EnvironmentCore]:
    core = EnvironmentCore(tmp_path, engine_url=f"unix://{relay.path}")
    await core.start()
    core.who = await core.user("ada")
    try:
        yield core
    finally:
        if not relay.path.exists():
            await relay.open()
        await core.clean()


async def test_an_installation_goes_on_after_the_engine_was_lost(core: EnvironmentCore, relay: Relay) -> None:
    made = await core.create("echo one >> /steps", "touch /begun; test -e /second || { touch /second; sleep 300; }")

    async def begun() -> bool:
        states = await core.engine.list_containers(made.id)
        if not states or states[0].phase.value != "running":
            return False
        process = await core.engine.exec_process(states[0].id, ["test", "-e", "/begun"], env={})
        while await process.read():
            continue
        return await process.exit_code() == 0

    await until(begun)
    await relay.cut()
    lost = await core.eventually(made, lambda now: now.reason == "engine_down")
    assert lost.status is EnvironmentStatus.INSTALLING
    await relay.open()
    await core.running(made)
    assert await core.run(made, "cat /steps") == "one\n"


async def test_what_is_asked_for_meanwhile_is_done_later(core: EnvironmentCore, relay: Relay) -> None:
    first, second = await core.create(name="first"), await core.create(name="second")
    await core.running(first)
    await core.running(second)
    await relay.cut()
    await core.eventually(first, lambda now: now.reason == "engine_down")
    with pytest.raises(EngineUnavailable):
        await core.create(name="third")
    with pytest.raises(EngineUnavailable):
        await core.environments.running_container(core.who, first.id)
    assert (await core.environments.usage(core.who, first.id)).cpu_limit_cores == 0.5
    await core.environments.stop(core.who, first.id)
    await core.environments.delete(core.who, second.id)
    terminated = await core.environments.all(core.who, EnvironmentStatus.TERMINATED)
    assert [one.id for one in terminated] == [second.id]
    await relay.open()
    await core.until(first, EnvironmentStatus.STOPPED)
    await core.eventually(first, lambda now: now.status is EnvironmentStatus.STOPPED)
    await core.until_gone(second)
    assert {state.object_id for state in await core.engine.list_containers()} == {first.id}
