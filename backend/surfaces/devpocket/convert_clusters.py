"""Clusters: between the domain and this document. Pure."""

from __future__ import annotations

from typing import Literal

from pydantic import ValidationError

from backend.domain.clusters import Cluster, ClusterChange, ClusterHealth, ClusterKind, ClusterRequest, DockerAddress
from backend.domain.errors import FieldError
from backend.surfaces.error_text import WireInvalid
from backend.wire import devpocket_clusters as wire

_DOCKER = "docker"


def to_wire_cluster(cluster: Cluster) -> wire.ClusterResponse:
    return wire.ClusterResponse(
        id=cluster.id,
        name=cluster.name,
        description=cluster.description,
        provider=cluster.provider,
        region=cluster.region,
        kubeconfig="encrypted" if cluster.has_credentials else "none",
        status=cluster.status.value,
        node_count=cluster.node_count,
        created_at=cluster.created_at,
        updated_at=cluster.updated_at,
        kind=cluster.kind.value,
    )


def to_wire_health(health: ClusterHealth) -> wire.ClusterHealthResponse:
    nodes_well = health.node_count > 0 and health.nodes_ready == health.node_count
    kind = "api_server" if health.cluster.kind is ClusterKind.KUBERNETES else "engine"
    return wire.ClusterHealthResponse(
        cluster_id=health.cluster.id,
        cluster_name=health.cluster.name,
        status=_word(health.healthy),
        version=health.version,
        node_count=health.node_count,
        nodes_ready=health.nodes_ready,
        checks={kind: _word(health.reachable), "nodes": _word(nodes_well)},
        latency_ms=health.latency_ms,
        message=health.message,
        checked_at=health.checked_at,
    )


def from_wire_create(body: wire.ClusterCreateRequest) -> ClusterRequest:
    docker, kubeconfig = _credentials(body.provider, body.docker, body.kubeconfig)
    return ClusterRequest(
        name=body.name,
        region=body.region,
        provider=body.provider,
        description=body.description,
        kubeconfig=kubeconfig,
        docker=docker,
    )


def from_wire_update(body: wire.ClusterUpdateRequest, known: Cluster) -> ClusterChange:
    docker, kubeconfig = _credentials(body.provider or known.provider, body.docker, body.kubeconfig)
    return ClusterChange(
        name=body.name,
        region=body.region,
        provider=body.provider,
        description=body.description,
        kubeconfig=kubeconfig,
        docker=docker,
        active=None if body.status is None else body.status == "active",
        node_count=body.node_count,
    )


def _credentials(
    provider: str, docker: wire.DockerModel | None, kubeconfig: str | None
) -> tuple[DockerAddress | None, str | None]:
    """A client that knows only the documented fields sends the engine's address as a JSON text in `kubeconfig`. Raises
    WireInvalid; the text is not repeated."""
    if provider.lower() == _DOCKER and docker is None and kubeconfig is not None:
        try:
            docker, kubeconfig = wire.DockerModel.model_validate_json(kubeconfig), None
        except ValidationError as error:
            message = (
                "of a cluster with provider docker must be a JSON text with endpoint, and ca_certificate, "
                "client_certificate and client_key, or ssh_private_key and ssh_host_key"
            )
            raise WireInvalid(f"kubeconfig {message}", fields=(FieldError("kubeconfig", message),)) from error
    return None if docker is None else _address(docker), kubeconfig


def _address(docker: wire.DockerModel) -> DockerAddress:
    return DockerAddress(
        url=docker.endpoint,
        ca_pem=docker.ca_certificate,
        cert_pem=docker.client_certificate,
        key_pem=docker.client_key,
        ssh_private_key=docker.ssh_private_key,
        ssh_host_key=docker.ssh_host_key,
    )


def _word(well: bool) -> Literal["healthy", "unhealthy"]:
    return "healthy" if well else "unhealthy"
