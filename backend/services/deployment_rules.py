"""What a deployment request must satisfy. All faults are collected, so that a form can show each at its field."""

from __future__ import annotations

import re

from backend.domain.deployments import MAX_REPLICAS, DeploymentChange, DeploymentRequest, HealthCheck
from backend.domain.engine import EngineInfo
from backend.domain.quantities import parse_cpu, parse_memory
from backend.domain.shown import shown
from backend.services.input_faults import Faults, check_env, check_image

# `\Z`, not `$`, which also passes a line feed at the end.
_DNS_LABEL = re.compile(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")
_PATH = re.compile(r"^/[\x21-\x7e]{0,1023}\Z")


def check_request(request: DeploymentRequest) -> None:
    """Raises Invalid with every fault."""
    faults = Faults()
    if not _DNS_LABEL.fullmatch(request.app_name):
        faults.add(
            "app_name",
            f"{shown(request.app_name)} is not a DNS label: use 1 to 63 of a-z, 0-9 and '-', "
            "beginning and ending with a letter or digit",
        )
    check_image(faults, request.image)
    if not 1 <= request.port <= 65535:
        faults.add("port", f"port must be from 1 to 65535, not {shown(request.port)}")
    check_env(faults, request.env)
    _check_replicas(faults, request.replicas)
    faults.collect(lambda: parse_cpu(request.resources.cpu))
    faults.collect(lambda: parse_memory(request.resources.memory))
    if request.health_check:
        _check_health(faults, request.health_check)
    if request.registry_auth:
        for name in ("username", "password"):
            value: str = getattr(request.registry_auth, name)
            if not value or len(value) > 4096 or not value.isprintable():
                faults.add(f"registry_auth.{name}", f"{name} must be 1 to 4096 printable characters")
    faults.raise_any()


def check_change(change: DeploymentChange) -> None:
    """Raises Invalid with every fault of the fields that are given."""
    faults = Faults()
    if change.image is not None:
        check_image(faults, change.image)
    if change.env is not None:
        check_env(faults, change.env)
    if change.replicas is not None:
        _check_replicas(faults, change.replicas)
    cpu, memory = change.cpu, change.memory
    if cpu is not None:
        faults.collect(lambda: parse_cpu(cpu))
    if memory is not None:
        faults.collect(lambda: parse_memory(memory))
    faults.raise_any()


def check_fits(cpu: str | None, memory: str | None, machine: EngineInfo) -> None:
    """Raises Invalid where one replica may use more than the engine's machine has; what the engine does not say (0) or
    is not given is no fault."""
    faults = Faults()
    if cpu is not None and machine.cpus and parse_cpu(cpu) > machine.cpus * 1000:
        faults.add("resources.cpu", f"{shown(cpu)} is more CPU than the engine's machine has: at most {machine.cpus}")
    if memory is not None and machine.memory_bytes and parse_memory(memory) > machine.memory_bytes:
        most = f"{machine.memory_bytes // 2**20}Mi"
        faults.add("resources.memory", f"{shown(memory)} is more memory than the engine's machine has: at most {most}")
    faults.raise_any()


def check_replicas(replicas: int) -> None:
    faults = Faults()
    _check_replicas(faults, replicas)
    faults.raise_any()


def _check_replicas(faults: Faults, replicas: int) -> None:
    if not 0 <= replicas <= MAX_REPLICAS:
        faults.add("replicas", f"replicas must be from 0 to {MAX_REPLICAS}, not {shown(replicas)}")


def _check_health(faults: Faults, check: HealthCheck) -> None:
    if not _PATH.fullmatch(check.path):
        faults.add("health_check.path", f"{shown(check.path)} is not a path: begin with '/' and leave out spaces")
    for name, least, most in (
        ("initial_delay_seconds", 0, 3600),
        ("period_seconds", 1, 3600),
        ("timeout_seconds", 1, 300),
        ("failure_threshold", 1, 100),
    ):
        value: int = getattr(check, name)
        if not least <= value <= most:
            faults.add(f"health_check.{name}", f"{name} must be from {least} to {most}, not {shown(value)}")
