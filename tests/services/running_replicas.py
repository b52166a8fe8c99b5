"""Real containers of an installation of their own, seen by a real replica view."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from backend.domain.accounts import CredentialKind, Principal, Role, User
from backend.domain.deployments import Deployment, DeploymentSpec, DeploymentStatus, DesiredState, Resources
from backend.domain.engine import ContainerPhase, ContainerSpec, ContainerState
from backend.domain.errors import NotFound
from backend.domain.ids import Kind, new_short_id, new_uuid
from backend.engines.docker import DockerEngine
from backend.services.replicas import ReplicaView

DEADLINE = 90.0


def make_principal(tenant_id: str | None = None) -> Principal:
    now = datetime.now(UTC)
    user_id = new_uuid()
    user = User(
        user_id, "usr-aaaaaaaaaa", tenant_id or new_uuid(), "u", "u@example.com", Role.USER, True, now, now, None
    )
    return Principal(user, CredentialKind.SESSION)


def make_deployment(tenant_id: str, app_name: str = "web") -> Deployment:
    now = datetime.now(UTC)
    return Deployment(
        id=new_uuid(),
        short_id=new_short_id(Kind.DEPLOYMENT),
        tenant_id=tenant_id,
        created_by=new_uuid(),
        app_name=app_name,
        desired=DesiredState.RUNNING,
        replicas=1,
        generation=1,
        stable_generation=1,
        spec=DeploymentSpec("busybox", "busybox", 80, {}, Resources(), None, None),
        status=DeploymentStatus.RUNNING,
        reason="",
        message="",
        error_message=None,
        restart_count=0,
        created_at=now,
        updated_at=now,
        deployed_at=None,
        started_at=None,
        last_health_check=None,
    )


async def eventually(check: Callable[[], object], what: str) -> None:
    """Wait until `check` holds."""
    async with asyncio.timeout(DEADLINE):
        for _ in count():
            if check():
                return
            await asyncio.sleep(0.02)
    raise AssertionError(what)


class RunningReplicas:
    """One deployment whose replicas are shell scripts."""

    def __init__(self, engine: DockerEngine, view: ReplicaView, who: Principal, deployment: Deployment) -> None:
        self.engine = engine
        self.view = view
        self.who = who
        self.deployment = deployment
        self._ordinal = 0

    async def deployment_of(self, who: Principal, deployment_id: str) -> Deployment:
        if who.tenant_id != self.deployment.tenant_id or deployment_id != self.deployment.id:
            raise NotFound(f"there is no deployment {deployment_id!r}")
        return self.deployment

    async def run(self, script: str, image: str = "busybox:latest") -> ContainerState:
        """Start a replica that runs a script, and wait until the view shows it."""
        return await self.run_command(["sh", "-c", script], image)

    async def run_command(self, command: list[str], image: str) -> ContainerState:
        self._ordinal += 1
        spec = ContainerSpec(
            name=f"ph-test-{self.deployment.short_id}-{self._ordinal}",
            image=image,
            kind="deployment",
            object_id=self.deployment.id,
            tenant_id=self.deployment.tenant_id,
            generation=1,
            ordinal=self._ordinal,
            network="none",
            command=command,
            stop_timeout_seconds=1,
        )
        container_id = await self.engine.create_container(spec)
        await self.engine.start_container(container_id)
        await eventually(lambda: self._has_started(container_id), "the view shows the container")
        found = self.find(container_id)
        assert found is not None
        return found

    def _has_started(self, container_id: str) -> bool:
        found = self.find(container_id)
        return found is not None and found.phase is not ContainerPhase.CREATED

    def find(self, container_id: str) -> ContainerState | None:
        return next((c for c in self.view.of(self.deployment.id) if c.id == container_id), None)


class BreakableEngineSocket:
    """A way to the engine that can be cut, as when the engine is restarted."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._target = DockerEngine("address").address.removeprefix("unix://")
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"unix://{self._path}"

    async def restore(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, self._path)

    def cut(self) -> None:
        """Refuse new connections and break those that are open."""
        assert self._server is not None
        self._server.close()
        self._path.unlink()
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(self._target)
        mine = {writer, back}
        self._open |= mine
        try:
            await asyncio.gather(_pump(reader, back), _pump(there, writer))
        finally:
            self._open -= mine
            for end in mine:
                end.transport.abort()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
        if sink.can_write_eof():
            sink.write_eof()


@asynccontextmanager
async def running_replicas(base_url: str | None = None) -> AsyncIterator[RunningReplicas]:
    """Everything is removed afterwards."""
    engine = DockerEngine(f"test{secrets.token_hex(6)}", base_url=base_url)
    await engine.start()
    view = ReplicaView(engine)
    await view.start()
    who = make_principal()
    try:
        await asyncio.wait_for(view.listed.wait(), DEADLINE)
        yield RunningReplicas(engine, view, who, make_deployment(who.tenant_id))
    finally:
        await view.close()
        removals: list[Awaitable[None]] = [
            engine.remove_container(state.id) for state in await engine.list_containers()
        ]
        await asyncio.gather(*removals)
        await engine.close()
