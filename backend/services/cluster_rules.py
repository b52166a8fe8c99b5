"""What requests about clusters must satisfy. All faults are collected."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from backend.domain.clusters import ClusterKind, DockerAddress
from backend.domain.shown import shown
from backend.services.input_faults import Faults

MAX_NAME = 63
MAX_DESCRIPTION = 2000
MAX_CREDENTIAL = 256 * 1024
DOCKER = "docker"

# `\Z`, not `$`, which also passes a line feed at the end.
_PROVIDER = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")
_USER = re.compile(r"^[A-Za-z0-9_.-]{1,64}\Z")
_HOST = re.compile(r"^[A-Za-z0-9.:_%-]{1,253}\Z")


def kind_of(provider: str) -> ClusterKind:
    """What a provider leads to."""
    return ClusterKind.DOCKER if provider.lower() == DOCKER else ClusterKind.KUBERNETES


def check_names(
    faults: Faults, name: str | None, region: str | None, provider: str | None, description: str | None
) -> None:
    """Those that are given."""
    for field, value in (("name", name), ("region", region)):
        if value is not None and not (1 <= len(value) <= MAX_NAME and value.isprintable() and value.strip() == value):
            faults.add(field, f"{field} must be 1 to {MAX_NAME} printable characters, not {shown(value)}")
    if provider is not None and not _PROVIDER.fullmatch(provider):
        faults.add("provider", f"{shown(provider)} is no provider: use a word such as ovh, aws or docker")
    if description is not None and (len(description) > MAX_DESCRIPTION or "\0" in description):
        faults.add("description", f"description must be plain text of at most {MAX_DESCRIPTION} characters")


def check_credentials(
    faults: Faults, kind: ClusterKind, docker: DockerAddress | None, kubeconfig: str | None, *, needed: bool
) -> None:
    """That what is given is of the kind, and is there where it is needed."""
    if docker is not None and kubeconfig is not None:
        faults.add("docker", "give either docker or kubeconfig")
    elif kind is ClusterKind.DOCKER:
        if kubeconfig is not None or (docker is None and needed):
            faults.add("docker", "a cluster of the provider docker needs docker with an endpoint")
        elif docker is not None:
            _check_docker(faults, docker)
    elif docker is not None:
        faults.add("docker", "docker goes with the provider docker alone: others need a kubeconfig")
    elif kubeconfig is None and needed:
        faults.add("kubeconfig", "is required")
    elif kubeconfig is not None and not 0 < len(kubeconfig) <= MAX_CREDENTIAL:
        faults.add("kubeconfig", f"kubeconfig must have 1 to {MAX_CREDENTIAL} characters")


def _check_docker(faults: Faults, docker: DockerAddress) -> None:
    url = _parsed(docker.url)
    if url is None:
        faults.add(
            "docker.endpoint",
            "docker.endpoint must be tcp://host:port, or ssh://user@host, without a password and anything after it",
        )
        return
    tls = {"ca_certificate": docker.ca_pem, "client_certificate": docker.cert_pem, "client_key": docker.key_pem}
    ssh = {"ssh_private_key": docker.ssh_private_key, "ssh_host_key": docker.ssh_host_key}
    needed, foreign = (tls, ssh) if url == "tcp" else (ssh, tls)
    for name, value in foreign.items():
        if value is not None:
            faults.add(f"docker.{name}", f"docker.{name} has no use with {url}://")
    for name, value in needed.items():
        if value is not None and not 0 < len(value) <= MAX_CREDENTIAL:
            faults.add(f"docker.{name}", f"docker.{name} must have 1 to {MAX_CREDENTIAL} characters")
    if url == "tcp":
        for name in ("client_certificate", "client_key"):
            if tls[name] is None:
                faults.add(
                    f"docker.{name}", f"docker.{name} is required: without TLS anybody on its network owns the engine"
                )


def _parsed(text: str) -> str | None:
    """The scheme of a usable address."""
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        return None
    plain = url.password is None and not url.query and not url.fragment and port != 0 and text.isprintable()
    if not plain or not text.isascii() or not _HOST.fullmatch(url.hostname or ""):
        return None
    if url.scheme == "tcp":
        return "tcp" if url.username is None and url.path in ("", "/") else None
    fine = url.scheme == "ssh" and (url.username is None or _USER.fullmatch(url.username))
    return "ssh" if fine and len(url.path) <= 107 else None
