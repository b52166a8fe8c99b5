"""Clusters: register, list, read, change, delete, and whether they are well. For administrators."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, delete, get, post, put

from backend.surfaces.credentials import principal_of
from backend.surfaces.devpocket.convert_clusters import (
    from_wire_create,
    from_wire_update,
    to_wire_cluster,
    to_wire_health,
)
from backend.surfaces.devpocket.described import answered_by, needs
from backend.surfaces.openapi import reads
from backend.surfaces.request_body import read_json
from backend.surfaces.responses import json_response
from backend.surfaces.services import Services
from backend.wire import devpocket_clusters as wire
from backend.wire.devpocket import Names

_PATH = "/api/v1/clusters"
_ONE = f"{_PATH}/{{cluster_id:str}}"
_ADMIN = {"admin": True}
_TAGS = ["clusters"]


def cluster_routes(services: Services) -> list[Any]:
    return [*_reading(services), *_changing(services)]


def _reading(services: Services) -> list[Any]:
    clusters = services.clusters

    @get(_PATH, opt=_ADMIN, responses=answered_by(200, wire.ClusterListResponse, *needs(admin=True)), tags=_TAGS)
    async def list_clusters(request: Request[Any, Any, Any]) -> Response[bytes]:
        """All places where environments can run; this server's own engine is the first."""
        found = await clusters.all(principal_of(request))
        return json_response(wire.ClusterListResponse([to_wire_cluster(one) for one in found]))

    @get(f"{_PATH}/regions", opt=_ADMIN, responses=answered_by(200, Names, *needs(admin=True)), tags=_TAGS)
    async def list_regions(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Regions to choose from: those that this server is set to, and those that clusters have."""
        return json_response(Names(await clusters.regions(principal_of(request))))

    @get(_ONE, opt=_ADMIN, responses=answered_by(200, wire.ClusterResponse, *needs(admin=True, found=True)), tags=_TAGS)
    async def get_cluster(request: Request[Any, Any, Any], cluster_id: str) -> Response[bytes]:
        """One cluster, without what it is reached with."""
        return json_response(to_wire_cluster(await clusters.get(principal_of(request), cluster_id)))

    @get(
        f"{_ONE}/health",
        opt=_ADMIN,
        responses=answered_by(200, wire.ClusterHealthResponse, *needs(admin=True, found=True)),
        tags=_TAGS,
    )
    async def cluster_health(request: Request[Any, Any, Any], cluster_id: str) -> Response[bytes]:
        """Connects to the cluster now, within some seconds. One that does not answer is 200 too, with the reason."""
        return json_response(to_wire_health(await clusters.health(principal_of(request), cluster_id)))

    return [list_clusters, list_regions, get_cluster, cluster_health]


def _changing(services: Services) -> list[Any]:
    clusters = services.clusters

    @post(
        _PATH,
        opt=_ADMIN,
        operation_class=reads(wire.ClusterCreateRequest),
        responses=answered_by(201, wire.ClusterResponse, 400, 422, *needs(admin=True)),
        tags=_TAGS,
    )
    async def create_cluster(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Register a container engine (provider docker) or a Kubernetes cluster, and look at it once. One that does not
        answer is kept, as unreachable."""
        body = await read_json(request, wire.ClusterCreateRequest)
        made = await clusters.create(principal_of(request), from_wire_create(body))
        return json_response(to_wire_cluster(made), 201)

    @put(
        _ONE,
        opt=_ADMIN,
        operation_class=reads(wire.ClusterUpdateRequest),
        responses=answered_by(200, wire.ClusterResponse, 400, 422, *needs(admin=True, found=True)),
        tags=_TAGS,
    )
    async def update_cluster(request: Request[Any, Any, Any], cluster_id: str) -> Response[bytes]:
        """Change what is given; after new credentials the cluster is looked at."""
        body = await read_json(request, wire.ClusterUpdateRequest)
        who = principal_of(request)
        change = from_wire_update(body, await clusters.get(who, cluster_id))
        return json_response(to_wire_cluster(await clusters.update(who, cluster_id, change)))

    @delete(
        _ONE,
        opt=_ADMIN,
        status_code=204,
        responses=answered_by(204, None, 400, *needs(admin=True, found=True)),
        tags=_TAGS,
    )
    async def delete_cluster(request: Request[Any, Any, Any], cluster_id: str) -> None:
        """Forget a cluster on which no environments are."""
        await clusters.delete(principal_of(request), cluster_id)

    return [create_cluster, update_cluster, delete_cluster]
