"""Clusters: the registered places where environments can run."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class ClusterKind(StrEnum):
    """What is there. Only the first two run environments."""

    LOCAL = "local"
    DOCKER = "docker"
    KUBERNETES = "kubernetes"


class ClusterStatus(StrEnum):
    """What the last look at it said."""

    ACTIVE = "active"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DockerAddress:
    """A remote engine: `ssh://user@host[:port]` or `tcp://host:port` with a client certificate. PEM texts are
    write-only: never shown, encrypted at rest."""

    url: str
    ca_pem: str | None = field(default=None, repr=False)
    cert_pem: str | None = field(default=None, repr=False)
    key_pem: str | None = field(default=None, repr=False)


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
class ClusterHealth:
    """What a look found. `latency_ms` of one round trip; `message` says what is wrong where it is not healthy."""

    cluster_id: str
    healthy: bool
    version: str
    node_count: int
    latency_ms: float | None
    message: str
    checked_at: datetime
