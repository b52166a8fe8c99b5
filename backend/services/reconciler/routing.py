"""Which replicas the ingress serves, and waiting until those taken out have finished."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from backend.domain.errors import Unavailable
from backend.domain.ingress import Ingress, Route, Upstream

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
# After a load the ingress rests this many times as long as the load took, at most so long: while many deployments
# roll, their changes gather meanwhile, and loading is not all that the machine does.
REST_FACTOR = 3.0
LONGEST_REST_SECONDS = 0.3


class RouteBook:
    """All routes of the installation. Nothing is applied before `open`, so that a fresh process that has not yet seen
    the engine leaves the running ingress as it is."""

    def __init__(self, ingress: Ingress, *, drain_seconds: float) -> None:
        self._ingress = ingress
        self._drain_seconds = drain_seconds
        self._routes: dict[str, Route] = {}
        self._by_host: dict[str, str] = {}
        self._domains: dict[str, tuple[str, ...]] = {}
        self._by_domain: dict[str, str] = {}
        self._version = 0
        self._applied = -1
        self._opened = False
        self._lock = asyncio.Lock()
        self._rested_at = 0.0
        self._look = asyncio.Lock()
        self._looked_at = 0.0
        self._in_flight: Mapping[str, int] = {}
        self._retry: asyncio.Task[None] | None = None

    def deployment_of_host(self, host: str) -> str | None:
        """Whose route a Host name (without port) leads to."""
        return self._by_host.get(host) or self._by_domain.get(host)

    def set(self, deployment_id: str, hosts: Sequence[str], addresses: Sequence[str], unavailable_text: str) -> bool:
        """Serve a deployment from these addresses; True where that is a change. Takes effect at `flush`."""
        route = Route(
            id=deployment_id,
            hosts=tuple(hosts),
            upstreams=tuple(Upstream(address) for address in sorted(addresses)),
            unavailable_text=unavailable_text,
        )
        known = self._routes.get(deployment_id)
        if known == route:
            return False
        self._disown(known)
        self._routes[deployment_id] = route
        for host in hosts:
            # Where a deleted app's name was given away before its replicas are gone, the newcomer's route has it.
            if known is None or host not in self._by_host:
                self._by_host[host] = deployment_id
        self._version += 1
        return True

    def _disown(self, route: Route | None) -> None:
        if route:
            for host in route.hosts:
                if self._by_host.get(host) == route.id:
                    del self._by_host[host]

    def assign_domains(self, names: Mapping[str, Sequence[str]]) -> None:
        """The custom domains of all deployments, which they are served under as well. They are kept apart from `set`,
        so that a change of one waits for no deployment's own work. Takes effect at `flush`."""
        wanted = {deployment_id: tuple(found) for deployment_id, found in names.items()}
        if wanted != self._domains:
            self._domains = wanted
            self._by_domain = {name: deployment_id for deployment_id, found in wanted.items() for name in found}
            self._version += 1

    def domains_of(self, deployment_id: str) -> tuple[str, ...]:
        """Its custom domains that were assigned last."""
        return self._domains.get(deployment_id, ())

    def remove(self, deployment_id: str) -> None:
        route = self._routes.pop(deployment_id, None)
        if route:
            self._disown(route)
            self._version += 1

    async def serving(self) -> Mapping[str, Collection[str]]:
        """The addresses that the ingress leads requests to, by Host name, whoever asked for that."""
        return await self._ingress.serving()

    async def open(self) -> None:
        self._opened = True
        try:
            await self.flush()
        except Unavailable as error:
            log.warning("the ingress does not take its routes yet: %s", error.message)

    async def flush(self) -> None:
        """Return once the routes set before are served. Raises Unavailable, and goes on trying."""
        if not self._opened:
            return
        wanted = self._version
        async with self._lock:
            if self._applied >= wanted:
                return
            clock = asyncio.get_running_loop().time
            await asyncio.sleep(self._rested_at - clock())
            version, began = self._version, clock()
            try:
                await self._ingress.apply(self._served())
            except Unavailable:
                self._try_again()
                raise
            self._applied = version
            self._rested_at = clock() + min(REST_FACTOR * (clock() - began), LONGEST_REST_SECONDS)

    def _served(self) -> list[Route]:
        # An app's own host wins: a platform's new suffix may be what was somebody's domain before.
        served = []
        for route in self._routes.values():
            own = [host for host in route.hosts if self._by_host.get(host) == route.id]
            domains = [name for name in self._domains.get(route.id, ()) if name not in self._by_host]
            if own or domains:
                served.append(replace(route, hosts=(*own, *domains)))
        return served

    def _try_again(self) -> None:
        if self._retry is None or self._retry.done():
            self._retry = asyncio.create_task(self._retry_loop(), name="route-retry")

    async def _retry_loop(self) -> None:
        while self._applied < self._version:
            await asyncio.sleep(RETRY_SECONDS)
            try:
                async with self._lock:
                    version = self._version
                    await self._ingress.apply(self._served())
                    self._applied = version
            except Unavailable as error:
                log.info("the ingress still refuses its routes: %s", error.message)

    async def drained(self, address: str | None) -> None:
        """Return when no request is at the address any more, at the latest after the drain time."""
        if address is None:
            return
        deadline = asyncio.get_running_loop().time() + self._drain_seconds
        poll = 0.05
        while asyncio.get_running_loop().time() < deadline:
            try:
                if not (await self._requests_in_flight()).get(address):
                    return
            except Unavailable:
                return
            await asyncio.sleep(poll)
            poll = min(poll * 1.5, 0.5)

    async def _requests_in_flight(self) -> Mapping[str, int]:
        """What the ingress says at some moment after this call: those who ask together share an answer."""
        clock = asyncio.get_running_loop().time
        asked_at = clock()
        async with self._look:
            if self._looked_at <= asked_at:
                looked_at = clock()
                self._in_flight = await self._ingress.in_flight()
                self._looked_at = looked_at
            return self._in_flight

    async def close(self) -> None:
        if self._retry:
            self._retry.cancel()
            await asyncio.gather(self._retry, return_exceptions=True)
