"""What a deployment request must satisfy. All faults are collected, so that a form can show each at its field."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from backend.domain.deployments import MAX_REPLICAS, DeploymentChange, DeploymentRequest, HealthCheck
from backend.domain.errors import FieldError, Invalid
from backend.domain.quantities import parse_cpu, parse_memory

# `\Z`, not `$`, which also passes a line feed at the end.
_DNS_LABEL = re.compile(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")
_ENV_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_.-]{0,254}\Z")
# Runs of separators are bounded by the length check, and no branch overlaps another: no backtracking.
_IMAGE = re.compile(
    r"^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?/)?"
    r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[a-f0-9]{64})?\Z"
)
_IMAGE_ID = re.compile(r"^sha256:[a-f0-9]{64}\Z")
_PATH = re.compile(r"^/[\x21-\x7e]{0,1023}\Z")
MAX_ENV_VALUE_BYTES = 128 * 1024 - 1  # what execve(2) takes for one string
MAX_ENV_BYTES = 1024 * 1024


class _Faults:
    def __init__(self) -> None:
        self.found: list[FieldError] = []

    def add(self, field: str, message: str) -> None:
        self.found.append(FieldError(field, message))

    def collect(self, check: Callable[[], object]) -> None:
        try:
            check()
        except Invalid as error:
            self.found.extend(error.fields)

    def raise_any(self) -> None:
        if not self.found:
            return
        more = f" (and {len(self.found) - 1} more)" if len(self.found) > 1 else ""
        raise Invalid(f"{self.found[0].field}: {self.found[0].message}{more}", fields=tuple(self.found))


def check_request(request: DeploymentRequest) -> None:
    """Raises Invalid with every fault."""
    faults = _Faults()
    if not _DNS_LABEL.fullmatch(request.app_name):
        faults.add(
            "app_name",
            f"{_shown(request.app_name)} is not a DNS label: use 1 to 63 of a-z, 0-9 and '-', "
            "beginning and ending with a letter or digit",
        )
    _check_image(faults, request.image)
    if not 1 <= request.port <= 65535:
        faults.add("port", f"port must be from 1 to 65535, not {_shown(request.port)}")
    _check_env(faults, request.env)
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
    faults = _Faults()
    if change.image is not None:
        _check_image(faults, change.image)
    if change.env is not None:
        _check_env(faults, change.env)
    if change.replicas is not None:
        _check_replicas(faults, change.replicas)
    cpu, memory = change.cpu, change.memory
    if cpu is not None:
        faults.collect(lambda: parse_cpu(cpu))
    if memory is not None:
        faults.collect(lambda: parse_memory(memory))
    faults.raise_any()


def check_replicas(replicas: int) -> None:
    faults = _Faults()
    _check_replicas(faults, replicas)
    faults.raise_any()


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _check_image(faults: _Faults, image: str) -> None:
    if len(image) > 512 or not (_IMAGE.fullmatch(image) or _IMAGE_ID.match(image)):
        faults.add(
            "image",
            f"{_shown(image)} is not an image reference: use [registry/]name[:tag] in lower case, "
            "such as 'nginx:1.27' or 'ghcr.io/owner/app:v2'",
        )


def _check_env(faults: _Faults, env: Mapping[str, str]) -> None:
    size = 0
    for name, value in env.items():
        size += len(name) + len(value.encode(errors="surrogatepass")) + 2
        if not _ENV_NAME.fullmatch(name):
            faults.add(f"env.{name[:64]}", f"{_shown(name)} is not a variable name: use letters, digits and '_'")
        elif "\0" in value or not _encodable(value):
            faults.add(f"env.{name}", "the value holds characters that no environment can carry (NUL or surrogates)")
        elif len(value.encode()) + len(name) + 1 > MAX_ENV_VALUE_BYTES:
            faults.add(f"env.{name}", f"the value is longer than {MAX_ENV_VALUE_BYTES} bytes")
    if size > MAX_ENV_BYTES:
        faults.add("env", f"all variables together exceed {MAX_ENV_BYTES} bytes")


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_replicas(faults: _Faults, replicas: int) -> None:
    if not 0 <= replicas <= MAX_REPLICAS:
        faults.add("replicas", f"replicas must be from 0 to {MAX_REPLICAS}, not {_shown(replicas)}")


def _check_health(faults: _Faults, check: HealthCheck) -> None:
    if not _PATH.fullmatch(check.path):
        faults.add("health_check.path", f"{_shown(check.path)} is not a path: begin with '/' and leave out spaces")
    for name, least, most in (
        ("initial_delay_seconds", 0, 3600),
        ("period_seconds", 1, 3600),
        ("timeout_seconds", 1, 300),
        ("failure_threshold", 1, 100),
    ):
        value: int = getattr(check, name)
        if not least <= value <= most:
            faults.add(f"health_check.{name}", f"{name} must be from {least} to {most}, not {_shown(value)}")
