"""A deployment: an image that runs as replicas behind one route."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

MAX_REPLICAS = 100
DEFAULT_CPU = "100m"
DEFAULT_MEMORY = "128Mi"


class DesiredState(StrEnum):
    """What the user asked for."""

    RUNNING = "running"
    STOPPED = "stopped"
    DELETED = "deleted"


class DeploymentStatus(StrEnum):
    """Where the deployment is now. The words are those of the container-engine documents."""

    PENDING = "pending"
    RUNNING = "running"
    UPDATING = "updating"
    SCALING = "scaling"
    STARTING = "starting"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


class Health(StrEnum):
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


class ReplicaPhase(StrEnum):
    """A replica's way: made, started, waiting for health, ready, and what can go wrong."""

    CREATED = "created"
    STARTING = "starting"
    READY = "ready"
    UNHEALTHY = "unhealthy"
    BACKING_OFF = "backing_off"
    DRAINING = "draining"
    EXITED = "exited"


@dataclass(frozen=True, slots=True)
class RegistryAuth:
    """Credentials for a private registry. Write-only: never shown, encrypted at rest."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Resources:
    """Limits as Kubernetes quantities, kept as the user wrote them."""

    cpu: str = DEFAULT_CPU
    memory: str = DEFAULT_MEMORY


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """An HTTP probe. Times are in seconds."""

    path: str
    initial_delay_seconds: int = 5
    period_seconds: int = 10
    timeout_seconds: int = 5
    failure_threshold: int = 3


@dataclass(frozen=True, slots=True)
class DeploymentSpec:
    """What one generation runs. `digest` pins the image: `repo@sha256:...`, or an image id `sha256:...`
    for a local image that no registry knows. `replicas` is not part of it: scaling makes no generation."""

    image: str
    digest: str
    port: int
    env: Mapping[str, str]
    resources: Resources
    health_check: HealthCheck | None
    registry_auth: RegistryAuth | None


@dataclass(frozen=True, slots=True)
class Deployment:
    """Desired state, and the status last observed.

    `generation` is the one that should run; `stable_generation` the last that became ready, to which a
    failed update rolls back (None until a first one did). `reason` is a finer word for the status
    (`pulling`, `waiting_for_health`, `backing_off`, `rolled_back`, ...), `message` a sentence for people.
    `error_message` tells why the last update or start failed and stays until the next success.
    """

    id: str
    short_id: str
    tenant_id: str
    created_by: str
    app_name: str
    desired: DesiredState
    replicas: int
    generation: int
    stable_generation: int | None
    spec: DeploymentSpec
    status: DeploymentStatus
    reason: str
    message: str
    error_message: str | None
    restart_count: int
    created_at: datetime
    updated_at: datetime
    deployed_at: datetime | None
    started_at: datetime | None
    last_health_check: datetime | None


@dataclass(frozen=True, slots=True)
class DeploymentRequest:
    """What a user asks for; validated by the service, not by the surface."""

    app_name: str
    image: str
    port: int
    env: Mapping[str, str] = field(default_factory=dict)
    replicas: int = 1
    resources: Resources = Resources()
    health_check: HealthCheck | None = None
    registry_auth: RegistryAuth | None = None


@dataclass(frozen=True, slots=True)
class DeploymentChange:
    """A partial update: None leaves a field as it is; `env` replaces the whole map. Within
    `cpu`/`memory` likewise."""

    image: str | None = None
    env: Mapping[str, str] | None = None
    replicas: int | None = None
    cpu: str | None = None
    memory: str | None = None


@dataclass(frozen=True, slots=True)
class Replica:
    """One container of a deployment as last seen. `address` is host:port that the ingress uses."""

    container_id: str
    name: str
    generation: int
    ordinal: int
    phase: ReplicaPhase
    address: str | None
    started_at: datetime | None
    restart_count: int
    exit_code: int | None
    oom_killed: bool
    message: str


@dataclass(frozen=True, slots=True)
class DeploymentState:
    """Live truth for the status operation: counts, health and the replicas behind them."""

    status: DeploymentStatus
    reason: str
    message: str
    error_message: str | None
    health: Health
    desired: int
    ready: int
    available: int
    restart_count: int
    uptime_seconds: int
    last_health_check: datetime | None
    replicas: tuple[Replica, ...]
