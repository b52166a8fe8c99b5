"""Where the engine listens, and how to reach it with the SDK and with plain asyncio sockets."""

from __future__ import annotations

import asyncio
import os
import ssl
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from docker.errors import DockerException
from docker.tls import TLSConfig

from backend.domain.clusters import DockerAddress
from backend.domain.errors import EngineUnavailable
from backend.engines.errors import unavailable
from backend.engines.relay import EngineRelay
from backend.engines.sdk import Client, context_settings, environment_settings, make_client

DEFAULT_BASE_URL = "unix:///var/run/docker.sock"
# The least version that every supported engine knows how to name itself at.
_FIRST_API_VERSION = "1.24"
# Bytes that a socket buffers for us before the engine has to wait.
_STREAM_BUFFER = 256 * 1024


@dataclass(frozen=True, slots=True)
class EngineAddress:
    """A base URL (`unix://path`, `tcp://host:port`) and its TLS material, if any. `fault` says what is wrong with
    the settings that name it: told at each use, since a wrong setting must not keep the rest from starting. With a
    `relay` the base URL is what people read, and connections go through the relay's socket; `remote` is what it was
    made from."""

    base_url: str
    tls: TLSConfig | None = None
    fault: str | None = None
    relay: EngineRelay | None = None
    remote: DockerAddress | None = field(default=None, repr=False)

    @classmethod
    def find(cls, base_url: str | None) -> EngineAddress:
        """The given URL, else DOCKER_HOST, else the Docker CLI's current context, else the default socket."""
        if base_url is not None:
            return cls(base_url)
        try:
            found = environment_settings() if os.environ.get("DOCKER_HOST") else context_settings()
        except (DockerException, OSError, ValueError) as error:
            named = os.environ.get("DOCKER_HOST") or DEFAULT_BASE_URL
            return cls(named, fault=f"the Docker settings (DOCKER_HOST, DOCKER_CERT_PATH, context) are wrong: {error}")
        url = str(found.get("base_url") or DEFAULT_BASE_URL).replace("http+unix://", "unix://")
        return cls(url, found.get("tls") or None)

    @property
    def is_local(self) -> bool:
        """Whether the engine is reached through a socket file."""
        return self.base_url.startswith("unix://")

    @property
    def path(self) -> str:
        """The socket file of a local engine."""
        return "/" + self.base_url.removeprefix("unix://").lstrip("/")

    def client(self, version: str | None, timeout: float, connections: int) -> Client:
        """A low-level SDK client. It does not look at proxies and CA bundles of the environment, which would
        override the engine's own TLS material. No request is made."""
        self._check_supported()
        url = f"unix://{self.relay.path}" if self.relay else self.base_url
        client = make_client(url, version or _FIRST_API_VERSION, timeout, self.tls, connections)
        client.trust_env = False
        return client

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A new connection to the engine. Raises OSError."""
        self._check_supported()
        if self.relay is not None:
            return await asyncio.open_unix_connection(self.relay.path, limit=_STREAM_BUFFER)
        if self.is_local:
            return await asyncio.open_unix_connection(self.path, limit=_STREAM_BUFFER)
        url = urlsplit(self.base_url)
        context = self._ssl_context() if self.tls or url.scheme == "https" else None
        return await asyncio.open_connection(
            url.hostname or "127.0.0.1", url.port or (2376 if context else 2375), ssl=context, limit=_STREAM_BUFFER
        )

    def unavailable(self, cause: BaseException) -> EngineUnavailable:
        """That the engine cannot be reached, with the reason: a relay knows it better than who found its connection
        closed."""
        if self.relay is not None and self.relay.fault:
            return EngineUnavailable(
                f"the container engine at {self.base_url} cannot be reached: {self.relay.fault}",
                details={"address": self.base_url, "cause": self.relay.fault[:300]},
            )
        return unavailable(self.base_url, cause)

    def _ssl_context(self) -> ssl.SSLContext:
        ca = self.tls.ca_cert if self.tls else None
        context = ssl.create_default_context(cafile=ca or None)
        if self.tls and self.tls.verify is False:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.tls and self.tls.cert:
            context.load_cert_chain(*self.tls.cert)
        return context

    def _check_supported(self) -> None:
        if self.fault is not None:
            raise EngineUnavailable(self.fault)
        if self.relay is None and urlsplit(self.base_url).scheme not in ("unix", "tcp", "http", "https"):
            raise EngineUnavailable(
                f"the engine address {self.base_url} is not supported: use unix:///path or tcp://host:port"
            )
