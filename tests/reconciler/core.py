"""The core without surfaces: storage, services and reconciler on a real engine and a real ingress."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
from cryptography.fernet import Fernet

from backend.domain.accounts import CredentialKind, Principal
from backend.domain.deployments import Deployment, DeploymentRequest, DeploymentState, DeploymentStatus
from backend.domain.engine import ContainerState
from backend.domain.journal import JournalEntry
from backend.engines.docker import DockerEngine
from backend.ingress.caddy import CaddyIngress
from backend.ingress.tls import TlsOptions
from backend.services.accounts import AccountService
from backend.services.deployments import DeploymentService, PublicAddress
from backend.services.event_bus import EventBus
from backend.services.journal import Journal
from backend.services.reconciler import NetworkPool, Reconciler, ReconcilerOptions
from backend.services.replicas import ReplicaView
from backend.services.secrets import SecretBox
from backend.storage.database import Database
from backend.storage.deployments import DeploymentQueries

DEADLINE_SECONDS = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def random_pool() -> str:
    """A pool of its own for each test, so that tests side by side never want the same subnet."""
    return f"10.{200 + secrets.randbelow(12)}.{secrets.randbelow(64) * 4}.0/22"


class Core:
    """Start it, use it, `crash` it, start it again: what is on disk and on the engine stays."""

    def __init__(self, folder: Path, engine_url: str | None = None) -> None:
        self.folder = folder
        self.installation = secrets.token_hex(8)
        self.ingress_port = free_port()
        self.pool = random_pool()
        self.key = Fernet.generate_key()
        self.engine_url = engine_url
        self.who: Principal
        self.start_deadline_seconds = 20.0
        self.suffix = "localhost"
        self.tls: TlsOptions | None = None
        self.drain_seconds = 10.0

    async def start(self) -> None:
        self.database = Database.at(self.folder / "pilothouse.db")
        await self.database.start()
        self.engine = DockerEngine(self.installation, base_url=self.engine_url)
        await self.engine.start()
        self.ingress = CaddyIngress(self.folder / "run", self.folder / "log", port=self.ingress_port, tls=self.tls)
        await self.ingress.start()
        self.bus = EventBus()
        self.journal = Journal(self.database, self.bus)
        self.queries = DeploymentQueries(SecretBox(self.key))
        self.view = ReplicaView(self.engine)
        self.address = PublicAddress(self.suffix, self.ingress_port)
        self.reconciler = Reconciler(
            self.database,
            self.queries,
            self.journal,
            self.engine,
            self.view,
            self.ingress,
            self.address,
            ReconcilerOptions(
                installation=self.installation,
                holder="test",
                pool=NetworkPool(self.pool, 24),
                stop_timeout_seconds=5,
                drain_seconds=self.drain_seconds,
                start_deadline_seconds=self.start_deadline_seconds,
            ),
        )
        self.deployments = DeploymentService(
            self.database,
            self.queries,
            self.journal,
            self.engine,
            self.address,
            wake=self.reconciler.wake,
            observe=self.reconciler.observe,
            progress=self.reconciler.progress,
        )
        self.accounts = AccountService(self.database, jwt_secret=b"k" * 32, registration="open", strict_login=False)
        await self.view.start()
        await self.reconciler.start()

    async def user(self, name: str) -> Principal:
        made = await self.accounts.register(name, f"{name}@example.com", "correct horse battery")
        return Principal(made, CredentialKind.SESSION)

    async def stop(self) -> None:
        await self.reconciler.close()
        await self.view.close()
        await self.ingress.close()
        await self.engine.close()
        self.accounts.close()
        await self.database.close()

    async def clean(self) -> None:
        """Remove everything from the engine, and end the ingress."""
        with suppress(Exception):
            await self.stop()
        engine = DockerEngine(self.installation, base_url=self.engine_url)
        await engine.start()
        for state in await engine.list_containers():
            await engine.remove_container(state.id)
        await engine.close()
        database = Database.at(self.folder / "pilothouse.db")
        await database.start()
        engine = DockerEngine(self.installation, base_url=self.engine_url)
        await engine.start()
        for tenant in {self.who.tenant_id}:
            await engine.remove_network(tenant)
        await engine.close()
        await database.close()
        ingress = CaddyIngress(self.folder / "run", self.folder / "log", port=self.ingress_port)
        await ingress.stop()

    # --- using it

    async def deploy(self, name: str, image: str, port: int = 8000, **more: object) -> Deployment:
        return await self.deployments.create(self.who, DeploymentRequest(name, image, port, **more))  # type: ignore[arg-type]

    async def until(self, deployment: Deployment, *statuses: DeploymentStatus) -> DeploymentState:
        """Its state once it is in one of these statuses."""
        return await self.eventually(deployment, lambda state: state.status in statuses)

    async def eventually(self, deployment: Deployment, holds: Callable[[DeploymentState], bool]) -> DeploymentState:
        state = None
        with suppress(TimeoutError):
            async with asyncio.timeout(DEADLINE_SECONDS):
                while True:
                    state = await self.deployments.state(self.who, deployment.id)
                    if holds(state):
                        return state
                    await asyncio.sleep(0.02)
        raise AssertionError(f"not so after {DEADLINE_SECONDS} s: {state}")

    async def containers(self, deployment: Deployment | None = None) -> list[ContainerState]:
        """What the engine has, asked anew."""
        return await self.engine.list_containers(deployment.id if deployment else None)

    async def until_gone(self, deployment: Deployment) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                async with self.database.session() as session:
                    row = await self.queries.by_id(session, deployment.id)
                if row is None and not await self.containers(deployment):
                    return
                await asyncio.sleep(0.05)

    async def until_removed(self, container_id: str) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                if container_id not in {state.id for state in await self.containers()}:
                    return
                await asyncio.sleep(0.05)

    async def history(self, deployment: Deployment) -> list[JournalEntry]:
        """Oldest first."""
        return list(reversed(await self.deployments.history(self.who, deployment.id, limit=500)))

    async def get(self, name: str, path: str = "/") -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            return await client.get(
                f"http://127.0.0.1:{self.ingress_port}{path}", headers={"Host": f"{name}.localhost"}
            )


class Load:
    """Requests to one app, one after another from several clients, until it ends; keeps what came back."""

    def __init__(self, core: Core, name: str, *, clients: int = 3, path: str = "/") -> None:
        self._core = core
        self._name = name
        self._path = path
        self._clients = clients
        self._tasks: list[asyncio.Task[None]] = []
        self.faults: list[str] = []
        self.answers: list[str] = []

    async def __aenter__(self) -> Load:
        self._tasks = [asyncio.create_task(self._run()) for _ in range(self._clients)]
        return self

    async def __aexit__(self, *exception: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def more(self, count: int) -> None:
        """Until so many more answers came."""
        wanted = len(self.answers) + count
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                if len(self.answers) >= wanted:
                    return
                await asyncio.sleep(0.02)

    async def _run(self) -> None:
        url = f"http://127.0.0.1:{self._core.ingress_port}{self._path}"
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            while True:
                try:
                    answer = await client.get(url, headers={"Host": f"{self._name}.localhost"})
                except httpx.HTTPError as error:
                    self.faults.append(repr(error))
                else:
                    if answer.status_code == 200:
                        self.answers.append(answer.text)
                    else:
                        self.faults.append(f"{answer.status_code} {answer.text[:100]}")
                await asyncio.sleep(0.005)
