"""The outermost layer of a TCP listener: requests for unknown hosts and from foreign pages go no further.

A page in a browser can make its visitor's machine talk to loopback. It cannot choose the Host header freely, nor hide
its Origin: a name that is not ours is DNS rebinding, a foreign origin a cross-site call.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from backend.domain.errors import DomainError, Forbidden, Invalid
from backend.surfaces.pilothouse.errors import error_answer
from backend.surfaces.refusals import Refusing, send_answer

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
        hosts, origin = _headers(scope["headers"])
        host = hosts[0] if hosts else b""
        if len(hosts) > 1:
            # Which of them counts would be a matter of who reads them.
            shown = ", ".join(repr(one[:80].decode("latin-1")) for one in hosts[:2])
            await self._refuse(scope, receive, send, Invalid(f"The request names more than one host: {shown}"))
        elif not self._known(host):
            shown = host[:80].decode("latin-1") or "(none)"
            words = f"This server does not answer for the host {shown!r}: use localhost or its address, "
            await self._refuse(scope, receive, send, Invalid(words + "or add the name to allowed_hosts"))
        elif origin and not _same_origin(origin, host):
            page = origin[:80].decode("latin-1")
            await self._refuse(scope, receive, send, Forbidden(f"Requests from pages of {page!r} are not allowed"))
        else:
            await self._app(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, error: DomainError) -> None:
        if isinstance(self._app, Refusing):
            await self._app.refuse(scope, receive, send, error)
        else:
            await send_answer(scope, receive, send, error_answer(error))

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


def _headers(headers: Iterable[tuple[bytes, bytes]]) -> tuple[list[bytes], bytes]:
    hosts: list[bytes] = []
    origin = b""
    for name, value in headers:
        if name == b"host":
            hosts.append(value)
        elif name == b"origin":
            origin = value
    return hosts, origin


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
