"""Composition of development environments: templates, the environments, and the workers behind them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from backend.domain.engine import Engine
from backend.domain.terminals import EndReason
from backend.services.environment_feed import EnvironmentFeed
from backend.services.environments.changes import EnvironmentChanges
from backend.services.environments.context import EnvironmentOptions, EnvironmentShared
from backend.services.environments.networks import LocalNetworks
from backend.services.environments.places import Place, Places
from backend.services.environments.rules import EnvironmentLimits
from backend.services.environments.service import EnvironmentService
from backend.services.environments.supervisor import EnvironmentReconciler
from backend.services.environments.templates import TemplateService
from backend.services.environments.usage import EnvironmentUsageReader
from backend.services.event_bus import EventBus
from backend.services.journal import Journal
from backend.services.logs import LogService
from backend.services.reconciler import Reconciler, ReconcilerOptions
from backend.services.replicas import ReplicaView
from backend.services.secrets import SecretBox
from backend.settings import Settings
from backend.storage.database import Database
from backend.storage.environments import EnvironmentQueries
from backend.storage.templates import TemplateQueries


class Clusters(Protocol):
    """The part of the cluster registry that environments need."""

    async def choose(self, cluster_id: str | None) -> str | None:
        """The uuid of a cluster that takes new environments, None for the local engine. Raises NotFound, Conflict."""

    async def engine_of(self, cluster_id: str | None) -> Engine: ...


class Terminals(Protocol):
    """The part of the terminal sessions that environments need; ids are uuids."""

    async def warn(self, environment_id: str, text: str) -> int: ...

    async def end_all(self, environment_id: str, reason: EndReason, message: str) -> None: ...


@dataclass(frozen=True, slots=True)
class DevEnvironments:
    """Start it after the replica view, close it before."""

    templates: TemplateService
    service: EnvironmentService
    feed: EnvironmentFeed
    reconciler: EnvironmentReconciler
    usage: EnvironmentUsageReader

    @classmethod
    def of(
        cls,
        settings: Settings,
        database: Database,
        box: SecretBox,
        journal: Journal,
        engine: Engine,
        view: ReplicaView,
        deployments: Reconciler,
        options: ReconcilerOptions,
        clusters: Clusters,
        events: EventBus,
    ) -> DevEnvironments:
        queries, templates = EnvironmentQueries(box), TemplateQueries(box)
        changes = EnvironmentChanges()
        logs = LogService(engine, view, lambda who, environment_id: service.get(who, environment_id))
        local = Place(None, engine, view, deployments.images, LocalNetworks(deployments.slots), logs)
        places = Places(
            database,
            local,
            clusters.engine_of,
            options.pool,
            lambda who, environment_id: service.get(who, environment_id),
        )
        shared = EnvironmentShared(
            options=EnvironmentOptions(
                installation=options.installation,
                holder=options.holder,
                lease_duration=options.lease_duration,
                stop_timeout_seconds=options.stop_timeout_seconds,
            ),
            database=database,
            queries=queries,
            journal=journal,
            places=places,
            changes=changes,
            engine_slots=asyncio.Semaphore(options.engine_calls_at_once),
        )
        reconciler = EnvironmentReconciler(shared)
        usage = EnvironmentUsageReader(options.installation)
        service = EnvironmentService(
            database,
            queries,
            templates,
            journal,
            places,
            changes,
            usage,
            limits=_limits(settings),
            wake=reconciler.wake,
            progress=reconciler.progress,
            choose=clusters.choose,
        )
        feed = EnvironmentFeed(events, service)
        return cls(TemplateService(database, templates), service, feed, reconciler, usage)

    def connect(self, terminals: Terminals) -> None:
        """Warn terminals before an idle stop, and tell them why they end."""
        self.service.activity.on_warning(terminals.warn)
        self.reconciler.on_ending(terminals.end_all)

    async def start(self) -> None:
        """At the first start of an installation, with the default templates."""
        await self.templates.initialize_first()
        await self.reconciler.start()
        await self.service.activity.start()

    async def close(self) -> None:
        await self.service.activity.close()
        await self.reconciler.close()
        await self.usage.close()


def _limits(settings: Settings) -> EnvironmentLimits:
    return EnvironmentLimits(
        per_user=settings.environments_per_user,
        cpu_millicores=settings.environment_max_cpu,
        memory_bytes=settings.environment_max_memory,
        storage_bytes=settings.environment_max_storage,
    )
