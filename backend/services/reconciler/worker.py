"""One deployment's reconciler: looks, plans a step, takes it, and looks again until nothing is left to do."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime

from backend.domain.deployments import Deployment, DeploymentStatus, DesiredState
from backend.domain.engine import ContainerPhase, ContainerState
from backend.domain.errors import DomainError, EngineUnavailable, Unavailable
from backend.services.reconciler.context import Shared
from backend.services.reconciler.faults import crashed
from backend.services.reconciler.outcome import Outcome
from backend.services.reconciler.pass_loop import FIRST_RETRY_SECONDS, PassLoop
from backend.services.reconciler.record import Recorder
from backend.services.reconciler.replica_steps import ReplicaSteps
from backend.services.reconciler.rollout import Plan, ReplicaFact, plan
from backend.storage import networks

log = logging.getLogger(__name__)


class DeploymentWorker:
    """Runs passes one after another; `wake` asks for another. Ends when the deployment is gone."""

    def __init__(self, shared: Shared, deployment_id: str) -> None:
        self._shared = shared
        self._id = deployment_id
        self._loop = PassLoop(
            f"deployment {deployment_id}", self._pass, lambda *news: shared.report(deployment_id, *news)
        )
        self._make_after = 0.0
        self._started_over: datetime | None = None
        self.recorder = Recorder(shared, deployment_id)
        self.steps = ReplicaSteps(shared, self.recorder, self.wake)
        self.outcome = Outcome(shared, self.recorder)
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self.wake()
        self.task = asyncio.create_task(self._loop.run(), name=f"reconcile-{self._id}")

    def wake(self) -> None:
        self._loop.wake()

    def try_now(self) -> None:
        """Wake it, and try again at once what failed before: somebody asked for it, or the engine came back."""
        self._make_after = 0.0
        self._loop.wake()

    async def close(self) -> None:
        if self.task:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
        await self.steps.close()
        await self.recorder.close()

    # --- one pass

    async def _pass(self) -> bool:
        """One look and one step; True when the deployment is gone."""
        shared = self._shared
        async with shared.database.glance() as session:
            deployment = await shared.queries.by_id(session, self._id)
        if deployment is None:
            return True
        if not shared.view.engine_up:
            shared.report(self._id, "engine_down", f"waiting for the container engine: {shared.view.engine_message}")
            return False
        match deployment.desired:
            case DesiredState.DELETED:
                return await self._delete(deployment)
            case DesiredState.STOPPED:
                await self._stop(deployment)
            case DesiredState.RUNNING:
                await self._run_replicas(deployment)
        return False

    async def _delete(self, deployment: Deployment) -> bool:
        shared = self._shared
        await self.recorder.hold(deployment)
        states = shared.view.of(deployment.id)
        shared.routes.remove(deployment.id)
        await self._flush_routes()
        self.steps.abandon()
        await asyncio.gather(*(self.steps.remove(deployment, state, drain=True) for state in states))
        # What a crash left half-made may not be in the view yet.
        for state in await shared.engine.list_containers(deployment.id):
            await self.steps.remove(deployment, state, drain=False)
        await self.steps.release_all(deployment)
        await self.recorder.write(deployment, forget=True)
        shared.progress.pop(deployment.id, None)
        shared.view.notify_readers(deployment.id)
        async with shared.database.session() as session:
            in_use = await networks.tenant_in_use(session, deployment.tenant_id)
        if not in_use:
            try:
                await shared.slots.release_tenant(deployment.tenant_id)
            except DomainError as error:
                # Somebody deployed again meanwhile, or attached a container of their own.
                log.info("the tenant's network stays: %s", error.message)
        return True

    async def _stop(self, deployment: Deployment) -> None:
        shared = self._shared
        states = shared.view.of(deployment.id)
        active = [state for state in states if not _idle(state) or state.generation != deployment.generation]
        if active:
            await self.recorder.hold(deployment)
            shared.report(deployment.id, "stopping", f"stopping {len(active)} replicas", deployment.status)
            self._route(deployment, (), "the app is stopped")
            await self._flush_routes()
            self.steps.abandon()
            await asyncio.gather(
                *(
                    self.steps.stop(deployment, state)
                    if state.generation == deployment.generation
                    else self.steps.remove(deployment, state, drain=True)
                    for state in active
                )
            )
        self._route(deployment, (), "the app is stopped")
        await self._flush_routes()
        await self.outcome.stopped(deployment)
        await self.recorder.rest()

    async def _run_replicas(self, deployment: Deployment) -> None:
        shared = self._shared
        states = shared.view.of(deployment.id)
        facts = self._facts(deployment, states)
        step = plan(deployment.replicas, deployment.generation, facts)
        by_id = {state.id: state for state in states}

        self._route(
            deployment, [endpoint for key in step.route if (endpoint := by_id[key].endpoint)], "no replica is ready yet"
        )
        if await self.outcome.rolled_back(deployment, states):
            self.wake()
            return
        await self._flush_routes()
        if deployment.status is DeploymentStatus.STARTING and self._started_over != deployment.updated_at:
            self._started_over = deployment.updated_at
            await self._start_over(deployment, states)
        for key in step.retire:
            await self.recorder.hold(deployment)
            self.steps.retire_later(deployment, by_id[key])
            self.wake()
        if step.create or step.start:
            # What a failed try itself changed on the engine wakes us too: that must not cut the pause short.
            pause = self._make_after - asyncio.get_running_loop().time()
            if pause > 0:
                self._loop.retry_in(pause)
                self.steps.revive(deployment, states)
                return
            await self.recorder.hold(deployment)
            try:
                await self._make(deployment, step, by_id)
            except EngineUnavailable:
                raise
            except DomainError as error:
                retry = await self.outcome.cannot_make(deployment, error)
                self._make_after = asyncio.get_running_loop().time() + retry
                self._loop.retry_in(retry)
                return
        self.steps.revive(deployment, states)
        await self.outcome.settle(deployment, shared.view.of(deployment.id), step)
        if step.complete:
            await self.recorder.rest()

    async def _start_over(self, deployment: Deployment, states: Sequence[ContainerState]) -> None:
        """A start asked for by hand does not wait for the engine's back-off; the engine counts its exits anew."""
        looping = [s for s in states if s.generation == deployment.generation and crashed(s)]
        for state in looping:
            await self.recorder.hold(deployment)
            await self.steps.restart(state)

    def _facts(self, deployment: Deployment, states: Sequence[ContainerState]) -> list[ReplicaFact]:
        shared = self._shared
        facts = []
        for state in states:
            ready, proven, undecided = False, False, False
            if state.phase is ContainerPhase.RUNNING:
                host = shared.address.host(deployment.app_name)
                probe = shared.monitor.watch(state, deployment.spec.health_check, host)
                ready, proven, undecided = probe.ready, probe.proven, probe.undecided
            else:
                shared.monitor.forget(state.id)
            facts.append(
                ReplicaFact(
                    container_id=state.id,
                    generation=state.generation,
                    ordinal=state.ordinal,
                    ready=ready,
                    idle=_idle(state) and not self.steps.busy(state.id),
                    draining=state.id in shared.draining,
                    proven=proven,
                    trusted=proven or state.generation == deployment.stable_generation,
                    undecided=undecided,
                )
            )
        return facts

    async def _make(self, deployment: Deployment, step: Plan, by_id: dict[str, ContainerState]) -> None:
        if step.create and not await self._pulled(deployment):
            return
        making = asyncio.create_task(self._make_all(deployment, step, by_id), name=f"make-{deployment.short_id}")
        try:
            # Those that are ready serve at once, while the others still come up.
            while not making.done():
                if await self._loop.woken_during(making):
                    await self._serve_ready(deployment)
            await making
        finally:
            making.cancel()
            await asyncio.gather(making, return_exceptions=True)
            self.wake()

    async def _make_all(self, deployment: Deployment, step: Plan, by_id: dict[str, ContainerState]) -> None:
        if step.create:
            await self.steps.create(deployment, step.create)
        if step.start:
            await asyncio.gather(*(self.steps.start(deployment, by_id[key]) for key in step.start))

    async def _serve_ready(self, deployment: Deployment) -> None:
        states = self._shared.view.of(deployment.id)
        endpoints = {state.id: state.endpoint for state in states}
        step = plan(deployment.replicas, deployment.generation, self._facts(deployment, states))
        self._route(deployment, [found for key in step.route if (found := endpoints[key])], "no replica is ready yet")
        await self._flush_routes()

    async def _pulled(self, deployment: Deployment) -> bool:
        """Wait for the image, which may take for ever; False where users asked for something else meanwhile."""
        pull = asyncio.create_task(self.steps.ensure_image(deployment), name=f"image-{deployment.short_id}")
        woken = False
        try:
            while not pull.done():
                if await self._loop.woken_during(pull):
                    woken = True
                    if not await self._still_wanted(deployment):
                        return False
            await pull
            return True
        finally:
            pull.cancel()
            await asyncio.gather(pull, return_exceptions=True)
            if woken:
                self.wake()

    async def _still_wanted(self, deployment: Deployment) -> bool:
        async with self._shared.database.glance() as session:
            now = await self._shared.queries.by_id(session, self._id)
        return now is not None and (now.desired, now.generation) == (deployment.desired, deployment.generation)

    # --- routes

    def _route(self, deployment: Deployment, endpoints: Sequence[str], otherwise: str) -> None:
        self._shared.routes.set(deployment.id, (self._shared.address.host(deployment.app_name),), endpoints, otherwise)

    async def _flush_routes(self) -> None:
        try:
            await self._shared.routes.flush()
        except Unavailable as error:
            # The book goes on trying; replicas must not be held up, nor stopped, by a door that is shut.
            log.warning("routes of %s are not served yet: %s", self._id, error.message)
            self._loop.retry_in(FIRST_RETRY_SECONDS)


def _idle(state: ContainerState) -> bool:
    """Down, and not coming back by itself."""
    return state.phase in (ContainerPhase.CREATED, ContainerPhase.EXITED, ContainerPhase.DEAD)
