"""When environments were last used, and the idle ones that are stopped after a warning; the clock is the test's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from backend.domain.engine import ExecStream
from backend.domain.environments import Environment, EnvironmentStatus
from backend.domain.journal import JournalKind
from backend.services.environments.activity import ActivityMonitor
from backend.storage import journal as journal_queries
from tests.engines.engine_bench import until
from tests.services.environments.environment_core import EnvironmentCore


class Watch:
    """The core's activity monitor with a clock of its own, and the warnings that it gave."""

    def __init__(self, core: EnvironmentCore) -> None:
        self.now = datetime.now(UTC)
        self.warnings: list[str] = []
        shared = core.parts.reconciler._shared
        self.monitor = ActivityMonitor(
            core.database,
            shared.queries,
            shared.places,
            core.environments._turns.stop_idle,
            clock=lambda: self.now,
        )
        self.monitor.on_warning(self._warn)
        core.environments.activity = self.monitor

    async def _warn(self, environment_id: str, text: str) -> None:
        self.warnings.append(text)

    async def look_after(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)
        await self.monitor.look()


@pytest.fixture
async def watch(core: EnvironmentCore) -> Watch:
    await core.environments.activity.close()
    return Watch(core)


async def idle_one(core: EnvironmentCore, minutes: int) -> Environment:
    made = await core.create(idle_stop_minutes=minutes)
    return await core.running(made)


async def test_an_idle_one_is_warned_then_stopped_and_the_journal_says_why(core: EnvironmentCore, watch: Watch) -> None:
    made = await idle_one(core, 10)
    await watch.look_after(0)
    await watch.look_after(4)
    assert watch.warnings == []
    await watch.look_after(2)
    assert len(watch.warnings) == 1
    assert made.name in watch.warnings[0] and "6 minutes" in watch.warnings[0] and "5 minutes" in watch.warnings[0]
    await watch.look_after(3)
    assert len(watch.warnings) == 1
    assert (await core.get(made)).status is EnvironmentStatus.RUNNING
    await watch.look_after(2.5)
    stopped = await core.until(made, EnvironmentStatus.STOPPED)
    assert stopped.error_message is None
    async with core.database.session() as session:
        entries = await journal_queries.of_object(session, made.id, before=None, limit=10)
    (entry,) = [entry for entry in entries if entry.kind is JournalKind.ENVIRONMENT_IDLE]
    assert (entry.actor, "nobody used it" in entry.message) == ("system", True)
    # Started again, it has its whole time.
    await core.environments.start(core.who, made.id)
    await core.running(made)
    await watch.look_after(0)
    await watch.look_after(4)
    assert len(watch.warnings) == 1


async def test_input_after_the_warning_keeps_it_running(core: EnvironmentCore, watch: Watch) -> None:
    made = await idle_one(core, 10)
    await watch.look_after(0)
    await watch.look_after(6)
    assert len(watch.warnings) == 1
    await core.environments.touch(made.id)
    await watch.look_after(4)
    await watch.look_after(0.1)
    assert (await core.get(made)).status is EnvironmentStatus.RUNNING
    assert (await core.get(made)).last_activity is not None
    await watch.look_after(2)
    assert len(watch.warnings) == 2


async def test_one_without_a_limit_is_never_stopped(core: EnvironmentCore, watch: Watch) -> None:
    made = await idle_one(core, 0)
    for minutes in (0, 100, 10000):
        await watch.look_after(minutes)
    assert (await core.get(made)).status is EnvironmentStatus.RUNNING
    assert watch.warnings == []


async def test_what_uses_the_processor_is_not_idle(core: EnvironmentCore, watch: Watch) -> None:
    made = await idle_one(core, 10)
    await core.run(made, "(while :; do :; done) > /dev/null 2>&1 &")
    for _ in range(6):
        await core.run(made, "true")
        await watch.look_after(7)
    now = await core.get(made)
    assert now.status is EnvironmentStatus.RUNNING
    assert now.last_activity == watch.now
    assert watch.warnings == []


@pytest.fixture
async def terminal(core: EnvironmentCore, watch: Watch) -> AsyncIterator[tuple[Environment, ExecStream]]:
    made = await idle_one(core, 10)
    state = await core.container(made)
    stream = await core.engine.exec_terminal(state.id, ["sh"], columns=80, rows=24, env={})
    yield made, stream
    await stream.close()


async def test_a_shell_at_its_prompt_is_idle_and_what_it_waits_for_is_not(
    core: EnvironmentCore, watch: Watch, terminal: tuple[Environment, ExecStream]
) -> None:
    made, stream = terminal
    state = await core.container(made)

    async def foreground(command: str) -> bool:
        return any(one.foreground and one.command == command for one in await core.engine.processes(state.id))

    await stream.write(b"sleep 1000\n")
    await until(lambda: foreground("sleep"))
    for _ in range(5):
        await watch.look_after(7)
    assert watch.warnings == []
    assert (await core.get(made)).status is EnvironmentStatus.RUNNING
    await stream.write(b"\x03")
    await until(lambda: foreground("sh"))
    await watch.look_after(0)
    await watch.look_after(6)
    await watch.look_after(6)
    assert len(watch.warnings) == 1
    await core.until(made, EnvironmentStatus.STOPPED)


async def test_nothing_before_this_process_counts_as_idle(core: EnvironmentCore, watch: Watch) -> None:
    made = await idle_one(core, 10)
    watch.now += timedelta(hours=5)
    await watch.look_after(0)
    assert watch.warnings == []
    assert (await core.get(made)).status is EnvironmentStatus.RUNNING


async def test_activity_is_written_down_and_survives(core: EnvironmentCore, watch: Watch) -> None:
    made = await idle_one(core, 0)
    watch.now += timedelta(minutes=3)
    await core.environments.touch(made.id)
    shown = (await core.get(made)).last_activity
    assert shown == watch.now
    await watch.monitor.close()
    await core.restart()
    assert (await core.get(made)).last_activity == shown
