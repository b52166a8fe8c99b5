"""The composition root: builds every part, hands them to each other, and owns their lives. It alone sees all."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import logging
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from litestar.types import ASGIApp

from backend.custom_domains import CustomDomains
from backend.dev_environments import DevEnvironments
from backend.domain.engine import Engine
from backend.domain.errors import DomainError
from backend.domain.ingress import Ingress
from backend.domain.rate_limits import RateClass
from backend.outgoing import Outgoing
from backend.parts import accounts_of, clusters_of, engine_of, ingress_of, open_database, secret_of
from backend.rate_limiting import RateLimiting, limits_of
from backend.root_app import root_app
from backend.services.deployments import DeploymentService, PublicAddress
from backend.services.event_bus import EventBus
from backend.services.held_terminals import HeldTerminals
from backend.services.housekeeping import Housekeeping
from backend.services.journal import Journal
from backend.services.live import LiveService
from backend.services.logs import LogService
from backend.services.metrics import MetricService
from backend.services.notifications import NotificationService
from backend.services.reconciler import Reconciler, ReconcilerOptions
from backend.services.reconciler.slots import NetworkPool
from backend.services.replicas import ReplicaView
from backend.services.request_counter import RequestCounter
from backend.services.secrets import SecretBox
from backend.services.settling import SettlingService
from backend.services.socket_slots import SocketSlots
from backend.services.system import SystemService
from backend.services.terminal_sessions import TerminalSessions
from backend.services.terminals import TerminalService
from backend.services.usage_sampler import UsageSampler
from backend.setting_parsers import SURFACES, TENANT_PREFIX_LENGTH, is_loopback
from backend.settings import Settings
from backend.storage.database import Database
from backend.storage.deployments import DeploymentQueries
from backend.storage.installation import installation_id
from backend.surfaces.container_engine.app import NAME as CONTAINER_ENGINE
from backend.surfaces.container_engine.app import container_engine_app
from backend.surfaces.container_engine_snake.app import NAME as CONTAINER_ENGINE_SNAKE
from backend.surfaces.container_engine_snake.app import container_engine_snake_app
from backend.surfaces.devpocket.app import NAME as DEVPOCKET
from backend.surfaces.devpocket.app import devpocket_app
from backend.surfaces.pilothouse.app import pilothouse_app
from backend.surfaces.services import InstallationFacts, Services
from backend.terminals.client import HolderClient
from backend.version import version
from backend.wire.rendezvous import Places

log = logging.getLogger(__name__)

INGRESS_RETRY_SECONDS = (0.5, 1.0, 2.0, 5.0)
Progress = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Application:
    """What listeners serve."""

    root: ASGIApp
    surfaces: dict[str, ASGIApp]

    def surface(self, name: str) -> ASGIApp:
        """One surface, for the root of a listener of its own."""
        return self.surfaces[name]


@asynccontextmanager
async def build(settings: Settings, progress: Progress) -> AsyncIterator[Application]:
    """Everything, running. The engine and the ingress may be down: what needs them says so, the rest answers."""
    async with AsyncExitStack() as life:
        progress("storage", "Opening storage")
        database = await open_database(settings, life)
        installation = await installation_id(database, datetime.now(UTC))

        progress("engine", "Connecting to the container engine")
        engine = engine_of(settings, installation)
        await engine.start()
        life.push_async_callback(engine.close)

        progress("ingress", "Looking for the ingress")
        ingress = ingress_of(settings)
        life.push_async_callback(ingress.close)
        starting = asyncio.create_task(_start_ingress(ingress), name="ingress-start")
        life.push_async_callback(_cancelled, starting)

        progress("services", "Starting services")
        services = await _services(settings, installation, database, engine, ingress, life)
        surfaces: dict[str, ASGIApp] = {
            CONTAINER_ENGINE: container_engine_app(services, version()),
            CONTAINER_ENGINE_SNAKE: container_engine_snake_app(services, version()),
            DEVPOCKET: devpocket_app(services, version()),
            "pilothouse": pilothouse_app(services),
        }
        limits = RateLimiting.of(settings, services.accounts)
        life.push_async_callback(limits.limiter.close)
        surfaces = limits.around(surfaces)
        yield Application(root=root_app(surfaces, SURFACES, services.system, version()), surfaces=surfaces)


async def _services(
    settings: Settings,
    installation: str,
    database: Database,
    engine: Engine,
    ingress: Ingress,
    life: AsyncExitStack,
) -> Services:
    """The services, started; what is started last ends first."""
    box = SecretBox(secret_of(settings, "encryption"))
    queries = DeploymentQueries(box)
    events = EventBus()
    outgoing = Outgoing.of(settings, database, box, events)
    accounts = accounts_of(settings, database, outgoing.mails)
    life.callback(accounts.close)
    clusters = clusters_of(settings, installation, database, box, engine)
    life.push_async_callback(clusters.close)
    await clusters.start()
    journal = Journal(database, events)
    address = PublicAddress(settings.domain_suffix, settings.ingress_port)
    view = ReplicaView(engine)
    options = ReconcilerOptions(
        installation=installation,
        holder=_holder(settings),
        pool=NetworkPool(settings.network_pool, TENANT_PREFIX_LENGTH),
    )
    reconciler = Reconciler(database, queries, journal, engine, view, ingress, address, options)
    deployments = DeploymentService(
        database,
        queries,
        journal,
        engine,
        address,
        wake=reconciler.wake,
        observe=reconciler.observe,
        progress=reconciler.progress,
    )
    domains = CustomDomains.of(settings, database, queries, journal, ingress, address, reconciler)
    counter = RequestCounter(ingress, reconciler.routes.deployment_of_host)
    sampler = UsageSampler(engine, view, counter)
    metrics = MetricService(database, sampler, counter, deployments.get)
    logs = LogService(engine, view, deployments.get)
    life.push_async_callback(logs.close)
    environments = DevEnvironments.of(
        settings, database, box, journal, engine, view, reconciler, options, clusters, events
    )
    parts = (outgoing, view, reconciler, domains, environments, counter, sampler, metrics, Housekeeping(database))
    for part in parts:
        await part.start()
        life.push_async_callback(part.close)
    system = SystemService(database, engine, ingress)
    holder = HolderClient(Places.of(settings.data_dir))
    life.push_async_callback(holder.close)
    sockets_per_user = limits_of(settings.rate_limits)[DEVPOCKET, RateClass.CONNECTIONS]
    held = HeldTerminals(holder, sockets_per_user=sockets_per_user or sys.maxsize)
    sessions = TerminalSessions(
        held,
        get=environments.service.get,
        running_container=environments.service.running_container,
        touch=environments.service.touch,
    )
    life.push_async_callback(sessions.close)
    environments.connect(sessions)
    live = LiveService(events, view, sampler, deployments.all_of_tenant, system.status)
    life.push_async_callback(live.close)
    return Services(
        accounts=accounts,
        clusters=clusters,
        deployments=deployments,
        domains=domains.service,
        environments=environments.service,
        environment_feed=environments.feed,
        templates=environments.templates,
        settling=SettlingService(deployments, view, patience_seconds=settings.settle_seconds),
        notifications=NotificationService(database, events, address.url),
        events=events,
        logs=logs,
        metrics=metrics,
        live=live,
        terminals=TerminalService(engine, view, deployments.get, is_ready=reconciler.is_ready, held=held),
        system=system,
        facts=_facts(settings, installation),
        max_body_bytes=settings.max_body_bytes,
        terminal_sessions=sessions,
        socket_slots=SocketSlots(sockets_per_user),
    )


def _facts(settings: Settings, installation: str) -> InstallationFacts:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    mounted = {name: f"http://{host}:{settings.port}/{name}" for name in SURFACES}
    return InstallationFacts(
        version=version(),
        installation=installation,
        data_dir=str(settings.data_dir),
        ingress_port=settings.ingress_port,
        domain_suffix=settings.domain_suffix,
        base_urls=mounted,
        environment="development" if all(is_loopback(one) for one in settings.listening_hosts) else "production",
    )


def _holder(settings: Settings) -> str:
    """A name for this backend that stays the same over restarts on one data dir."""
    return hashlib.sha256(f"{socket.gethostname()}:{settings.data_dir}".encode()).hexdigest()[:32]


async def _start_ingress(ingress: Ingress) -> None:
    """Start or adopt the ingress, however often it takes; once it runs, it keeps itself running."""
    told = ""
    for attempt in itertools.count():
        try:
            await ingress.start()
            return
        except DomainError as error:
            if error.message != told:
                log.warning("the ingress does not start: %s", error.message)
            told = error.message
        except Exception:
            log.exception("starting the ingress failed")
        await asyncio.sleep(INGRESS_RETRY_SECONDS[min(attempt, len(INGRESS_RETRY_SECONDS) - 1)])


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
