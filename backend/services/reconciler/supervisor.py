"""All deployments' workers: begun at start, for each new deployment, and woken by engine, probes and requests."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from backend.domain.deployments import (
    Deployment,
    DeploymentState,
    DeploymentStatus,
    DesiredState,
    Health,
    Replica,
    ReplicaPhase,
)
from backend.domain.engine import ContainerPhase, ContainerState, Engine
from backend.domain.errors import DomainError, Unavailable
from backend.domain.ingress import Ingress
from backend.services.deployments import PublicAddress
from backend.services.journal import Journal, utc_now
from backend.services.reconciler.context import ReconcilerOptions, Shared
from backend.services.reconciler.images import ImagePuller
from backend.services.reconciler.probes import HealthMonitor
from backend.services.reconciler.routing import RouteBook
from backend.services.reconciler.slots import SlotAllocator
from backend.services.reconciler.worker import DeploymentWorker
from backend.services.replicas import KIND_DEPLOYMENT, ReplicaView
from backend.storage.database import Database
from backend.storage.deployments import DeploymentQueries
from backend.storage.domains import DomainQueries

log = logging.getLogger(__name__)

RESYNC_SECONDS = 60.0
# Passes over many deployments that find nothing to do leave room for requests between them.
PASSES_AT_ONCE = 5
RESYNC_PAUSE_SECONDS = 0.02
TAKE_OVER_RETRY_SECONDS = 2.0


class Reconciler:
    """Brings the world to what was asked, after requests, engine events and crashes of any of us."""

    def __init__(
        self,
        database: Database,
        queries: DeploymentQueries,
        journal: Journal,
        engine: Engine,
        view: ReplicaView,
        ingress: Ingress,
        address: PublicAddress,
        options: ReconcilerOptions,
    ) -> None:
        self.routes = RouteBook(ingress, drain_seconds=options.drain_seconds)
        self.images = ImagePuller(engine)
        self.slots = SlotAllocator(database, engine, options.pool)
        self._view = view
        self._engine = engine
        self._database = database
        self._queries = queries
        self._domains = DomainQueries(address.host)
        self._reading_domains = asyncio.Lock()
        self._monitor = HealthMonitor(view.notify, start_deadline_seconds=options.start_deadline_seconds)
        self._shared = Shared(
            options=options,
            database=database,
            queries=queries,
            journal=journal,
            engine=engine,
            view=view,
            monitor=self._monitor,
            routes=self.routes,
            images=self.images,
            slots=self.slots,
            address=address,
            engine_slots=asyncio.Semaphore(options.engine_calls_at_once),
        )
        self._workers: dict[str, DeploymentWorker] = {}
        self._task: asyncio.Task[None] | None = None
        self._adopted = False

    # --- life

    async def start(self) -> None:
        """Load what was asked for and begin; returns at once, also where the engine is down."""
        self._view.on_change(self._changed)
        self._task = asyncio.create_task(self._run(), name="reconciler")

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await asyncio.gather(*(worker.close() for worker in self._workers.values()))
        await self.routes.close()
        await self._monitor.close()

    def wake(self, deployment_id: str) -> None:
        """Desired state changed."""
        worker = self._workers.get(deployment_id)
        if worker and worker.task and not worker.task.done():
            worker.try_now()
        elif self._adopted:
            self._begin(deployment_id)

    async def route_domains(self) -> None:
        """Serve the custom domains that storage has now, and no others; returns once it is so. Raises Unavailable
        where the ingress does not take them, and goes on trying."""
        await self._read_domains()
        if not self._adopted:
            raise Unavailable("the container engine has not answered since the start: nothing new is routed before")
        await self.routes.flush()

    async def _read_domains(self) -> None:
        async with self._reading_domains, self._database.session() as session:
            self.routes.assign_domains(await self._domains.routed(session))

    # --- looking

    def progress(self, deployment: Deployment) -> tuple[str, str] | None:
        """A fresher reason and message than storage has."""
        found = self._shared.progress.get(deployment.id)
        if found is None or found.during not in (None, deployment.status):
            return None
        return found.reason, found.message

    def is_ready(self, state: ContainerState) -> bool:
        """Whether a replica passes its health check now."""
        probe = self._monitor.of(state)
        return probe is not None and probe.ready

    def observe(self, deployment: Deployment) -> DeploymentState:
        """The live state of a deployment."""
        states = self._view.of(deployment.id)
        replicas = tuple(self._replica(state) for state in states)
        ready = [
            state
            for state, replica in zip(states, replicas, strict=True)
            if replica.phase is ReplicaPhase.READY and state.generation == deployment.generation
        ]
        serving = sum(replica.phase is ReplicaPhase.READY for replica in replicas)
        checks = [probe.last_check for state in states if (probe := self._monitor.of(state)) and probe.last_check]
        started = min((state.started_at for state in ready if state.started_at), default=None)
        reason, message = self.progress(deployment) or (deployment.reason, deployment.message)
        return DeploymentState(
            status=deployment.status,
            reason=reason,
            message=message,
            error_message=deployment.error_message,
            health=_health(deployment, len(ready), replicas),
            desired=deployment.replicas,
            ready=len(ready),
            available=serving,
            restart_count=deployment.restart_count + sum(state.restart_count for state in states),
            uptime_seconds=max(0, int((utc_now() - started).total_seconds())) if started else 0,
            last_health_check=max(checks, default=deployment.last_health_check),
            replicas=replicas,
        )

    def _replica(self, state: ContainerState) -> Replica:
        probe = self._monitor.of(state)
        message = state.error
        if state.id in self._shared.draining:
            phase = ReplicaPhase.DRAINING
        elif state.phase is ContainerPhase.RESTARTING:
            phase = ReplicaPhase.BACKING_OFF
        elif state.phase is ContainerPhase.CREATED:
            phase = ReplicaPhase.CREATED
        elif state.phase in (ContainerPhase.EXITED, ContainerPhase.DEAD):
            phase = ReplicaPhase.EXITED
        elif probe and probe.ready:
            phase = ReplicaPhase.READY
        elif probe and probe.failed:
            phase = ReplicaPhase.UNHEALTHY
        else:
            phase = ReplicaPhase.STARTING
        if not message and probe and phase in (ReplicaPhase.UNHEALTHY, ReplicaPhase.STARTING):
            message = probe.message
        return Replica(
            container_id=state.id,
            name=state.name,
            generation=state.generation,
            ordinal=state.ordinal,
            phase=phase,
            address=state.endpoint,
            started_at=state.started_at,
            restart_count=state.restart_count,
            exit_code=state.exit_code,
            oom_killed=state.oom_killed,
            message=message,
        )

    # --- work

    def _changed(self, deployment_id: str) -> None:
        if deployment_id:
            worker = self._workers.get(deployment_id)
            if worker:
                worker.wake()
            return
        self._shared.slots.forget_networks()
        for worker in self._workers.values():
            worker.try_now()

    def _begin(self, deployment_id: str) -> None:
        worker = DeploymentWorker(self._shared, deployment_id)
        self._workers[deployment_id] = worker
        worker.start()
        assert worker.task is not None
        worker.task.add_done_callback(lambda _: self._ended(deployment_id, worker))

    def _ended(self, deployment_id: str, worker: DeploymentWorker) -> None:
        if self._workers.get(deployment_id) is worker:
            del self._workers[deployment_id]

    async def _run(self) -> None:
        await self._view.listed.wait()
        while not self._adopted:
            try:
                await self._take_over()
            except DomainError as error:
                log.warning("what was asked for cannot be read yet: %s", error.message)
                await asyncio.sleep(TAKE_OVER_RETRY_SECONDS)
            except Exception:
                log.exception("taking over failed")
                await asyncio.sleep(TAKE_OVER_RETRY_SECONDS)
        while True:
            try:
                await self._resync()
            except DomainError as error:
                log.info("resync put off: %s", error.message)
            except Exception:
                log.exception("resync failed")
            await asyncio.sleep(RESYNC_SECONDS)

    async def _take_over(self) -> None:
        async with self._database.session() as session:
            deployments = await self._queries.everything(session)
        await self._read_domains()
        self._adopt(deployments, await self.routes.serving())
        await self.routes.open()
        self._adopted = True
        for number, deployment in enumerate(deployments):
            if deployment.id not in self._workers:
                self._begin(deployment.id)
            if number % PASSES_AT_ONCE == 0:
                await asyncio.sleep(0)

    def _adopt(self, deployments: Sequence[Deployment], serving: Mapping[str, Collection[str]]) -> None:
        """Count replicas that the ingress serves as ready until a check says otherwise, so that a restart of ours takes
        nothing from it. No others: only what was ready was ever routed, and storage may not yet know of it, or know a
        generation that is on its way out."""
        self._shared.adopted.update(state.id for state in self._view.all())
        for deployment in deployments:
            if deployment.desired is DesiredState.DELETED:
                continue
            host = self._shared.address.host(deployment.app_name)
            # Of its domains as well: the platform's suffix, and with it the app's own host, may be another than before.
            served = {one for name in (host, *self.routes.domains_of(deployment.id)) for one in serving.get(name, ())}
            endpoints = []
            for state in self._view.of(deployment.id) if deployment.desired is DesiredState.RUNNING else ():
                if state.phase is not ContainerPhase.RUNNING:
                    continue
                serves = state.endpoint in served
                self._monitor.adopt(state, deployment.spec.health_check, host, serves=serves)
                if serves and state.endpoint:
                    endpoints.append(state.endpoint)
            self.routes.set(deployment.id, (host,), endpoints, "no replica is ready yet")

    async def _resync(self) -> None:
        """Wake all, begin workers for what another backend stored, and remove what no row knows of."""
        await self._read_domains()
        async with self._database.session() as session:
            known = await self._queries.ids(session)
        for deployment_id in known - self._workers.keys():
            self._begin(deployment_id)
        for number, worker in enumerate(list(self._workers.values())):
            worker.wake()
            if number % PASSES_AT_ONCE == 0:
                await asyncio.sleep(RESYNC_PAUSE_SECONDS)
        if not self._view.engine_up:
            return
        for state in self._view.all():
            if state.kind != KIND_DEPLOYMENT or state.object_id in known or state.object_id in self._workers:
                continue
            async with self._database.session() as session:
                if await self._queries.by_id(session, state.object_id) is not None:
                    continue
            log.warning("removing %s, which belongs to no deployment", state.name)
            await self._engine.remove_container(state.id)
            self._view.drop(state.id)


def _health(deployment: Deployment, ready: int, replicas: Sequence[Replica]) -> Health:
    if deployment.desired is not DesiredState.RUNNING or deployment.replicas == 0:
        return Health.UNKNOWN
    if ready >= deployment.replicas:
        return Health.HEALTHY
    troubled = any(replica.phase in (ReplicaPhase.UNHEALTHY, ReplicaPhase.BACKING_OFF) for replica in replicas)
    settled = deployment.status in (DeploymentStatus.RUNNING, DeploymentStatus.FAILED)
    return Health.UNHEALTHY if troubled or settled else Health.UNKNOWN
