"""Composition of development environments: templates, the environments, and the workers behind them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from backend.domain.engine import Engine
from backend.services.environments.changes import EnvironmentChanges
from backend.services.environments.context import EnvironmentOptions, EnvironmentShared
from backend.services.environments.networks import LocalNetworks
from backend.services.environments.places import EngineOf, Place, Places
from backend.services.environments.rules import EnvironmentLimits
from backend.services.environments.service import EnvironmentService
from backend.services.environments.supervisor import EnvironmentReconciler
from backend.services.environments.templates import TemplateService
from backend.services.environments.usage import EnvironmentUsageReader
from backend.services.journal import Journal
from backend.services.logs import LogService
from backend.services.reconciler import Reconciler, ReconcilerOptions
from backend.services.replicas import ReplicaView
from backend.services.secrets import SecretBox
from backend.storage.database import Database
from backend.storage.environments import EnvironmentQueries
from backend.storage.templates import TemplateQueries


@dataclass(frozen=True, slots=True)
class DevEnvironments:
    """Start it after the replica view, close it before."""

    templates: TemplateService
    service: EnvironmentService
    reconciler: EnvironmentReconciler
    usage: EnvironmentUsageReader

    @classmethod
    def of(
        cls,
        database: Database,
        box: SecretBox,
        journal: Journal,
        engine: Engine,
        view: ReplicaView,
        deployments: Reconciler,
        options: ReconcilerOptions,
        *,
        limits: EnvironmentLimits,
        engine_of: EngineOf,
        choose: Callable[[str | None], Awaitable[str | None]],
    ) -> DevEnvironments:
        """`engine_of` and `choose` are the cluster registry's: the engine of a cluster's uuid, and the uuid of the
        cluster that is named for a new environment, None for the local engine."""
        queries, templates = EnvironmentQueries(box), TemplateQueries(box)
        changes = EnvironmentChanges()
        logs = LogService(engine, view, lambda who, environment_id: service.get(who, environment_id))
        local = Place(None, engine, view, deployments.images, LocalNetworks(deployments.slots), logs)
        places = Places(
            database, local, engine_of, options.pool, lambda who, environment_id: service.get(who, environment_id)
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
            limits=limits,
            wake=reconciler.wake,
            progress=reconciler.progress,
            choose=choose,
        )
        return cls(TemplateService(database, templates), service, reconciler, usage)

    async def start(self) -> None:
        """At the first start of an installation, with the default templates."""
        await self.templates.initialize_first()
        await self.reconciler.start()
        await self.service.activity.start()

    async def close(self) -> None:
        await self.service.activity.close()
        await self.reconciler.close()
        await self.usage.close()
