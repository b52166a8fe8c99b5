"""One environment's worker: looks at what was asked for and what is there, takes the next step, and looks again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from backend.domain.engine import ContainerPhase, ContainerState
from backend.domain.environments import Environment, EnvironmentDesire, EnvironmentStatus, EnvironmentWork
from backend.domain.errors import DomainError, EngineUnavailable, ImageRejected, NotFound, Unavailable
from backend.domain.terminals import EndReason
from backend.services.environments.context import EnvironmentShared
from backend.services.environments.installation import ContainerRestarted, Installation, StepFailed
from backend.services.environments.places import Place
from backend.services.environments.record import EnvironmentRecorder, Superseded, asked
from backend.services.environments.steps import EnvironmentSteps, limits_hold
from backend.services.reconciler.lease import LeaseLost
from backend.services.reconciler.pass_loop import PassLoop
from backend.storage import networks

log = logging.getLogger(__name__)

T = TypeVar("T")

CRASHES_BEFORE_ERROR = 3
# An image, network or address may go away between looking and using; that is tried again.
TRIES = 4
SOON_SECONDS = 0.5
SLOWEST_SECONDS = 30.0
_UP = (ContainerPhase.RUNNING, ContainerPhase.RESTARTING, ContainerPhase.PAUSED)


class EnvironmentWorker:
    """Runs passes one after another; `wake` asks for another. Ends when the environment is gone."""

    def __init__(self, shared: EnvironmentShared, environment_id: str) -> None:
        self._shared = shared
        self._id = environment_id
        self._loop = PassLoop(
            f"environment {environment_id}", self._pass, lambda *news: shared.report(environment_id, *news)
        )
        self._recorder = EnvironmentRecorder(shared, environment_id)
        self._steps = EnvironmentSteps(shared, self._recorder)
        self._installation = Installation(shared, self._recorder)
        self._tries = 0
        self._tried_at = 0.0
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self.wake()
        self.task = asyncio.create_task(self._loop.run(), name=f"environment-{self._id}")

    def wake(self) -> None:
        self._loop.wake()

    async def close(self) -> None:
        if self.task:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
        self._recorder.close()

    # --- one pass

    async def _pass(self) -> bool:
        """One look, and what it takes to get where the user wants it; True when the environment is gone."""
        async with self._shared.database.session() as session:
            found = await self._shared.queries.with_work(session, self._id)
        if found is None:
            return True
        environment, work = found
        try:
            place = await self._shared.places.of(environment.cluster_id)
        except NotFound as error:
            if environment.desired is not EnvironmentDesire.DELETED:
                raise
            log.warning("environment %s is forgotten, its cluster is gone: %s", self._id, error.message)
            await self._recorder.forget(environment)
            return True
        if not place.view.engine_up:
            self._shared.report(self._id, "engine_down", f"waiting for the engine: {place.view.engine_message}")
            return False
        try:
            match environment.desired:
                case EnvironmentDesire.DELETED:
                    return await self._delete(environment, place)
                case EnvironmentDesire.STOPPED:
                    await self._stop(environment, work, place)
                case EnvironmentDesire.RUNNING:
                    await self._run(environment, work, place)
        except Superseded:
            self.wake()
        return False

    async def _delete(self, environment: Environment, place: Place) -> bool:
        await self._recorder.hold(environment)
        self._shared.report(self._id, "deleting", "removing the container and its files")
        await self._steps.remove_everything(environment, place)
        await self._recorder.forget(environment)
        async with self._shared.database.session() as session:
            if place.cluster_id is None:
                in_use = await networks.tenant_in_use(session, environment.tenant_id)
            else:
                in_use = await self._shared.queries.tenant_on_cluster(session, environment.tenant_id, place.cluster_id)
        await self._steps.release_network(environment, place, in_use)
        return True

    async def _stop(self, environment: Environment, work: EnvironmentWork, place: Place) -> None:
        states = [state for state in place.containers(environment.id) if state.phase in _UP]
        if states:
            await self._recorder.hold(environment)
            self._shared.report(self._id, "stopping", "stopping", environment.status)
            await self._shared.end_terminals(
                environment.id, EndReason.CONTAINER_STOPPED, f"{environment.name} was stopped"
            )
            for state in states:
                await self._steps.stop(place, state)
        await self._conclude(environment, work, EnvironmentStatus.STOPPED, "stopped", "stopped; its files are kept")
        await self._recorder.rest()

    async def _run(self, environment: Environment, work: EnvironmentWork, place: Place) -> None:
        if environment.status is EnvironmentStatus.ERROR:
            # Until somebody asks for something else: a restart, or a change.
            self._shared.settled(self._id)
            return
        try:
            state = await self._up(environment, work, place)
        except (EngineUnavailable, LeaseLost, Superseded):
            raise
        except ContainerRestarted as error:
            log.info("environment %s: %s", self._id, error.message)
            self.wake()
            return
        except DomainError as error:
            await self._failed(environment, work, error)
            return
        if state is None:
            return
        self._tries = 0
        await self._conclude(
            environment,
            work,
            EnvironmentStatus.RUNNING,
            "running",
            "running",
            error_message=None,
            installation_completed=True,
            started_at=state.started_at,
        )
        await self._recorder.rest()

    async def _up(self, environment: Environment, work: EnvironmentWork, place: Place) -> ContainerState | None:
        """The container, running and installed; None where there is something to wait for first."""
        states = place.containers(environment.id)
        current = [state for state in states if state.generation == environment.generation]
        old = [state for state in states if state.generation != environment.generation]
        state = current[-1] if current else None
        if state is None:
            await self._recorder.hold(environment)
            await self._guarded(environment, work, self._steps.pull(environment, work, place))
            state = await self._steps.make(environment, work, place, old)
            if state is not None and work.restarts_done != work.restarts_asked:
                await self._recorder.write(environment, work, restarts_done=work.restarts_asked)
        elif work.restarts_done != work.restarts_asked or _interrupted(work, state):
            await self._recorder.hold(environment)
            self._shared.report(self._id, "restarting", "restarting", environment.status)
            state = await self._steps.restart(environment, place, state)
            if state is not None:
                await self._recorder.write(
                    environment, work, restarts_done=work.restarts_asked, step_begun=work.steps_done
                )
        elif state.phase is ContainerPhase.PAUSED:
            self._shared.report(
                self._id, "paused", f"it is paused: go on with 'docker unpause {state.name}'", environment.status
            )
            return None
        elif state.phase is ContainerPhase.RESTARTING:
            return self._looping(state)
        elif state.phase is not ContainerPhase.RUNNING:
            await self._recorder.hold(environment)
            self._shared.report(self._id, "starting", "starting", environment.status)
            state = await self._steps.start(environment, place, state)
        if state is None or state.phase is not ContainerPhase.RUNNING:
            return self._again(state)
        if not limits_hold(environment, state):
            await self._recorder.hold(environment)
            state = await self._steps.limit(environment, place, state)
            if state is None:
                return self._again(state)
        if not environment.installation_completed or work.container_id != state.id:
            await self._recorder.hold(environment)
            work = await self._work_now(environment, work)
            if work.container_id != state.id:
                await self._steps.note_home(environment, work, place)
            await self._guarded(environment, work, self._installation.run(environment, work, place, state))
        return state

    def _again(self, state: ContainerState | None) -> ContainerState | None:
        """It went away, or ended, between two looks: look again, but not for ever."""
        self._note_try()
        if self._tries >= TRIES:
            said = "" if state is None else f" (code {state.exit_code}) {state.error}".rstrip()
            raise StepFailed(f"the container does not stay up{said}")
        self._loop.retry_in(SOON_SECONDS)
        return None

    def _note_try(self) -> None:
        """One more; those that events bring about in quick succession are one."""
        now = asyncio.get_running_loop().time()
        if now - self._tried_at >= SOON_SECONDS / 2:
            self._tries += 1
            self._tried_at = now

    def _looping(self, state: ContainerState) -> ContainerState | None:
        """It ends and the engine starts it again: wait for its events, but not for ever."""
        if state.restart_count >= CRASHES_BEFORE_ERROR:
            raise StepFailed(
                f"the container ends again and again (code {state.exit_code}): its image needs a 'sleep' that works"
            )
        return None

    async def _work_now(self, environment: Environment, work: EnvironmentWork) -> EnvironmentWork:
        async with self._shared.database.session() as session:
            found = await self._shared.queries.with_work(session, self._id)
        if found is None or asked(*found) != asked(environment, work):
            raise Superseded
        return found[1]

    async def _guarded(self, environment: Environment, work: EnvironmentWork, work_to_do: Coroutine[Any, Any, T]) -> T:
        """Do what may take long, and give it up where users ask for something else meanwhile."""
        doing = asyncio.create_task(work_to_do, name=f"environment-work-{environment.short_id}")
        woken = False
        try:
            while not doing.done():
                if await self._loop.woken_during(doing):
                    woken = True
                    await self._work_now(environment, work)
            return await doing
        finally:
            doing.cancel()
            await asyncio.gather(doing, return_exceptions=True)
            if woken:
                self.wake()

    # --- outcome

    async def _failed(self, environment: Environment, work: EnvironmentWork, error: DomainError) -> None:
        """It cannot be brought up: say why and wait for the user, or try again what may be passing."""
        passing = isinstance(error, NotFound) or error.details.get("reason") in ("address", "subnet")
        if isinstance(error, Unavailable) or (passing and self._tries < TRIES):
            self._note_try()
            self._shared.report(self._id, "retrying", error.message, environment.status)
            self._loop.retry_in(min(SOON_SECONDS * max(1, self._tries), SLOWEST_SECONDS))
            return
        self._tries = 0
        reason = "create_failed"
        if isinstance(error, ImageRejected):
            reason = "pull_failed"
        elif isinstance(error, StepFailed):
            reason = "install_failed" if "step" in error.details else "start_failed"
        await self._conclude(
            environment, work, EnvironmentStatus.ERROR, reason, error.message, error_message=error.message
        )
        await self._recorder.rest()

    async def _conclude(
        self,
        environment: Environment,
        work: EnvironmentWork,
        status: EnvironmentStatus,
        reason: str,
        message: str,
        **columns: Any,
    ) -> None:
        """Store what it came to, unless storage has it so. Raises Superseded."""
        wanted = {"status": status, "reason": reason, "message": message, **columns}
        async with self._shared.database.session() as session:
            stored = await self._shared.queries.by_id(session, self._id)
        if stored is None or any(getattr(stored, name) != value for name, value in wanted.items()):
            await self._recorder.write(environment, work, status=status, reason=reason, message=message, **columns)
        self._shared.settled(self._id)


def _interrupted(work: EnvironmentWork, state: ContainerState) -> bool:
    """Whether a step was under way when its worker ended: what it left running must not meet its repetition."""
    return work.container_id == state.id and work.step_begun > work.steps_done
