"""The Engine protocol on a Docker engine."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from backend.domain.clusters import DockerAddress
from backend.domain.deployments import RegistryAuth
from backend.domain.engine import (
    ContainerSpec,
    ContainerState,
    Engine,
    EngineAccess,
    EngineEvent,
    EngineInfo,
    ExecProcess,
    ImageUser,
    LogLine,
    NetworkSpec,
    NewExecStream,
    Process,
    PullProgress,
    ResolvedImage,
    UsageSample,
    VolumeSpec,
    VolumeState,
)
from backend.domain.errors import EngineUnavailable
from backend.engines import events, exec_process, exec_terminal, images, logs, networks, volumes
from backend.engines.access import engine_access
from backend.engines.address import EngineAddress
from backend.engines.connection import PING_SECONDS, EngineConnection
from backend.engines.errors import EngineTimeout, translated
from backend.engines.image_user import read_image_user
from backend.engines.lifecycle import ContainerLifecycle
from backend.engines.memory_kills import count_memory_kills
from backend.engines.processes import list_processes
from backend.engines.remote import remote_address
from backend.engines.usage import UsageReader

_LOG = logging.getLogger("pilothouse.engine")


class DockerEngine:
    """One Docker engine, seen by one installation. See `backend.domain.engine.Engine` for the operations."""

    def __init__(
        self,
        installation: str,
        *,
        base_url: str | None = None,
        remote: DockerAddress | None = None,
        log: logging.Logger | None = None,
    ) -> None:
        """`base_url` is `unix://path` or `tcp://host:port`; None takes DOCKER_HOST, the Docker CLI's context, or the
        default socket. `remote` is an engine elsewhere, instead; raises Invalid where its keys cannot be used."""
        self._installation = installation
        self._log = log or _LOG
        self._connection = EngineConnection(
            remote_address(remote) if remote else EngineAddress.find(base_url), self._log
        )
        self._containers = ContainerLifecycle(self._connection, installation, self._log)
        self._usage = UsageReader(self._connection)
        self._networks = asyncio.Lock()
        self._probes = asyncio.Lock()
        self._image_users: dict[str, ImageUser] = {}

    @property
    def address(self) -> str:
        """The base URL, for people."""
        return self._connection.address.base_url

    @property
    def bridges_reachable(self) -> bool | None:
        """Whether containers are reached at their own addresses (else through ports on loopback); None until the
        first network or container told."""
        return self._containers.bridges_reachable

    async def start(self) -> None:
        relay = self._connection.address.relay
        if relay is not None:
            await relay.open()
        try:
            info = await self.ping()
        except EngineUnavailable as error:
            self._log.warning("%s", error.message)
        else:
            self._log.info("engine %s %s (API %s) at %s", info.name, info.version, info.api_version, self.address)

    async def close(self) -> None:
        await self._connection.close()
        relay = self._connection.address.relay
        if relay is not None:
            await relay.close()

    async def ping(self) -> EngineInfo:
        """Raises EngineUnavailable within about 3 s."""
        await self._connection.ping()
        try:
            async with asyncio.timeout(2 * PING_SECONDS):
                with translated("the engine does not describe itself"):
                    version, info = await self._connection.call(
                        lambda client: (client.version(), client.info()), timeout=PING_SECONDS
                    )
        except TimeoutError as error:
            raise EngineTimeout(f"the container engine at {self.address} answers too slowly") from error
        return EngineInfo(
            name=str(info.get("Name") or "docker"),
            version=str(version["Version"]),
            api_version=str(version["ApiVersion"]),
            cpus=int(info.get("NCPU") or 0),
            memory_bytes=int(info.get("MemTotal") or 0),
            containers_running=int(info.get("ContainersRunning") or 0),
        )

    async def resolve_image(self, image: str, auth: RegistryAuth | None) -> ResolvedImage:
        return await images.resolve_image(self._connection, image, auth)

    def pull(self, image: ResolvedImage, auth: RegistryAuth | None) -> AsyncIterator[PullProgress]:
        return images.pull_image(self._connection, image, auth)

    async def has_image(self, pinned: str) -> bool:
        return await images.has_image(self._connection, pinned)

    async def ensure_network(self, spec: NetworkSpec) -> str:
        # one at a time: the engine may make two of one name when asked at once
        async with self._networks:
            name = await networks.ensure_network(self._connection, self._installation, spec)
        await self._containers.learn_reachability(name)
        return name

    async def remove_network(self, tenant_id: str) -> None:
        await networks.remove_network(self._connection, self._installation, tenant_id)

    async def list_containers(self, object_id: str | None = None) -> list[ContainerState]:
        return await self._containers.list_all(object_id)

    async def inspect_container(self, container_id: str) -> ContainerState:
        return await self._containers.inspect(container_id)

    async def create_container(self, spec: ContainerSpec) -> str:
        return await self._containers.create(spec)

    async def start_container(self, container_id: str) -> None:
        await self._containers.start(container_id)

    async def stop_container(self, container_id: str, timeout_seconds: int) -> None:
        await self._containers.stop(container_id, timeout_seconds)

    async def restart_container(self, container_id: str, timeout_seconds: int) -> None:
        await self._containers.restart(container_id, timeout_seconds)

    async def update_container(self, container_id: str, *, cpu_millicores: int, memory_bytes: int) -> None:
        await self._containers.update(container_id, cpu_millicores=cpu_millicores, memory_bytes=memory_bytes)

    async def remove_container(self, container_id: str) -> None:
        await self._containers.remove(container_id)

    async def ensure_volume(self, spec: VolumeSpec) -> VolumeState:
        if spec.size_bytes is not None and not await self._containers.limits_storage():
            spec = replace(spec, size_bytes=None)
        return await volumes.ensure_volume(self._connection, self._installation, spec)

    async def list_volumes(self) -> list[VolumeState]:
        return await volumes.list_volumes(self._connection, self._installation)

    async def remove_volume(self, name: str) -> None:
        await volumes.remove_volume(self._connection, self._installation, name)

    async def storage_used(self, container_id: str | None, volume: str | None) -> int | None:
        parts = [
            await volumes.container_bytes(self._connection, container_id) if container_id else None,
            await volumes.volume_bytes(self._connection, volume) if volume else None,
        ]
        known = [part for part in parts if part is not None]
        return sum(known) if known else None

    async def image_user(self, pinned: str) -> ImageUser:
        async with self._probes:
            if pinned not in self._image_users:
                self._image_users[pinned] = await read_image_user(self._connection, self._installation, pinned)
            return self._image_users[pinned]

    async def processes(self, container_id: str) -> list[Process]:
        return await list_processes(self._connection, self._installation, container_id)

    def events(self) -> AsyncIterator[EngineEvent]:
        return events.follow_events(self._connection, self._installation)

    def logs(
        self,
        container_id: str,
        *,
        tail: int | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        follow: bool = False,
    ) -> AsyncGenerator[list[LogLine], None]:
        return logs.read_logs(
            self._connection, self._installation, container_id, tail=tail, since=since, until=until, follow=follow
        )

    async def usage(self, containers: Sequence[ContainerState]) -> list[UsageSample]:
        return await self._usage.sample(containers)

    async def exec_process(
        self,
        container_id: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        user: str | None = None,
        working_dir: str | None = None,
    ) -> ExecProcess:
        return await exec_process.open_process(
            self._connection, self._installation, container_id, command, env=env, user=user, working_dir=working_dir
        )

    async def memory_kills(self, container_id: str) -> int | None:
        return await count_memory_kills(self._connection, self._installation, container_id)

    async def exec_terminal(
        self, container_id: str, command: Sequence[str], *, columns: int, rows: int, env: Mapping[str, str]
    ) -> NewExecStream:
        return await exec_terminal.open_terminal(
            self._connection, self._installation, container_id, command, columns=columns, rows=rows, env=env
        )

    async def access(self) -> EngineAccess:
        return await engine_access(self._connection)


if TYPE_CHECKING:

    def _conforms(engine: DockerEngine) -> Engine:
        return engine
