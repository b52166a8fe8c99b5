"""The outermost layer of a TCP listener: requests for unknown hosts and from foreign pages go no further.

A page in a browser can make its visitor's machine talk to loopback. It cannot choose the Host header freely, nor hide
its Origin: a name that is not ours is DNS rebinding, a foreign origin a cross-site call.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Collection, Iterable
from typing import Any
from urllib.parse import urlsplit

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


class HostCheck:
    """Passes requests whose Host is `localhost`, an IP address or one of `names`, and whose Origin, where there is
    one, is the very host and port that they ask. Ports in Host are not looked at: tunnels change them."""

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app = app
        self._names = frozenset((*_LOCAL_NAMES, *(name.lower() for name in names)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in (ScopeType.HTTP, ScopeType.WEBSOCKET):
            await self._app(scope, receive, send)
            return
        host, origin = _headers(scope["headers"])
        if not self._known(host):
            shown = host[:80].decode("latin-1") or "(none)"
            await _refuse(
                scope, receive, send, 400, "INVALID_REQUEST",
                f"This server does not answer for the host {shown!r}: use localhost or its address, "
                "or add the name to allowed_hosts",
            )  # fmt: skip
        elif origin and not _same_origin(origin, host):
            await _refuse(
                scope, receive, send, 403, "FORBIDDEN",
                f"Requests from pages of {origin[:80].decode('latin-1')!r} are not allowed",
            )  # fmt: skip
        else:
            await self._app(scope, receive, send)

    def _known(self, host: bytes) -> bool:
        name = _without_port(host.decode("latin-1").lower())
        if name in self._names:
            return True
        # An address cannot be rebound: only a name can be made to lead somewhere else.
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _headers(headers: Iterable[tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
    host = origin = b""
    for name, value in headers:
        if name == b"host":
            host = value
        elif name == b"origin":
            origin = value
    return host, origin


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].removesuffix(".")


def _same_origin(origin: bytes, host: bytes) -> bool:
    try:
        parts = urlsplit(origin.decode("latin-1"))
        return parts.scheme in ("http", "https") and parts.netloc.lower() == host.decode("latin-1").lower()
    except ValueError:
        return False


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, code: str, message: str) -> None:
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    prefix = "http" if scope["type"] == ScopeType.HTTP else "websocket.http"
    if prefix != "http":
        await receive()
    start: Any = {"type": f"{prefix}.response.start", "status": status, "headers": headers}
    rest: Any = {"type": f"{prefix}.response.body", "body": body}
    await send(start)
    await send(rest)
