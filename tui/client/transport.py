"""How requests and sockets reach a backend: over the local unix socket, or over TCP to a URL."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from websockets.asyncio.client import ClientConnection, connect, unix_connect

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
MAX_FRAME_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Either a unix socket of this machine or a base URL (`https://host`, no path)."""

    socket: Path | None = None
    url: str = ""

    @property
    def is_local(self) -> bool:
        return self.socket is not None

    @property
    def is_open_to_readers(self) -> bool:
        """Whether what is sent goes through a network without encryption."""
        parts = urlsplit(self.url)
        here = parts.hostname in ("localhost", "::1") or (parts.hostname or "").startswith("127.")
        return not self.is_local and parts.scheme == "http" and not here

    @property
    def label(self) -> str:
        return "local" if self.socket else urlsplit(self.url).netloc


def http_client(endpoint: Endpoint) -> httpx.AsyncClient:
    """A client whose relative URLs go to the endpoint. Proxies of the environment are left out for the local socket."""
    timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    if endpoint.socket is not None:
        transport = httpx.AsyncHTTPTransport(uds=str(endpoint.socket))
        # The backend refuses host names that it does not know; `localhost` it always knows.
        return httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=timeout, trust_env=False)
    return httpx.AsyncClient(base_url=endpoint.url, timeout=timeout)


async def open_socket(endpoint: Endpoint, path: str, token: str, *, compression: bool = False) -> ClientConnection:
    """A WebSocket to `path`. Raises OSError, websockets.InvalidStatus (its response has the HTTP status) and
    TimeoutError. Local sockets go uncompressed: the copy through zlib costs more than the bytes."""
    options: dict[str, Any] = {
        "additional_headers": {"Authorization": f"Bearer {token}"},
        "max_size": MAX_FRAME_BYTES,
        "open_timeout": CONNECT_SECONDS,
        "close_timeout": 1.0,
        "compression": "deflate" if compression else None,
    }
    if endpoint.socket is not None:
        return await unix_connect(str(endpoint.socket), f"ws://localhost{path}", **options)
    parts = urlsplit(endpoint.url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return await connect(f"{scheme}://{parts.netloc}{path}", **options)
