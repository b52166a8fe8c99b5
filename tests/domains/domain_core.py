"""The core with custom domains: a real engine, a real ingress, a real DNS server, and a clock that a test moves."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from backend.domain.accounts import Principal
from backend.domain.deployments import Deployment
from backend.domain.domains import CustomDomain, DomainState, DomainStatus
from backend.domain.journal import JournalEntry, JournalKind
from backend.services.dns_lookup import DnsLookup
from backend.services.domain_checks import DomainChecker, DomainTimes
from backend.services.domain_proof import DomainProver
from backend.services.domain_rules import ReservedNames
from backend.services.domains import DomainService
from backend.storage.domains import DomainQueries
from tests.domains.name_server import NameServer
from tests.images.build import build_static_image
from tests.ingress.ingress_site import eventually
from tests.reconciler.core import Core

DEADLINE_SECONDS = 60.0
PUBLIC_ADDRESS = "203.0.113.7"
PUBLIC_ADDRESS_6 = "2001:db8::7"
# Nothing is waited for twice; how long a domain is borne with is as it is in production.
QUICK = DomainTimes(
    pending=(0.1,), certificate=(0.1,), failed=(0.1,), active=3600, troubled=(0.1,), missing_for=72 * 3600
)


class DomainCore(Core):
    """Apps are at `<app>.apps.example.com`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.suffix = "apps.example.com"
        self.names = NameServer()
        self.times = QUICK
        self.checking = True
        self._ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def move(self, **duration: float) -> None:
        """The clock of the checks."""
        self._ahead += timedelta(**duration)
        self.checker.wake()

    async def start(self) -> None:
        await super().start()
        if not self.names.port:
            await self.names.start()
        prover = DomainProver(
            DnsLookup((("127.0.0.1", self.names.port),), timeout_seconds=1.0), (PUBLIC_ADDRESS, PUBLIC_ADDRESS_6)
        )
        self.checker = DomainChecker(
            self.database,
            self.queries,
            DomainQueries(self.address.host),
            self.journal,
            self.ingress,
            prover,
            route=self.reconciler.route_domains,
            times=self.times,
            clock=self.now,
        )
        self.domains = DomainService(
            self.database,
            self.queries,
            self.journal,
            self.address,
            ReservedNames(self.suffix, ["127.0.0.1", "api.example.org"]),
            prover,
            wake=self.checker.wake,
            route=self.reconciler.route_domains,
        )
        if self.checking:
            await self.checker.start()

    async def stop(self) -> None:
        await self.checker.close()
        await super().stop()

    async def clean(self) -> None:
        await super().clean()
        self.names.stop()

    async def app(self, name: str, *, replicas: int = 0, who: Principal | None = None) -> Deployment:
        mine, self.who = self.who, who or self.who
        try:
            return await self.deploy(name, build_static_image(), 80, replicas=replicas)
        finally:
            self.who = mine

    def point(self, name: str, app: Deployment) -> None:
        """Set the CNAME that the owner was told."""
        self.names.put(name, "CNAME", self.address.host(app.app_name))

    async def domain(self, app: Deployment, name: str) -> CustomDomain:
        found = {domain.name: domain for domain in await self.domains.list(self.who, app.id)}
        return found[name]

    async def reached(self, app: Deployment, name: str, status: DomainStatus, says: str = "") -> CustomDomain:
        """The domain once it has that status, and its reason has those words."""
        domain: CustomDomain | None = None
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                while True:
                    domain = await self.domain(app, name)
                    if domain.status is status and says in domain.reason and domain.state is not DomainState.VERIFIED:
                        return domain
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"not {status} with {says!r} after {DEADLINE_SECONDS} s: {domain}") from None

    async def reached_routed(self, app: Deployment, name: str, says: str) -> CustomDomain:
        """The domain once it is proved, and its reason says what is still missing."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                domain = await self.domain(app, name)
                if domain.state is DomainState.VERIFIED and says in domain.reason:
                    return domain
                await asyncio.sleep(0.02)

    async def checked_again(self, app: Deployment, name: str) -> None:
        before = (await self.domain(app, name)).checked_at

        async def again() -> bool:
            return (await self.domain(app, name)).checked_at != before

        await eventually(again)

    async def answers(self, host: str, status: int) -> None:
        """Until a request to a host is answered so."""

        async def so() -> bool:
            return await self.answer(host) == status

        await eventually(so)

    async def told(self, app: Deployment, *kinds: JournalKind) -> list[JournalEntry]:
        return [entry for entry in await self.history(app) if entry.kind in kinds]

    async def answer(self, host: str) -> int:
        """The status of a request to a host, over HTTP."""
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            answer = await client.get(f"http://127.0.0.1:{self.ingress_port}/", headers={"Host": host})
            return answer.status_code


def patient(**changes: float) -> DomainTimes:
    """Quick checks, with another patience."""
    return replace(QUICK, **changes)  # type: ignore[arg-type]
