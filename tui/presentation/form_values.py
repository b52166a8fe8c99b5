"""The deployment form's values: checks beside the server's, requests from values, and server faults to fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backend.wire.container_engine import (
        DeploymentCreateRequest,
        DeploymentDetailResponse,
        DeploymentUpdateRequest,
    )

_LABEL = re.compile(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
_NOT_IN_LABEL = re.compile(r"[^a-z0-9]+")
_CPU = re.compile(r"^\d+(\.\d+)?m?$")
_MEMORY = re.compile(r"^\d+(\.\d+)?(k|Ki|M|Mi|G|Gi|T|Ti)?$")

# Dotted wire names of the document, and what the same fields are called inside, to keys of the form.
FORM_KEYS: dict[str, str] = {
    "appName": "name",
    "app_name": "name",
    "image": "image",
    "port": "port",
    "replicas": "replicas",
    "envVars": "env",
    "env": "env",
    "env_vars": "env",
    "resources": "cpu",
    "resources.cpu": "cpu",
    "cpu": "cpu",
    "resources.memory": "memory",
    "memory": "memory",
    "healthCheck": "health_path",
    "healthCheck.path": "health_path",
    "health_check.path": "health_path",
    "healthCheck.initialDelaySeconds": "health_delay",
    "health_check.initial_delay_seconds": "health_delay",
    "healthCheck.periodSeconds": "health_period",
    "health_check.period_seconds": "health_period",
    "healthCheck.timeoutSeconds": "health_timeout",
    "health_check.timeout_seconds": "health_timeout",
    "healthCheck.failureThreshold": "health_threshold",
    "health_check.failure_threshold": "health_threshold",
    "registryAuth": "registry_user",
    "registryAuth.username": "registry_user",
    "registry_auth.username": "registry_user",
    "registryAuth.password": "registry_password",
    "registry_auth.password": "registry_password",
}


def form_key(wire_name: str) -> str:
    """The form's key for a field that the server names; the nearest parent where it has none of its own, "" if none.
    `envVars.FOO` is the environment."""
    name = wire_name
    while name:
        if name in FORM_KEYS:
            return FORM_KEYS[name]
        name = name.rpartition(".")[0]
    return ""


def check_app_name(value: str) -> str | None:
    return check_label(value, "it becomes part of the address")


def check_label(value: str, why: str = "") -> str | None:
    """What is wrong with a name that must be a DNS label, with one like it that is right, where there is one. `why`
    says what the rule is for."""
    if _LABEL.match(value):
        return None
    near = _NOT_IN_LABEL.sub("-", value.lower()).strip("-")[:63].rstrip("-")
    if near == value.lower():
        return f"Lower-case letters only: {near}"
    rule = f"Letters a-z, digits and inner dashes, at most 63{f': {why}' if why else ''}"
    return f"{rule}. For example {near}" if near else rule


def check_image(value: str) -> str | None:
    return "An image has no blanks: name:tag, registry/name:tag or name@sha256:..." if re.search(r"\s", value) else None


def check_cpu(value: str) -> str | None:
    return None if _CPU.match(value) else "Write millicores such as 250m, or cores such as 0.5"


def check_memory(value: str) -> str | None:
    return None if _MEMORY.match(value) else "Write 128Mi, 1Gi or 512M"


def check_path(value: str) -> str | None:
    return None if value.startswith("/") else "A path begins with /"


def check_together(values: Mapping[str, Any]) -> dict[str, str]:
    """Faults that need several fields to be seen."""
    faults: dict[str, str] = {}
    if values.get("registry_password") and not values.get("registry_user"):
        faults["registry_user"] = "The password needs a user"
    if values.get("registry_user") and not values.get("registry_password"):
        faults["registry_password"] = "The user needs a password"
    return faults


def create_request(values: Mapping[str, Any]) -> DeploymentCreateRequest:
    """From the form's values, all checked."""
    from backend.wire.container_engine import DeploymentCreateRequest

    body: dict[str, Any] = {
        "appName": values["name"],
        "image": values["image"],
        "port": values["port"],
        "replicas": values["replicas"],
        "envVars": dict(values["env"]),
        "resources": {"cpu": values["cpu"], "memory": values["memory"]},
    }
    if values["health_path"]:
        body["healthCheck"] = {
            "path": values["health_path"],
            "initialDelaySeconds": values["health_delay"],
            "periodSeconds": values["health_period"],
            "timeoutSeconds": values["health_timeout"],
            "failureThreshold": values["health_threshold"],
        }
    if values["registry_user"]:
        body["registryAuth"] = {"username": values["registry_user"], "password": values["registry_password"]}
    return DeploymentCreateRequest.model_validate(body)


def update_request(values: Mapping[str, Any], before: DeploymentDetailResponse) -> DeploymentUpdateRequest | None:
    """Only what differs from before; None where nothing does. Sending the same image again would resolve its tag
    anew, which is a new version by accident."""
    from backend.wire.container_engine import DeploymentUpdateRequest

    body: dict[str, Any] = {}
    if values["image"] != before.image:
        body["image"] = values["image"]
    if values["env"] != before.env_vars:
        body["envVars"] = dict(values["env"])
    if values["replicas"] != before.replicas:
        body["replicas"] = values["replicas"]
    resources = {
        name: values[name]
        for name, old in (("cpu", before.resources.cpu), ("memory", before.resources.memory))
        if values[name] != old
    }
    if resources:
        body["resources"] = resources
    return DeploymentUpdateRequest.model_validate(body) if body else None
