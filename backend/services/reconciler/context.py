"""What all deployment workers share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from backend.domain.deployments import DeploymentStatus
from backend.domain.engine import Engine
from backend.services.deployments import PublicAddress
from backend.services.journal import Journal
from backend.services.reconciler.images import ImagePuller
from backend.services.reconciler.probes import HealthMonitor
from backend.services.reconciler.routing import RouteBook
from backend.services.reconciler.slots import NetworkPool, SlotAllocator
from backend.services.replicas import ReplicaView
from backend.storage.database import Database
from backend.storage.deployments import DeploymentQueries


@dataclass(frozen=True, slots=True)
class ReconcilerOptions:
    """`holder` names this backend in leases and stays the same over restarts on one data folder."""

    installation: str
    holder: str
    pool: NetworkPool = field(default_factory=NetworkPool)
    drain_seconds: float = 10.0
    stop_timeout_seconds: int = 10
    start_deadline_seconds: float = 120.0
    engine_calls_at_once: int = 3
    lease_duration: timedelta = timedelta(seconds=30)


@dataclass(slots=True)
class Progress:
    """What a worker is at, finer and fresher than what storage has."""

    reason: str
    message: str
    during: DeploymentStatus | None


@dataclass(slots=True)
class Shared:
    """Handed to every worker."""

    options: ReconcilerOptions
    database: Database
    queries: DeploymentQueries
    journal: Journal
    engine: Engine
    view: ReplicaView
    monitor: HealthMonitor
    routes: RouteBook
    images: ImagePuller
    slots: SlotAllocator
    address: PublicAddress
    engine_slots: asyncio.Semaphore
    progress: dict[str, Progress] = field(default_factory=dict)
    draining: set[str] = field(default_factory=set)
    # Containers that ran before this process and that nobody has looked at since: what they went through until now
    # is in the journal already.
    adopted: set[str] = field(default_factory=set)

    def report(self, deployment_id: str, reason: str, message: str, during: DeploymentStatus | None = None) -> None:
        """Show progress to whoever looks, without writing it down. It speaks only while the stored status is
        `during`: beside another one, which was written meanwhile, it would be out of date."""
        news = Progress(reason, message, during)
        if self.progress.get(deployment_id) != news:
            self.progress[deployment_id] = news
            self.view.notify_readers(deployment_id)
