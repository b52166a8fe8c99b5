"""Clusters: the registered places where environments can run."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class ClusterKind(StrEnum):
    """What is there. Only the first two run environments."""

    LOCAL = "local"
    DOCKER = "docker"
    KUBERNETES = "kubernetes"


class ClusterStatus(StrEnum):
    """What the last look at it said; `inactive` is an administrator's word, and takes no new environments."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DockerAddress:
    """A remote engine: `tcp://host[:port]` with a client certificate, or `ssh://[user@]host[:port]` with a private key
    and the server's public key, without which the files of this process's user count. PEM texts and keys are
    write-only: never shown, encrypted at rest."""

    url: str
    ca_pem: str | None = field(default=None, repr=False)
    cert_pem: str | None = field(default=None, repr=False)
    key_pem: str | None = field(default=None, repr=False)
    ssh_private_key: str | None = field(default=None, repr=False)
    ssh_host_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Cluster:
    """A registered place, without its credentials."""

    id: str
    short_id: str
    name: str
    description: str | None
    kind: ClusterKind
    provider: str
    region: str
    status: ClusterStatus
    node_count: int
    has_credentials: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ClusterRequest:
    """A place to register; validated by the service. Either `docker` or `kubeconfig`."""

    name: str
    region: str
    provider: str
    description: str | None = None
    kubeconfig: str | None = field(default=None, repr=False)
    docker: DockerAddress | None = None


@dataclass(frozen=True, slots=True)
class ClusterChange:
    """A partial update: None leaves a field as it is. `active` False takes no new environments."""

    name: str | None = None
    region: str | None = None
    provider: str | None = None
    description: str | None = None
    kubeconfig: str | None = field(default=None, repr=False)
    docker: DockerAddress | None = None
    active: bool | None = None
    node_count: int | None = None


@dataclass(frozen=True, slots=True)
class ClusterSight:
    """What a cluster said of itself."""

    version: str
    node_count: int
    nodes_ready: int


@dataclass(frozen=True, slots=True)
class ClusterHealth:
    """What a look found. `latency_ms` of asking it; `reachable` that it answered at all, `message` what is wrong where
    it is not healthy."""

    cluster: Cluster
    healthy: bool
    reachable: bool
    version: str
    node_count: int
    nodes_ready: int
    latency_ms: float | None
    message: str
    checked_at: datetime


class KubernetesReader(Protocol):
    """Looks at Kubernetes API servers."""

    async def check(self, kubeconfig: str) -> None:
        """Raises Invalid at kubeconfig where it cannot be used, or would make us run programs or read files."""

    async def look(self, kubeconfig: str) -> ClusterSight:
        """Raises Unavailable saying why it cannot be looked at, without a secret."""
