"""Environments without surfaces: storage, services and workers on a real engine."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from backend.dev_environments import DevEnvironments
from backend.domain.accounts import CredentialKind, Principal, Role
from backend.domain.engine import ContainerState, Engine
from backend.domain.environments import (
    Environment,
    EnvironmentRequest,
    EnvironmentResources,
    EnvironmentStatus,
    InstallEvent,
    InstallEventKind,
    Template,
    TemplateCategory,
    TemplateRequest,
)
from backend.domain.errors import NotFound
from backend.engines.docker import DockerEngine
from backend.ingress.caddy import CaddyIngress
from backend.services.accounts import AccountService
from backend.services.deployments import PublicAddress
from backend.services.event_bus import EventBus
from backend.services.journal import Journal
from backend.services.reconciler import NetworkPool, Reconciler, ReconcilerOptions
from backend.services.replicas import ReplicaView
from backend.services.secrets import SecretBox
from backend.settings import Settings
from backend.storage import install_events
from backend.storage.database import Database
from backend.storage.deployments import DeploymentQueries
from tests.engines.engine_bench import exit_code_of

DEADLINE_SECONDS = 60.0
IMAGE = "busybox:latest"


def random_pool() -> str:
    """A pool of its own for each test, so that tests side by side never want the same subnet."""
    return f"10.{220 + secrets.randbelow(30)}.{secrets.randbelow(64) * 4}.0/22"


@dataclass
class EnvironmentCore:
    """Start it, use it, `crash` it, start it again: what is on disk and on the engine stays."""

    folder: Path
    engine_url: str | None = None
    installation: str = field(default_factory=lambda: secrets.token_hex(8))
    remote: dict[str, Engine] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.settings = Settings(data_dir=self.folder)
        self.pool = random_pool()
        self.key = secrets.token_bytes(32)
        self.who: Principal
        self.tenants: set[str] = set()

    async def start(self) -> None:
        self.database = Database.at(self.folder / "pilothouse.db")
        await self.database.start()
        self.engine = DockerEngine(self.installation, base_url=self.engine_url)
        await self.engine.start()
        self.bus = EventBus()
        self.journal = Journal(self.database, self.bus)
        box = SecretBox(self.key)
        self.view = ReplicaView(self.engine)
        options = ReconcilerOptions(
            installation=self.installation, holder="test", pool=NetworkPool(self.pool, 24), stop_timeout_seconds=2
        )
        # Not started: it lends its networks and pulls.
        self.deployments = Reconciler(
            self.database,
            DeploymentQueries(box),
            self.journal,
            self.engine,
            self.view,
            CaddyIngress(self.folder / "run", self.folder / "log", port=1),
            PublicAddress("localhost", 1),
            options,
        )
        self.parts = DevEnvironments.of(
            self.settings,
            self.database,
            box,
            self.journal,
            self.engine,
            self.view,
            self.deployments,
            options,
            self,
            self.bus,
        )
        self.environments, self.templates = self.parts.service, self.parts.templates
        self.accounts = AccountService(self.database, jwt_secret=b"k" * 32, registration="open", strict_login=False)
        await self.view.start()
        await self.parts.start()

    async def engine_of(self, cluster_id: str | None) -> Engine:
        if cluster_id is None:
            return self.engine
        if cluster_id not in self.remote:
            raise NotFound(f"there is no cluster {cluster_id!r}")
        return self.remote[cluster_id]

    async def choose(self, cluster_id: str | None) -> str | None:
        if cluster_id is not None:
            await self.engine_of(cluster_id)
        return cluster_id

    async def user(self, name: str, role: Role = Role.USER) -> Principal:
        made = await self.accounts.register(name, f"{name}@example.com", "correct horse battery")
        self.tenants.add(made.tenant_id)
        return Principal(replace(made, role=role), CredentialKind.SESSION)

    async def stop(self) -> None:
        await self.parts.close()
        await self.view.close()
        await self.engine.close()
        self.accounts.close()
        await self.database.close()

    async def restart(self) -> None:
        """As after a kill: nothing is finished or put in order, then all begins anew."""
        await self.crash()
        await self.start()

    def make_engine(self) -> DockerEngine:
        """Another view of the same engine."""
        return DockerEngine(self.installation, base_url=self.engine_url)

    @asynccontextmanager
    async def reopened_database(self) -> AsyncIterator[Database]:
        """What is stored, while no core is started."""
        database = Database.at(self.folder / "pilothouse.db")
        await database.start()
        try:
            yield database
        finally:
            await database.close()

    async def crash(self) -> None:
        """Take the workers away in the middle of what they do."""
        for worker in list(self.parts.reconciler._workers.values()):
            assert worker.task is not None
            worker.task.cancel()
        await self.stop()

    async def clean(self) -> None:
        """Remove everything from the engines."""
        with suppress(Exception):
            await self.stop()
        for url in (self.engine_url, *(getattr(engine, "url", None) for engine in self.remote.values())):
            engine = DockerEngine(self.installation, base_url=url)
            for state in await engine.list_containers():
                await engine.remove_container(state.id)
            for volume in await engine.list_volumes():
                await engine.remove_volume(volume.name)
            for tenant in self.tenants:
                await engine.remove_network(tenant)
            await engine.close()

    # --- using it

    async def template(self, *commands: str, image: str = IMAGE, **more: Any) -> Template:
        admin = await self.admin()
        request = TemplateRequest(
            name=f"test-{secrets.token_hex(4)}",
            display_name="Test",
            image=image,
            category=TemplateCategory.DEVOPS,
            default_resources=EnvironmentResources("500m", "64Mi", "1Gi"),
            startup_commands=commands,
        )
        return await self.templates.create(admin, replace(request, **more))

    async def admin(self) -> Principal:
        if not hasattr(self, "_admin"):
            self._admin = await self.user(f"admin{secrets.token_hex(3)}", Role.ADMIN)
        return self._admin

    async def create(self, *commands: str, name: str = "dev", image: str = IMAGE, **more: Any) -> Environment:
        template = await self.template(*commands, image=image)
        return await self.environments.create(self.who, EnvironmentRequest(name, template.id, **more))

    async def get(self, environment: Environment) -> Environment:
        return await self.environments.get(self.who, environment.id)

    async def until(self, environment: Environment, *statuses: EnvironmentStatus) -> Environment:
        return await self.eventually(environment, lambda now: now.status in statuses and now.reason != "queued")

    async def running(self, environment: Environment) -> Environment:
        return await self.eventually(
            environment, lambda now: now.status is EnvironmentStatus.RUNNING and now.reason == "running"
        )

    async def eventually(self, environment: Environment, holds: Callable[[Environment], bool]) -> Environment:
        now = None
        with suppress(TimeoutError):
            async with asyncio.timeout(DEADLINE_SECONDS):
                while True:
                    now = await self.get(environment)
                    if holds(now):
                        return now
                    await asyncio.sleep(0.03)
        raise AssertionError(f"not so after {DEADLINE_SECONDS} s: {now}")

    async def until_gone(self, environment: Environment) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                try:
                    await self.get(environment)
                except NotFound:
                    return
                await asyncio.sleep(0.03)

    async def container(self, environment: Environment) -> ContainerState:
        """The only one that the engine has of it, asked anew."""
        (state,) = await self.engine.list_containers(environment.id)
        return state

    async def run(self, environment: Environment, script: str) -> str:
        """What a shell in it says; fails where it does."""
        state = await self.container(environment)
        process = await self.engine.exec_process(state.id, ["sh", "-c", script], env={})
        said = b""
        while output := await process.read():
            said += b"".join(data for _, data in output)
        assert await exit_code_of(process) == 0, said
        await process.close()
        return said.decode()

    async def events(self, environment: Environment) -> list[InstallEvent]:
        async with self.database.session() as session:
            return await install_events.of_environment(session, environment.id)

    async def said(self, environment: Environment) -> list[str]:
        """The lines of its installation."""
        return [event.text for event in await self.events(environment) if event.kind is InstallEventKind.LOG]
