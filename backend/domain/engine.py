"""What the core asks of a container engine. Every list, filter, adoption and deletion is scoped to this
installation by its labels; adapters never return or touch what others made."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from backend.domain.deployments import RegistryAuth

LABEL_INSTALLATION = "pilothouse.installation"
LABEL_KIND = "pilothouse.kind"
LABEL_ID = "pilothouse.id"
LABEL_GENERATION = "pilothouse.generation"
LABEL_ORDINAL = "pilothouse.ordinal"
LABEL_TENANT = "pilothouse.tenant"


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """Version and size of the engine's host."""

    name: str
    version: str
    api_version: str
    cpus: int
    memory_bytes: int
    containers_running: int


@dataclass(frozen=True, slots=True)
class ResolvedImage:
    """A reference pinned. `pinned` is `repo@sha256:...`, or `sha256:...` (an image id) where the image is
    only local; `local` tells that no pull is needed."""

    reference: str
    pinned: str
    local: bool


@dataclass(frozen=True, slots=True)
class PullProgress:
    """How far a pull is; bytes are sums over the layers known so far (total 0 while unknown)."""

    status: str
    current_bytes: int
    total_bytes: int


class ContainerPhase(StrEnum):
    CREATED = "created"
    RUNNING = "running"
    RESTARTING = "restarting"
    PAUSED = "paused"
    EXITED = "exited"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """A tenant's own bridge. `subnet` is CIDR, e.g. `10.213.4.0/23`. Name and labels come from the adapter."""

    tenant_id: str
    subnet: str


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """A container to make. `name` is a function of object and generation: creating it twice yields one.
    `image` is a pinned reference. `port` is what it serves inside. `address` is the fixed IP on the tenant's
    network, used where the engine's bridges can be reached from here; else the adapter publishes `port`
    on loopback. CPU in millicores, memory in bytes. `volumes` maps names of volumes to paths inside; empty ones
    are filled with what the image has there, unless `fill_volumes` is False. `user` is as the
    engine takes it, None for the image's. `storage_bytes` bounds what it writes beside its volumes, where the engine's
    storage can do that. Without `restart` it runs once, and stays down when it ended."""

    name: str
    image: str
    kind: str
    object_id: str
    tenant_id: str
    generation: int
    ordinal: int
    network: str
    env: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None
    address: str | None = None
    cpu_millicores: int | None = None
    memory_bytes: int | None = None
    pids_limit: int = 1024
    command: Sequence[str] | None = None
    stop_timeout_seconds: int = 10
    entrypoint: Sequence[str] | None = None
    volumes: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    working_dir: str | None = None
    hostname: str | None = None
    storage_bytes: int | None = None
    restart: bool = True
    fill_volumes: bool = True


@dataclass(frozen=True, slots=True)
class ContainerState:
    """A container of ours as the engine has it. `endpoint` is the `host:port` at which the ingress reaches its
    port, None while it does not run. `restart_count` is the engine's own. The limits are those that the engine keeps
    to, None where there is none."""

    id: str
    name: str
    image: str
    kind: str
    object_id: str
    tenant_id: str
    generation: int
    ordinal: int
    phase: ContainerPhase
    endpoint: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    exit_code: int | None
    oom_killed: bool
    restart_count: int
    pid: int | None
    error: str
    cpu_millicores: int | None = None
    memory_limit_bytes: int | None = None
    storage_limit_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class VolumeSpec:
    """A named volume to make. `name` is a function of the object. `size_bytes` bounds it where the engine's storage
    can do that."""

    name: str
    kind: str
    object_id: str
    tenant_id: str
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class VolumeState:
    """A volume of ours as the engine has it. `size_limit_bytes` is None where nothing bounds it."""

    name: str
    kind: str
    object_id: str
    tenant_id: str
    size_limit_bytes: int | None


@dataclass(frozen=True, slots=True)
class ImageUser:
    """Whom an image runs as. `name` is as the image says it, empty for root; `home` the folder that its passwd file
    names, None where it names none that could be used."""

    name: str
    uid: int
    gid: int
    home: str | None
    working_dir: str


@dataclass(frozen=True, slots=True)
class Process:
    """A process in a container, with ids as the engine's host counts them. `foreground` where it is what a terminal
    waits for."""

    pid: int
    parent: int
    command: str
    foreground: bool


class EventAction(StrEnum):
    """The container events that the core acts on; others are dropped."""

    CREATE = "create"
    START = "start"
    DIE = "die"
    OOM = "oom"
    STOP = "stop"
    DESTROY = "destroy"
    RESTART = "restart"
    PAUSE = "pause"
    UNPAUSE = "unpause"


@dataclass(frozen=True, slots=True)
class EngineEvent:
    action: EventAction
    container_id: str
    object_id: str
    kind: str
    generation: int
    exit_code: int | None
    at: datetime


class LogLine(NamedTuple):
    """One line as a container wrote it, without its newline. `stream` is stdout or stderr. Undecodable bytes are
    replaced."""

    at: datetime
    stream: str
    text: str


@dataclass(frozen=True, slots=True)
class UsageSample:
    """What a container used when looked at. `cpu_seconds` counts up since its start."""

    container_id: str
    at: datetime
    cpu_seconds: float
    memory_bytes: int
    memory_limit_bytes: int | None


@dataclass(frozen=True, slots=True)
class EngineAccess:
    """How another process of ours reaches the engine. `url` is `unix:///path`, `tcp://host:port`, `https://...` or
    `ssh://...`; `api_version` the one negotiated. PEM texts and keys stay in memory: never stored, never logged."""

    url: str
    api_version: str
    ca_pem: str | None = field(default=None, repr=False)
    cert_pem: str | None = field(default=None, repr=False)
    key_pem: str | None = field(default=None, repr=False)
    verify: bool = True
    ssh_private_key: str | None = field(default=None, repr=False)
    ssh_host_key: str | None = field(default=None, repr=False)


class ExecStream(Protocol):
    """A process with a terminal inside a container."""

    async def read(self) -> bytes:
        """The next bytes of output, at most 64 KiB; empty when the process ended."""

    async def write(self, data: bytes) -> None:
        """Send input; waits where the process does not read."""

    async def resize(self, columns: int, rows: int) -> None: ...

    async def exit_code(self) -> int | None:
        """The exit status once it ended; None while it runs or where the engine no longer knows."""

    async def close(self) -> None:
        """Hang up: the process gets what it gets when its terminal goes away."""


class NewExecStream(ExecStream, Protocol):
    """One that was asked for just now."""

    async def is_starting(self) -> bool:
        """Whether the engine has yet to start the process: a command that is not there is told only then."""


class ExecProcess(Protocol):
    """A process without a terminal inside a container, of which the output is read."""

    async def read(self) -> Sequence[tuple[str, bytes]]:
        """What it wrote since, as pairs of the stream (stdout or stderr) and bytes; empty when it ended. Raises
        EngineUnavailable where the engine went away meanwhile."""

    async def exit_code(self) -> int | None:
        """The exit status once it ended; None while it runs or where the engine no longer knows."""

    async def close(self) -> None:
        """Let go of it. A process that still runs goes on."""


class Engine(Protocol):
    """Raises EngineUnavailable where the engine does not answer, NotFound for an object that is gone,
    Conflict for a name or address taken by something else."""

    async def start(self) -> None:
        """Open what is needed. Does not raise where the engine is down."""

    async def close(self) -> None: ...

    async def ping(self) -> EngineInfo: ...

    async def resolve_image(self, image: str, auth: RegistryAuth | None) -> ResolvedImage:
        """Pin a reference: the registry's digest (10 s limit), else a local image. Raises ImageRejected saying
        which of not found, denied, unreachable or malformed it is, Invalid for a malformed reference."""

    def pull(self, image: ResolvedImage, auth: RegistryAuth | None) -> AsyncIterator[PullProgress]:
        """Pull the pinned image; ends when it is there. Raises ImageRejected."""

    async def has_image(self, pinned: str) -> bool: ...

    async def ensure_network(self, spec: NetworkSpec) -> str:
        """The name of the tenant's network, made if it is not there. Raises Conflict('pool overlaps ...') where the
        subnet is taken: try the next."""

    async def remove_network(self, tenant_id: str) -> None: ...

    async def list_containers(self, object_id: str | None = None) -> list[ContainerState]:
        """All containers of this installation, or those of one object, running or not."""

    async def inspect_container(self, container_id: str) -> ContainerState: ...

    async def create_container(self, spec: ContainerSpec) -> str:
        """The id of the container of that name; an existing one of ours is returned as it is."""

    async def start_container(self, container_id: str) -> None: ...

    async def stop_container(self, container_id: str, timeout_seconds: int) -> None: ...

    async def restart_container(self, container_id: str, timeout_seconds: int) -> None: ...

    async def update_container(self, container_id: str, *, cpu_millicores: int, memory_bytes: int) -> None:
        """Other limits for it, running or not. Raises Conflict where it uses more memory than that."""

    async def remove_container(self, container_id: str) -> None:
        """Remove it with its anonymous volumes, running or not. Named ones stay. Nothing where it is gone."""

    async def ensure_volume(self, spec: VolumeSpec) -> VolumeState:
        """The volume of that name, made where it is not there. Raises Conflict where the name is another's."""

    async def list_volumes(self) -> list[VolumeState]:
        """All volumes of this installation."""

    async def remove_volume(self, name: str) -> None:
        """Remove it with what is in it. Nothing where it is gone. Raises Conflict while a container has it."""

    async def storage_used(self, container_id: str | None, volume: str | None) -> int | None:
        """Bytes that a container has written beside its volumes and those in a volume; None where the engine cannot
        tell. May take long where much is stored."""

    async def image_user(self, pinned: str) -> ImageUser:
        """Whom an image that is present runs as. Raises NotFound."""

    async def processes(self, container_id: str) -> list[Process]:
        """What runs in a running container. Raises Conflict where it does not run or the engine cannot list."""

    def events(self) -> AsyncIterator[EngineEvent]:
        """Container events of this installation from now on. When it ends or raises EngineUnavailable, events may
        have been missed: list again."""

    def logs(
        self,
        container_id: str,
        *,
        tail: int | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        follow: bool = False,
    ) -> AsyncGenerator[list[LogLine], None]:
        """Lines in order, in batches as they arrive. With follow, ends when the container does."""

    async def usage(self, containers: Sequence[ContainerState]) -> list[UsageSample]:
        """A sample of each running one; those that ended meanwhile are left out."""

    async def exec_process(
        self,
        container_id: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        user: str | None = None,
        working_dir: str | None = None,
    ) -> ExecProcess:
        """Start a command without a terminal and without input, as `user` (None: the container's)."""

    async def memory_kills(self, container_id: str) -> int | None:
        """How often something in a running container was killed for want of memory; None where it cannot be told."""

    async def exec_terminal(
        self, container_id: str, command: Sequence[str], *, columns: int, rows: int, env: Mapping[str, str]
    ) -> NewExecStream: ...

    async def access(self) -> EngineAccess:
        """How the terminal holder reaches this engine."""
