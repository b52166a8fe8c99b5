"""What the ingress is asked to serve."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Upstream:
    """One `host:port` that serves a route."""

    address: str


@dataclass(frozen=True, slots=True)
class Route:
    """A deployment's public face. `hosts` are the Host names that lead to it; no upstreams means that the
    deployment is known but not ready: the ingress answers 503 with `unavailable_text`."""

    id: str
    hosts: tuple[str, ...]
    upstreams: tuple[Upstream, ...]
    unavailable_text: str = "no replica is ready"


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One finished request, from the access log."""

    at: datetime
    host: str
    status: int
    duration_seconds: float
    upstream: str | None
    response_bytes: int


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a client that asks for `name` over HTTPS is shown."""

    name: str
    issuer: str
    not_after: datetime


class Ingress(Protocol):
    """The one door for HTTP traffic. Config is applied whole: `apply` is idempotent and atomic."""

    fault: str | None
    """Why the last `start` failed, and what to do; None where it did not."""

    async def start(self) -> None:
        """Adopt the running process of this installation, or start one. Raises Unavailable."""

    async def apply(self, routes: Sequence[Route]) -> None:
        """Serve exactly these routes. Without effect where nothing changed. Raises Unavailable.
        When it returns, new requests follow the new routes."""

    async def serving(self) -> dict[str, frozenset[str]]:
        """The upstream addresses that requests are led to now, or will be once the ingress runs again, by Host name:
        those of the last `apply` that took effect, of this process or of one before it. Empty where that is not
        known."""

    async def ready(self) -> bool:
        """Whether the ingress answers now."""

    def requests(self) -> AsyncIterator[RequestRecord]:
        """Every finished request, from now on. One consumer."""

    async def in_flight(self) -> dict[str, int]:
        """Requests now at each upstream address; empty where none. Raises Unavailable."""

    async def certificate(self, name: str) -> Certificate | None:
        """The certificate for a host name that is served, obtained first where it is not there yet, which takes
        seconds to minutes; None where the ingress serves no HTTPS. Raises Unavailable with the reason."""

    async def close(self) -> None:
        """Let go of the process; it keeps serving."""

    async def stop(self) -> None:
        """End the process."""
