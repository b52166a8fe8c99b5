"""What can be done to replicas: make, start, revive, drain, stop, remove. Each step may be repeated."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from backend.domain.deployments import Deployment
from backend.domain.engine import ContainerPhase, ContainerSpec, ContainerState, PullProgress
from backend.domain.errors import Conflict, DomainError, EngineUnavailable, NotFound
from backend.domain.journal import JournalKind
from backend.domain.quantities import parse_cpu, parse_memory
from backend.services.reconciler.context import Shared
from backend.services.reconciler.pauses import growing_pause
from backend.services.reconciler.record import Recorder
from backend.services.reconciler.slots import container_name
from backend.services.replicas import KIND_DEPLOYMENT
from backend.storage import networks

log = logging.getLogger(__name__)

FIRST_REVIVAL_SECONDS = 10.0
SLOWEST_REVIVAL_SECONDS = 300.0


class ReplicaSteps:
    """One deployment's. Draining and reviving go on in the background, one task a container."""

    def __init__(self, shared: Shared, recorder: Recorder, wake: Callable[[], None]) -> None:
        self._shared = shared
        self._recorder = recorder
        self._wake = wake
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._revivals: dict[str, int] = {}

    def busy(self, container_id: str) -> bool:
        return container_id in self._tasks

    def abandon(self) -> None:
        """Give up reviving and draining; the caller takes over all containers."""
        for key, task in list(self._tasks.items()):
            task.cancel()
            self._shared.draining.discard(key)
        self._tasks.clear()

    async def close(self) -> None:
        tasks = list(self._tasks.values())
        self.abandon()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- up

    async def ensure_image(self, deployment: Deployment) -> None:
        """Pull where the image is not there. Raises ImageRejected."""
        shared, spec = self._shared, deployment.spec
        if await shared.images.present(spec.digest):
            return
        shared.report(deployment.id, "pulling", f"pulling {spec.image}", deployment.status)
        self._recorder.observe(deployment, JournalKind.PULLING, f"pulling {spec.image}", data={"digest": spec.digest})

        def progressed(progress: PullProgress) -> None:
            shared.report(deployment.id, "pulling", f"pulling {spec.image}: {pull_text(progress)}", deployment.status)

        await shared.images.pull(spec.image, spec.digest, spec.registry_auth, progressed)
        self._recorder.observe(deployment, JournalKind.PULLED, f"pulled {spec.image}", data={"digest": spec.digest})

    async def create(self, deployment: Deployment, ordinals: Sequence[int]) -> None:
        """Make and start these replicas, several at a time. Where one fails the others are still tried."""
        shared = self._shared
        many = len(ordinals)
        shared.report(deployment.id, "creating", f"creating {many} replica{'s' if many > 1 else ''}", deployment.status)
        network = await shared.slots.network(deployment.tenant_id)
        names = {
            ordinal: container_name(shared.options.installation, deployment, deployment.generation, ordinal)
            for ordinal in ordinals
        }
        addresses = await shared.slots.addresses(deployment.tenant_id, deployment.id, list(names.values()))
        results = await asyncio.gather(
            *(self._create_one(deployment, network, n, names[n], addresses[names[n]]) for n in ordinals),
            return_exceptions=True,
        )
        faults = [result for result in results if isinstance(result, BaseException)]
        if faults:
            raise next((fault for fault in faults if isinstance(fault, EngineUnavailable)), faults[0])

    async def _create_one(self, deployment: Deployment, network: str, ordinal: int, name: str, address: str) -> None:
        shared, spec = self._shared, deployment.spec
        wanted = ContainerSpec(
            name=name,
            image=spec.digest,
            kind=KIND_DEPLOYMENT,
            object_id=deployment.id,
            tenant_id=deployment.tenant_id,
            generation=deployment.generation,
            ordinal=ordinal,
            network=network,
            env={"PORT": str(spec.port), **spec.env},
            port=spec.port,
            address=address,
            cpu_millicores=parse_cpu(spec.resources.cpu),
            memory_bytes=parse_memory(spec.resources.memory),
            stop_timeout_seconds=shared.options.stop_timeout_seconds,
        )
        async with shared.engine_slots:
            try:
                container_id = await shared.engine.create_container(wanted)
            except NotFound:
                # The network went away under us: look at it anew at the next try.
                shared.slots.forget_networks()
                raise
            except Conflict as error:
                if error.details.get("reason") == "address":
                    # Somebody else's container sits on it: the next try takes another.
                    await shared.slots.release([name])
                raise
            try:
                await self._start(container_id)
            except NotFound as error:
                await self._unbind(container_id, error)
                raise
        self._recorder.observe(
            deployment, JournalKind.REPLICA_CREATED, f"replica {ordinal} started", data={"container": name}
        )

    async def start(self, deployment: Deployment, state: ContainerState) -> None:
        """Start one that was made, or stopped, before."""
        self._shared.report(deployment.id, "starting", "starting replicas", deployment.status)
        async with self._shared.engine_slots:
            try:
                await self._start(state.id)
            except NotFound as error:
                await self._unbind(state.id, error)
                self._shared.view.drop(state.id)
            except Conflict as error:
                if error.details.get("reason") != "address":
                    raise
                # Its fixed address is taken: make it anew with another.
                await self._shared.engine.remove_container(state.id)
                await self._shared.slots.release([state.name])
                self._shared.view.drop(state.id)

    async def _unbind(self, container_id: str, error: NotFound) -> None:
        """Where its network was removed, a container stays bound to what is gone: only a new one can start."""
        if error.details.get("reason") == "network":
            self._shared.slots.forget_networks()
            await self._shared.engine.remove_container(container_id)
            self._shared.view.drop(container_id)

    async def _start(self, container_id: str) -> None:
        try:
            await self._shared.engine.start_container(container_id)
        finally:
            await self._shared.view.refresh(container_id)

    def revive(self, deployment: Deployment, states: Sequence[ContainerState]) -> None:
        """Restart replicas of the stable generation that run but fail their health check, with a growing pause."""
        for state in states:
            probe = self._shared.monitor.of(state)
            failed = probe is not None and probe.failed and state.phase is ContainerPhase.RUNNING
            if probe is not None and probe.ready:
                self._revivals.pop(state.id, None)
            if failed and state.generation == deployment.stable_generation and not self.busy(state.id):
                self._spawn(state.id, self._revive(deployment, state))

    async def _revive(self, deployment: Deployment, state: ContainerState) -> None:
        probe = self._shared.monitor.of(state)
        why = probe.message if probe else "it is not healthy"
        tries = self._revivals.get(state.id, 0)
        self._revivals[state.id] = tries + 1
        self._recorder.observe(
            deployment,
            JournalKind.REPLICA_UNHEALTHY,
            f"replica {state.ordinal} is not healthy ({why}): restarting it",
            generation=state.generation,
        )
        if tries:
            await asyncio.sleep(growing_pause(FIRST_REVIVAL_SECONDS, tries - 1, SLOWEST_REVIVAL_SECONDS))
        await self.restart(state)

    async def restart(self, state: ContainerState) -> None:
        await self._shared.engine.restart_container(state.id, self._shared.options.stop_timeout_seconds)
        await self._shared.view.refresh(state.id)

    # --- down

    def retire_later(self, deployment: Deployment, state: ContainerState) -> None:
        """Drain, stop and remove in the background. The routes without it are already served."""
        if state.id in self._shared.draining:
            return
        self._shared.draining.add(state.id)
        task = self._tasks.pop(state.id, None)
        if task:
            task.cancel()
        self._spawn(state.id, self.remove(deployment, state, drain=True))

    async def stop(self, deployment: Deployment, state: ContainerState) -> None:
        await self._shared.routes.drained(state.endpoint)
        async with self._shared.engine_slots:
            try:
                await self._shared.engine.stop_container(state.id, self._shared.options.stop_timeout_seconds)
            except NotFound:
                self._shared.view.drop(state.id)
                return
            await self._shared.view.refresh(state.id)

    async def remove(self, deployment: Deployment, state: ContainerState, *, drain: bool) -> None:
        if drain:
            await self._shared.routes.drained(state.endpoint)
        async with self._shared.engine_slots:
            if state.phase in (ContainerPhase.RUNNING, ContainerPhase.RESTARTING):
                try:
                    await self._shared.engine.stop_container(state.id, self._shared.options.stop_timeout_seconds)
                except NotFound:
                    log.debug("%s is gone already", state.name)
            await self._shared.engine.remove_container(state.id)
        self._shared.monitor.forget(state.id)
        self._revivals.pop(state.id, None)
        await self._shared.slots.release([state.name])
        self._recorder.observe(
            deployment,
            JournalKind.REPLICA_REMOVED,
            f"replica {state.ordinal} of generation {state.generation} removed",
            generation=state.generation,
            data={"container": state.name},
        )
        self._shared.draining.discard(state.id)
        self._shared.view.drop(state.id)

    async def release_all(self, deployment: Deployment) -> None:
        async with self._shared.database.transaction() as session:
            await networks.release_object(session, deployment.id)

    def _spawn(self, container_id: str, work: Coroutine[Any, Any, None]) -> None:
        async def run() -> None:
            try:
                await work
            except DomainError as error:
                log.warning("%s: %s", container_id[:12], error.message)
                await asyncio.sleep(1)
            except Exception:
                log.exception("work on replica %s failed", container_id[:12])
                await asyncio.sleep(1)
            finally:
                if self._tasks.get(container_id) is asyncio.current_task():
                    del self._tasks[container_id]
                    self._shared.draining.discard(container_id)
                self._wake()

        self._tasks[container_id] = asyncio.create_task(run(), name=f"replica-{container_id[:12]}")


def pull_text(progress: PullProgress) -> str:
    """How far a pull is, for the end of a sentence."""
    if not progress.total_bytes:
        return progress.status
    mebi = 2**20
    percent = 100 * progress.current_bytes // progress.total_bytes
    return f"{percent} % ({progress.current_bytes / mebi:.1f} of {progress.total_bytes / mebi:.1f} MiB)"
