"""What the description of this surface says besides its operations."""

from __future__ import annotations

from typing import Any

from backend.surfaces.description import About
from backend.surfaces.devpocket.errors import FAILURES
from backend.wire.devpocket import ErrorResponse

_TEXT = """Development environments: a container from a template, with a home folder that is kept, installed before your eyes, and a terminal.

Send an access token or an API key as 'Authorization: Bearer ...'. Templates are changed, and clusters are kept, by administrators.

Sockets, with the token as ?token=... (or in the header): /api/v1/ws/terminal/{environment_id} takes {"type": "input", "data"}, {"type": "resize", "cols", "rows"} and {"type": "ping"}, and sends {"type": "output", "data"}, {"type": "pong"} and {"type": "error", "message"}. ?cols= and ?rows= are the first size; the shell lives on when the socket drops, and ?session= names another one beside it. /api/v1/ws/logs/{environment_id} sends installation_log, installation_status, installation_complete and installation_error, also of an installation that is over, then {"type": "log", "data"}; it takes ping. A message that is wrong gets an error and the socket goes on. Sockets close with 1008 where the token does not hold (any more), 4404 where there is no such environment, 4400 where it does not run, 4429 where ten of yours are open, 1009 after a message that is too large, 1000 where the shell ended.

A cluster with provider 'docker' is a container engine, reached over TLS or SSH; any other provider is Kubernetes, whose health is looked at and which runs no environments yet. kubeconfig, certificates and keys are kept encrypted and never shown.

Rate limits a minute: authentication 5 for each address, the rest 100 for each user, else for each address; 10 sockets of a user at once, unless this server is set otherwise. Every answer carries X-RateLimit headers; /health is not counted."""  # noqa: E501

_UUID = "6f1c2d3e-4a5b-4c6d-8e7f-{:012d}"
_KINDS = ("user", "environment", "template", "cluster")
IDS = {kind: _UUID.format(number) for number, kind in enumerate(_KINDS)}
_VALUES: dict[str, Any] = {
    "full_name": "John Doe",
    "avatar_url": None,
    "subscription_plan": "free",
    "is_verified": False,
    "token": "ce_verify_0123456789abcdef",
    "token_type": "bearer",
    "expires_in": 3600,
    "name": "my-machine",
    "description": "for the course",
    "docker_image": "python:3.11-slim",
    "port": 8080,
    "default_port": 8080,
    "memory": "1Gi",
    "storage": "10Gi",
    "limit": "1Gi",
    "usage": 0.25,
    "percent": 25.0,
    "environment_variables": {"EDITOR": "vim"},
    "idle_stop_minutes": 0,
    "template_name": "Python 3.11",
    "display_name": "Python 3.11",
    "category": "programming_language",
    "tags": "python",
    "startup_commands": "pip install --no-cache-dir flask",
    "documentation_url": "https://docs.python.org/3.11/",
    "icon_url": None,
    "environment_name": "my-machine",
    "total_lines": 1,
    "has_more": False,
    "level": "INFO",
    "source": "container",
    "cluster_name": "europe-1",
    "provider": "docker",
    "region": "GRA11",
    "kubeconfig": "encrypted",
    "kind": "docker",
    "endpoint": "tcp://engine.example.com:2376",
    "ca_certificate": "-----BEGIN CERTIFICATE-----...",
    "client_certificate": "-----BEGIN CERTIFICATE-----...",
    "client_key": "-----BEGIN PRIVATE KEY-----...",
    "ssh_private_key": None,
    "ssh_host_key": None,
    "node_count": 3,
    "nodes_ready": 3,
    "latency_ms": 12.5,
    "checks": {"database": "healthy", "engine": "healthy"},
    "service": "devpocket",
    "api_version": "v1",
    "environment": "development",
    "field": "name",
    "type": "missing",
    "reason": "",
    "": "GRA11",  # the items of a bare array of texts
}
_OWNED: dict[tuple[str, str], Any] = {
    ("TemplateResponse", "name"): "python",
    ("TemplateResponse", "description"): "Python with pip and virtualenv",
    ("TemplateResponse", "status"): "active",
    ("TemplateResponse", "version"): "1.0.0",
    ("TemplateCreateRequest", "name"): "python",
    ("TemplateCreateRequest", "status"): "active",
    ("TemplateCreateRequest", "version"): "1.0.0",
    ("TemplateUpdateRequest", "name"): "python",
    ("TemplateUpdateRequest", "status"): "deprecated",
    ("ClusterResponse", "name"): "europe-1",
    ("ClusterResponse", "status"): "active",
    ("ClusterCreateRequest", "name"): "europe-1",
    ("ClusterCreateRequest", "kubeconfig"): None,
    ("ClusterUpdateRequest", "name"): "europe-1",
    ("ClusterUpdateRequest", "kubeconfig"): None,
    ("ClusterUpdateRequest", "status"): "active",
    ("ClusterHealthResponse", "status"): "healthy",
    ("ClusterHealthResponse", "version"): "20.10.24",
    ("ClusterHealthResponse", "checks"): {"engine": "healthy", "nodes": "healthy"},
    ("TemplateCreateRequest", "description"): "Python with pip and virtualenv",
    ("TemplateUpdateRequest", "description"): "Python with pip and virtualenv",
    ("ClusterResponse", "description"): "behind the router",
    ("ClusterResponse", "node_count"): 1,
    ("ClusterCreateRequest", "description"): "behind the router",
    ("ClusterUpdateRequest", "description"): "behind the router",
    ("ClusterUpdateRequest", "node_count"): 1,
    ("ClusterHealthResponse", "node_count"): 1,
    ("ClusterHealthResponse", "nodes_ready"): 1,
    ("ClusterHealthResponse", "message"): "",
    ("EnvironmentResponse", "message"): "running",
    ("EnvironmentResponse", "error_message"): None,
    ("EnvironmentResponse", "cluster_id"): None,
    ("EnvironmentCreateRequest", "cluster_id"): None,
    ("GoogleLoginRequest", "token"): "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.e30.c2ln",
    ("LogLineModel", "message"): "Application started successfully",
    ("CpuUsage", "limit"): "500m",
    ("CpuUsage", "percent"): 50.0,
    ("BytesUsage", "usage"): 268435456,
    ("StorageUsage", "usage"): 2684354560,
    ("StorageUsage", "limit"): "10Gi",
    ("StorageUsage", "enforced"): False,
    ("InfoResponse", "name"): "DevPocket API",
    ("InfoResponse", "description"): "Development environments in containers",
}


def about(version: str) -> About:
    return About(
        title="DevPocket API",
        version=version,
        text=_TEXT,
        failures=FAILURES,
        error=ErrorResponse,
        ids=IDS,
        values=_VALUES,
        owned=_OWNED,
    )
