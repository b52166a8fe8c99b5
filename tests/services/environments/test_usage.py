"""What an environment uses, beside its limits; and that the limits hold."""

from __future__ import annotations

import asyncio

from backend.domain.environments import Environment, EnvironmentStatus, EnvironmentUsage
from tests.engines.engine_bench import until
from tests.services.environments.environment_core import EnvironmentCore

MEBI = 2**20


async def counted(core: EnvironmentCore, made: Environment) -> EnvironmentUsage:
    """What it uses, once its storage was counted: on a busy machine that takes longer than an answer waits."""

    async def look() -> EnvironmentUsage | None:
        usage = await core.environments.usage(core.who, made.short_id)
        return usage if usage.storage_bytes is not None else None

    found: EnvironmentUsage = await until(look)
    return found


async def test_usage_is_measured_against_its_limits(core: EnvironmentCore) -> None:
    made = await core.create("dd if=/dev/zero of=/root/file bs=1M count=8", cpu="250m", storage="2Gi")
    await core.running(made)
    usage = await counted(core, made)
    assert (usage.cpu_limit_cores, usage.memory_limit_bytes, usage.storage_limit_bytes) == (
        0.25,
        64 * MEBI,
        2048 * MEBI,
    )
    assert usage.cpu_cores is not None and 0 <= usage.cpu_cores < 0.1
    assert usage.memory_bytes is not None and 0 < usage.memory_bytes < 64 * MEBI
    assert usage.storage_bytes is not None and 8 * MEBI <= usage.storage_bytes < 12 * MEBI
    state = await core.container(made)
    # On a file system with quotas it may be enforced; it is said only where it is.
    assert usage.storage_enforced == (state.storage_limit_bytes == 2048 * MEBI)

    await core.run(made, "(while :; do :; done) > /dev/null 2>&1 &")

    async def busy() -> EnvironmentUsage | None:
        usage = await core.environments.usage(core.who, made.id)
        return usage if usage.cpu_cores and usage.cpu_cores > 0.1 else None

    usage = await until(busy)
    assert usage.cpu_cores < 0.4

    await core.environments.stop(core.who, made.id)
    await core.until(made, EnvironmentStatus.STOPPED)
    stopped = await counted(core, made)
    assert (stopped.cpu_cores, stopped.memory_bytes) == (None, None)
    assert stopped.storage_bytes is not None and stopped.storage_bytes >= 8 * MEBI


async def test_many_ask_at_once_and_get_figures(core: EnvironmentCore) -> None:
    made = await core.create()
    await core.running(made)
    usages = await asyncio.gather(*(core.environments.usage(core.who, made.id) for _ in range(10)))
    assert all(usage.cpu_cores is not None and usage.memory_bytes for usage in usages)


async def test_memory_is_bounded_and_an_install_step_that_needs_more_says_so(core: EnvironmentCore) -> None:
    made = await core.create("head -c 200m /dev/zero | tail", memory="32Mi")
    failed = await core.until(made, EnvironmentStatus.ERROR)
    assert failed.error_message is not None
    assert "step 1 of 1" in failed.error_message
    assert "memory limit of 32Mi" in failed.error_message


async def test_a_killed_install_step_is_not_blamed_on_memory(core: EnvironmentCore) -> None:
    made = await core.create("kill -9 $$")
    failed = await core.until(made, EnvironmentStatus.ERROR)
    assert failed.error_message is not None
    assert "ended with code 137" in failed.error_message and "memory" not in failed.error_message
