"""Custom domains as users ask for them. Proving and serving them is the checker's work (`domain_checks`)."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime

from backend.domain.accounts import Principal
from backend.domain.deployments import Deployment
from backend.domain.domains import CustomDomain, DomainState
from backend.domain.errors import Conflict, Invalid, NotFound, Unavailable
from backend.domain.ids import Kind, new_short_id, new_uuid
from backend.domain.journal import JournalKind
from backend.services.deployments import PublicAddress
from backend.services.domain_proof import DomainProver
from backend.services.domain_rules import MAX_DOMAINS, ReservedNames, checked_domain
from backend.services.journal import SYSTEM, Journal, JournalTransaction, utc_now
from backend.storage.database import Database
from backend.storage.deployments import DeploymentQueries
from backend.storage.domains import DomainQueries

log = logging.getLogger(__name__)


class DomainService:
    """Every method takes who asks; another tenant's deployment or domain is NotFound."""

    def __init__(
        self,
        database: Database,
        deployments: DeploymentQueries,
        journal: Journal,
        address: PublicAddress,
        reserved: ReservedNames,
        prover: DomainProver,
        *,
        wake: Callable[[], None],
        route: Callable[[], Awaitable[None]],
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """`wake` tells the checker that a domain came; `route` serves the domains that storage has."""
        self._database = database
        self._deployments = deployments
        self._domains = DomainQueries(address.host)
        self._journal = journal
        self._address = address
        self._reserved = reserved
        self._prover = prover
        self._wake = wake
        self._route = route
        self._clock = clock

    async def add(self, who: Principal, deployment_id: str, name: str) -> CustomDomain:
        """Pending, to be checked at once. Raises Invalid at `domain`, and Conflict where the name is in use. Another
        tenant keeps no name whose DNS leads to this app: who asked first is not who owns it."""
        name = checked_domain(name, self._reserved)
        proved = await self._is_proved_elsewhere_held(who, deployment_id, name)
        async with self._journal.transaction() as change:
            deployment = await self._of_tenant(change, who, deployment_id)
            await self._make_room(change, deployment, name, proved=proved)
            domain = CustomDomain(
                id=new_uuid(),
                short_id=new_short_id(Kind.DOMAIN),
                tenant_id=deployment.tenant_id,
                deployment_id=deployment.id,
                name=name,
                state=DomainState.PENDING,
                reason="waiting for its first check",
                proof=secrets.token_hex(16),
                app_host=self._address.host(deployment.app_name),
                attempts=0,
                created_at=change.now,
                verified_at=None,
                checked_at=None,
                next_check_at=change.now,
                troubled_since=change.now,
            )
            await self._domains.insert(change.session, domain)
            await change.record(
                deployment,
                JournalKind.DOMAIN_ADDED,
                f"domain {name} added",
                actor=who.user.short_id,
                data={"domainId": domain.short_id, "domain": name, "status": domain.status.value},
            )
        self._wake()
        return domain

    async def list(self, who: Principal, deployment_id: str) -> list[CustomDomain]:
        """Oldest first; there are at most `MAX_DOMAINS`."""
        async with self._database.session() as session:
            deployment = await self._deployments.of_tenant(session, who.tenant_id, deployment_id)
            if deployment is None:
                raise _no_deployment(deployment_id)
            return await self._domains.of_deployment(session, deployment.id)

    async def remove(self, who: Principal, deployment_id: str, domain_id: str) -> None:
        """By uuid or short id. When it returns, the name is free and, unless the ingress is down, served no more."""
        async with self._journal.transaction() as change:
            deployment = await self._of_tenant(change, who, deployment_id)
            for domain in await self._domains.of_deployment(change.session, deployment.id):
                if domain_id in (domain.id, domain.short_id):
                    break
            else:
                raise NotFound(f"the app {deployment.app_name!r} has no domain {_shown(domain_id)!r}")
            await self._domains.remove(change.session, domain.id)
            await self._record_removal(change, deployment, domain, who.user.short_id, f"domain {domain.name} removed")
        try:
            await self._route()
        except Unavailable as error:
            # It goes on trying; the answer is right as it is, since the name is free.
            log.warning("%s is still served: %s", domain.name, error.message)

    async def _of_tenant(self, change: JournalTransaction, who: Principal, deployment_id: str) -> Deployment:
        deployment = await self._deployments.of_tenant(change.session, who.tenant_id, deployment_id)
        if deployment is None:
            raise _no_deployment(deployment_id)
        return deployment

    async def _is_proved_elsewhere_held(self, who: Principal, deployment_id: str, name: str) -> bool:
        """Whether a name that another tenant holds leads to this app. Asked before the transaction: the DNS may be
        slow."""
        async with self._database.session() as session:
            deployment = await self._deployments.of_tenant(session, who.tenant_id, deployment_id)
            known = await self._domains.by_name(session, name)
        if deployment is None or known is None or known.tenant_id == deployment.tenant_id:
            return False
        return await self._prover.leads_to(name, self._address.host(deployment.app_name))

    async def _make_room(self, change: JournalTransaction, deployment: Deployment, name: str, *, proved: bool) -> None:
        if await self._domains.count(change.session, deployment.id) >= MAX_DOMAINS:
            raise Invalid.at("domain", f"an app has at most {MAX_DOMAINS} domains: remove one first")
        known = await self._domains.by_name(change.session, name)
        if known is None:
            return
        if known.deployment_id == deployment.id:
            raise _in_use(f"the domain {name} is this app's already")
        if known.tenant_id == deployment.tenant_id:
            raise _in_use(f"the domain {name} leads to your app at {known.app_host}: remove it there first")
        if known.state is not DomainState.FAILED and not proved:
            raise _in_use(
                f"the domain {name} is in use already: if it is yours, set its CNAME to "
                f"{self._address.host(deployment.app_name)}, then add it again"
            )
        # Who could not prove a name, or can no longer, must not keep it from who can.
        await self._domains.remove(change.session, known.id)
        loser = await self._deployments.by_id(change.session, known.deployment_id)
        if loser is not None:
            await self._record_removal(
                change, loser, known, SYSTEM, f"domain {name} removed: it is not proved, and is claimed elsewhere"
            )

    async def _record_removal(
        self, change: JournalTransaction, deployment: Deployment, domain: CustomDomain, actor: str, message: str
    ) -> None:
        data = {"domainId": domain.short_id, "domain": domain.name}
        await change.record(deployment, JournalKind.DOMAIN_REMOVED, message, actor=actor, data=data)


def _in_use(message: str) -> Conflict:
    return Conflict(message, details={"field": "domain"})


def _no_deployment(deployment_id: str) -> NotFound:
    return NotFound(f"there is no deployment {_shown(deployment_id)!r}")


def _shown(reference: str) -> str:
    return reference if len(reference) <= 64 else reference[:61] + "..."
