"""When environments were last used: by input into their terminals, and by processes that run in them. One that is idle
for as long as its user chose is stopped, after a warning in its terminals."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from backend.domain.engine import ContainerPhase, ContainerState, UsageSample
from backend.domain.environments import Environment, EnvironmentDesire, EnvironmentStatus
from backend.domain.errors import DomainError
from backend.services.environments.places import Place, Places
from backend.services.journal import utc_now
from backend.storage.database import Database
from backend.storage.environments import EnvironmentQueries

log = logging.getLogger(__name__)

LOOK_SECONDS = 30.0
WRITE_SECONDS = 15.0
# How long before the stop its warning comes: no longer than this, and at most half the time that it takes.
LONGEST_WARNING = timedelta(minutes=5)
# A container in which nothing runs uses no CPU at all; the engine's own looks may cost it a little.
BUSY_CPU_SECONDS = 0.01
# What a terminal waits for is somebody's work, unless it is a shell that waits itself.
SHELLS = frozenset({"sh", "bash", "ash", "dash", "zsh", "fish", "ksh", "mksh", "csh", "tcsh", "busybox"})

Warn = Callable[[str, str], Awaitable[object]]


class ActivityMonitor:
    """Looks at all running environments now and then."""

    def __init__(
        self,
        database: Database,
        queries: EnvironmentQueries,
        places: Places,
        stop_idle: Callable[[Environment, str], Awaitable[None]],
        *,
        clock: Callable[[], datetime] = utc_now,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        """`stop_idle` takes an environment and why it stops."""
        self._database = database
        self._queries = queries
        self._places = places
        self._stop_idle = stop_idle
        self._clock = clock
        self._look_seconds = look_seconds
        self._warn: Warn = _nobody
        self._seen: dict[str, datetime] = {}
        self._unwritten: set[str] = set()
        self._cpu: dict[str, float] = {}
        # Since when this process knows what a container did: before that, nothing counts as idle.
        self._known_since: dict[str, datetime] = {}
        self._warned: dict[str, datetime] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def on_warning(self, warn: Warn) -> None:
        """Call back with an environment's uuid and a sentence for those who sit at its terminals."""
        self._warn = warn

    async def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._repeat(self.look, self._look_seconds), name="environment-activity"),
            asyncio.create_task(self._repeat(self.write, WRITE_SECONDS), name="environment-activity-writes"),
        ]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(DomainError):
            await self.write()

    def touch(self, environment_id: str) -> None:
        """It is being used right now. Written down soon, many at once."""
        self._seen[environment_id] = self._clock()
        self._unwritten.add(environment_id)

    def last(self, environment: Environment) -> datetime | None:
        """The newest of what is known."""
        seen = self._seen.get(environment.id)
        known = [moment for moment in (environment.last_activity, seen) if moment is not None]
        return max(known, default=None)

    async def write(self) -> None:
        """Store what came in since."""
        pending, self._unwritten = self._unwritten, set()
        if not pending:
            return
        try:
            async with self._database.transaction() as session:
                await self._queries.note_activity(session, {one: self._seen[one] for one in pending})
        except DomainError:
            self._unwritten |= pending
            raise

    async def look(self) -> None:
        """Look once at all that run: note the busy ones, warn and stop the idle ones that want it."""
        async with self._database.session() as session:
            environments = [one for one in await self._queries.everything(session) if _runs(one)]
        by_place: dict[str | None, list[Environment]] = {}
        for environment in environments:
            by_place.setdefault(environment.cluster_id, []).append(environment)
        alive: set[str] = set()
        for cluster_id, there in by_place.items():
            try:
                alive |= await self._look_at(await self._places.of(cluster_id), there)
            except DomainError as error:
                log.debug("the activity on %s is not known: %s", cluster_id or "the local engine", error.message)
                alive |= set(self._known_since)
        self._cpu = {key: value for key, value in self._cpu.items() if key in alive}
        self._known_since = {key: value for key, value in self._known_since.items() if key in alive}
        ids = {environment.id for environment in environments}
        self._warned = {key: value for key, value in self._warned.items() if key in ids}
        self._seen = {key: value for key, value in self._seen.items() if key in ids or key in self._unwritten}

    async def _look_at(self, place: Place, environments: Sequence[Environment]) -> set[str]:
        """The runs of containers that were looked at."""
        pairs: list[tuple[Environment, ContainerState]] = []
        for environment in environments:
            running = [one for one in place.containers(environment.id) if one.phase is ContainerPhase.RUNNING]
            if running:
                pairs.append((environment, running[-1]))
        samples = {one.container_id: one for one in await place.engine.usage([state for _, state in pairs])}
        for environment, state in pairs:
            if await self._is_busy(place, state, samples.get(state.id)):
                self.touch(environment.id)
            self._known_since.setdefault(_run_of(state), self._clock())
            if environment.idle_stop_minutes:
                await self._consider(environment, state)
        return {_run_of(state) for _, state in pairs}

    async def _is_busy(self, place: Place, state: ContainerState, sample: UsageSample | None) -> bool:
        """Whether something used CPU since the last look, or a terminal waits for a program. In doubt it is."""
        if sample is None:
            return True
        before = self._cpu.get(_run_of(state))
        self._cpu[_run_of(state)] = sample.cpu_seconds
        if before is not None and not 0 <= sample.cpu_seconds - before < BUSY_CPU_SECONDS:
            return True
        try:
            processes = await place.engine.processes(state.id)
        except DomainError as error:
            log.debug("the processes of %s are not known: %s", state.name, error.message)
            return True
        return any(one.foreground and one.command not in SHELLS for one in processes)

    async def _consider(self, environment: Environment, state: ContainerState) -> None:
        now = self._clock()
        limit = timedelta(minutes=environment.idle_stop_minutes)
        notice = min(LONGEST_WARNING, limit / 2)
        moments = (self.last(environment), environment.started_at, self._known_since[_run_of(state)])
        idle = now - max(moment for moment in moments if moment is not None)
        if idle < limit - notice:
            self._warned.pop(environment.id, None)
        elif environment.id not in self._warned:
            self._warned[environment.id] = now
            await self._tell(environment, idle, notice)
        elif idle >= limit and now - self._warned[environment.id] >= notice:
            del self._warned[environment.id]
            await self._stop_idle(environment, f"nobody used it for {_minutes(idle)}")

    async def _tell(self, environment: Environment, idle: timedelta, notice: timedelta) -> None:
        text = (
            f"{environment.name} has been idle for {_minutes(idle)} and stops in {_minutes(notice)}; "
            "press any key to keep it running"
        )
        try:
            await self._warn(environment.id, text)
        except DomainError as error:
            log.info("the terminals of environment %s are not warned: %s", environment.id, error.message)

    async def _repeat(self, work: Callable[[], Awaitable[None]], seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await work()
            except DomainError as error:
                log.info("the activity of environments: %s", error.message)
            except Exception:
                log.exception("looking after the activity of environments failed")


def _run_of(state: ContainerState) -> str:
    """One run of a container: stopped and started again it is another, with its whole time before it."""
    return f"{state.id} {state.started_at}"


def _runs(environment: Environment) -> bool:
    return environment.status is EnvironmentStatus.RUNNING and environment.desired is EnvironmentDesire.RUNNING


def _minutes(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    if minutes < 1:
        return f"{int(span.total_seconds())} seconds"
    return "1 minute" if minutes == 1 else f"{minutes} minutes"


async def _nobody(environment_id: str, text: str) -> None:
    """No terminals to warn."""
