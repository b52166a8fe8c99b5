"""Looking at a Kubernetes API server with a kubeconfig: its version, and how many of its nodes are ready."""

from __future__ import annotations

import asyncio
import base64
import binascii
import importlib
import os
import shutil
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from backend.domain.clusters import ClusterSight
from backend.domain.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from kubernetes_asyncio.client import ApiClient

LOOK_SECONDS = 5.0
_PAGE = 500
# They would run programs of this machine, read its files or lead elsewhere than the server that is named; API servers
# have long ceased to take passwords.
_REFUSED_OF_USER = (
    "exec",
    "auth-provider",
    "client-certificate",
    "client-key",
    "tokenFile",
    "username",
    "password",
    "as",
    "as-groups",
    "as-uid",
    "as-user-extra",
)
_REFUSED_OF_CLUSTER = ("certificate-authority", "proxy-url")


@dataclass(frozen=True, slots=True)
class _Access:
    """The current context of a kubeconfig. Certificates and keys are PEM."""

    server: str
    verify: bool
    server_name: str | None
    ca: bytes | None = field(default=None, repr=False)
    certificate: bytes | None = field(default=None, repr=False)
    key: bytes | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)


class KubernetesClusters:
    """See `backend.domain.clusters.KubernetesReader`."""

    async def check(self, kubeconfig: str) -> None:
        await asyncio.to_thread(_read, kubeconfig)

    async def look(self, kubeconfig: str) -> ClusterSight:
        """Within 5 s, but for the first one's import."""
        # YAML takes seconds where somebody made it to: not here, where everything else would wait.
        access = await asyncio.to_thread(_read, kubeconfig)
        # Hundreds of modules: importing them here would hold up everything else.
        await asyncio.to_thread(importlib.import_module, "kubernetes_asyncio.client")
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                client = _client(access)
                try:
                    return await _sight(client)
                finally:
                    await client.close()
        except TimeoutError as error:
            raise Unavailable(f"{access.server} does not answer within {LOOK_SECONDS:g} s") from error


async def _sight(client: ApiClient) -> ClusterSight:
    from aiohttp import ClientConnectorCertificateError, ClientConnectorSSLError, ClientError
    from kubernetes_asyncio.client import ApiException, CoreV1Api, VersionApi

    server = client.configuration.host
    try:
        version = await VersionApi(client).get_code()
        nodes, ready, rest = 0, 0, ""
        while True:
            page = await CoreV1Api(client).list_node(limit=_PAGE, _continue=rest)
            nodes += len(page.items)
            ready += sum(_is_ready(node) for node in page.items)
            rest = page.metadata._continue or ""
            if not rest:
                return ClusterSight(str(version.git_version), nodes, ready)
    except ApiException as error:
        words = {401: "it does not know these credentials", 403: "these credentials may not read its nodes"}
        raise Unavailable(f"{server} refuses: {words.get(error.status, f'it answers {error.status}')}") from error
    except (ClientConnectorCertificateError, ClientConnectorSSLError) as error:
        raise Unavailable(f"{server} has a certificate that does not hold, or refuses ours") from error
    except (ClientError, OSError) as error:
        raise Unavailable(f"{server} cannot be reached: {getattr(error, 'strerror', None) or error}") from error
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        raise Unavailable(f"{server} does not answer as a Kubernetes API server does") from error


def _is_ready(node: Any) -> bool:
    conditions = (node.status.conditions if node.status else None) or ()
    return any(one.type == "Ready" and one.status == "True" for one in conditions)


def _client(access: _Access) -> ApiClient:
    """A client of one server. The library reads certificates from files: they are in a folder of mode 0700
    and are gone when this returns."""
    from kubernetes_asyncio.client import ApiClient, Configuration

    configuration = Configuration(host=access.server)
    configuration.verify_ssl = access.verify
    configuration.tls_server_name = access.server_name
    if access.token:
        configuration.api_key = {"BearerToken": f"Bearer {access.token}"}
    folder = Path(tempfile.mkdtemp(prefix="pilothouse-"))
    try:
        configuration.ssl_ca_cert = _file(folder / "ca.pem", access.ca)
        configuration.cert_file = _file(folder / "cert.pem", access.certificate)
        configuration.key_file = _file(folder / "key.pem", access.key)
        return ApiClient(configuration)
    except (ssl.SSLError, OSError) as error:
        raise Unavailable("the certificates of the kubeconfig cannot be used") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _file(path: Path, content: bytes | None) -> str | None:
    if content is None:
        return None
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(content)
    return str(path)


def _read(kubeconfig: str) -> _Access:
    """The current context. Raises Invalid at kubeconfig; no message repeats a secret."""
    import yaml

    try:
        found = yaml.safe_load(kubeconfig)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _invalid("is no YAML") from error
    if not isinstance(found, Mapping):
        raise _invalid("is no kubeconfig: it must be an object with clusters, contexts and users")
    context = _named(found, "contexts", "context", found.get("current-context"))
    cluster = _named(found, "clusters", "cluster", context.get("cluster"))
    user = _named(found, "users", "user", context.get("user"))
    for part, refused in ((user, _REFUSED_OF_USER), (cluster, _REFUSED_OF_CLUSTER)):
        for name in refused:
            if part.get(name):
                raise _invalid(f"uses {name}, which is not taken: put certificates, keys or a token into it as text")
    server = cluster.get("server")
    parts = urlsplit(server if isinstance(server, str) else "")
    if parts.scheme != "https" or not parts.hostname or parts.username is not None:
        raise _invalid("names no server such as https://10.0.0.1:6443")
    return _Access(
        server=str(server).rstrip("/"),
        verify=not cluster.get("insecure-skip-tls-verify"),
        server_name=_text(cluster, "tls-server-name"),
        ca=_data(cluster, "certificate-authority-data"),
        certificate=_data(user, "client-certificate-data"),
        key=_data(user, "client-key-data"),
        token=_text(user, "token"),
    )


def _named(config: Mapping[str, Any], many: str, one: str, name: object) -> Mapping[str, Any]:
    entries = config.get(many)
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, Mapping) and entry.get("name") == name and isinstance(entry.get(one), Mapping):
            found: Mapping[str, Any] = entry[one]
            return found
    raise _invalid(f"has no {one} that its current context names")


def _text(part: Mapping[str, Any], name: str) -> str | None:
    value = part.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value.isprintable():
        raise _invalid(f"has a {name} that is no text")
    return value or None


def _data(part: Mapping[str, Any], name: str) -> bytes | None:
    value = _text(part, name)
    if value is None:
        return None
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _invalid(f"has a {name} that is no base64") from error


def _invalid(reason: str) -> Invalid:
    return Invalid.at("kubeconfig", f"kubeconfig {reason}")
