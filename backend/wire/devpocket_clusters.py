"""Wire models of the `devpocket` surface: clusters."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field, RootModel

from backend.wire.devpocket import Request
from backend.wire.timestamps import Timestamp


class DockerModel(Request):
    """How to reach a Docker engine: `tcp://host:port` with certificates in PEM, or `ssh://user@host[:port]` with a
    private key and the server's public key (`ssh-ed25519 AAAA...`); without them the server's own SSH files count."""

    endpoint: str
    ca_certificate: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    ssh_private_key: str | None = None
    ssh_host_key: str | None = None


class ClusterCreateRequest(Request):
    """Provider `docker` is an engine, named by `docker`, or by the same as a JSON text in `kubeconfig`; any other
    provider is Kubernetes, by `kubeconfig`. Both are write-only."""

    name: str
    region: str
    provider: str = "ovh"
    description: str | None = None
    kubeconfig: str | None = None
    docker: DockerModel | None = None


class ClusterUpdateRequest(Request):
    """What is left out stays. `inactive` takes no new environments; `node_count` holds until the next look."""

    name: str | None = None
    region: str | None = None
    provider: str | None = None
    description: str | None = None
    kubeconfig: str | None = None
    docker: DockerModel | None = None
    status: Literal["active", "inactive"] | None = None
    node_count: int | None = Field(default=None, ge=0, le=1_000_000)


class ClusterResponse(BaseModel):
    """`kubeconfig` is a word that tells whether credentials are kept; they are never shown. `kind` is what the
    provider leads to; only local and docker run environments."""

    id: str
    name: str
    description: str | None
    provider: str
    region: str
    kubeconfig: Literal["encrypted", "none"]
    status: Literal["active", "inactive", "unreachable", "unknown"]
    node_count: int
    created_at: Timestamp
    updated_at: Timestamp
    kind: Literal["local", "docker", "kubernetes"]


class ClusterListResponse(RootModel[list[ClusterResponse]]):
    """A bare array, oldest first."""


class ClusterHealthResponse(BaseModel):
    """What a look at the cluster found just now; `message` says what is wrong where it is not healthy."""

    cluster_id: str
    cluster_name: str
    status: Literal["healthy", "unhealthy"]
    version: str
    node_count: int
    nodes_ready: int
    checks: dict[str, str]
    latency_ms: float | None
    message: str
    checked_at: Timestamp
