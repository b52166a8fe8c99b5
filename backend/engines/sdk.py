"""What we use of the docker SDK, which has no types of its own: the low-level client's calls, with theirs.

Answers are the engine's JSON documents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

import docker
import docker.auth
import docker.context
import docker.utils
from docker.tls import TLSConfig

Document = Mapping[str, Any]


class Client(Protocol):
    """The low-level `docker.APIClient`. Every call blocks; it may be shared between threads."""

    trust_env: bool

    @property
    def api_version(self) -> str: ...

    def close(self) -> None: ...
    def version(self, api_version: bool = True) -> Document: ...
    def info(self) -> Document: ...

    def inspect_image(self, image: str) -> Document: ...
    def inspect_distribution(self, image: str, auth_config: Mapping[str, str] | None = None) -> Document: ...

    def inspect_network(self, net_id: str) -> Document: ...
    def create_network(
        self, name: str, *, driver: str, ipam: Document, labels: Mapping[str, str], check_duplicate: bool
    ) -> Document: ...
    def remove_network(self, net_id: str) -> None: ...

    def containers(self, *, all: bool, filters: Mapping[str, Sequence[str]]) -> Sequence[Document]: ...
    def inspect_container(self, container: str) -> Document: ...
    def create_container_from_config(self, config: Document, name: str) -> Document: ...
    def start(self, container: str) -> None: ...
    def stop(self, container: str, timeout: int) -> None: ...
    def restart(self, container: str, timeout: int) -> None: ...
    def remove_container(self, container: str, *, v: bool, force: bool) -> None: ...
    def top(self, container: str, ps_args: str) -> Document: ...

    def create_volume(
        self, name: str, driver: str, driver_opts: Mapping[str, str], labels: Mapping[str, str]
    ) -> Document: ...
    def inspect_volume(self, name: str) -> Document: ...
    def volumes(self, filters: Mapping[str, Sequence[str]]) -> Document: ...
    def remove_volume(self, name: str) -> None: ...

    def exec_create(
        self,
        container: str,
        cmd: Sequence[str],
        *,
        stdin: bool = False,
        tty: bool = False,
        environment: Mapping[str, str] | None = None,
        detach_keys: str | None = None,
        user: str = "",
        workdir: str | None = None,
    ) -> Document: ...
    def exec_start(self, exec_id: str, *, detach: bool) -> object: ...
    def exec_inspect(self, exec_id: str) -> Document: ...
    def exec_resize(self, exec_id: str, *, height: int, width: int) -> None: ...


def make_client(base_url: str, version: str, timeout: float, tls: TLSConfig | None, connections: int) -> Client:
    """A low-level client of a fixed API version; makes no request."""
    made: Any = docker.APIClient(  # type: ignore[attr-defined,no-untyped-call]
        base_url=base_url, version=version, timeout=timeout, tls=tls or False, max_pool_size=connections
    )
    return cast(Client, made)


def environment_settings() -> Mapping[str, Any]:
    """`base_url` and `tls` as DOCKER_HOST and its companions give them."""
    return dict(docker.utils.kwargs_from_env())  # type: ignore[attr-defined,no-untyped-call]


def context_settings() -> Mapping[str, Any]:
    """The same from the Docker CLI's current context; empty where there is none."""
    return dict(docker.context.ContextAPI.kwargs_from_context())  # type: ignore[attr-defined,no-untyped-call]


def registry_header(auth: Mapping[str, str]) -> str:
    """The value of `X-Registry-Auth`."""
    return bytes(docker.auth.encode_header(auth)).decode("ascii")  # type: ignore[no-untyped-call]
