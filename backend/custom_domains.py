"""Composition of custom domains: the service, and the checker behind it, as the settings have them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from backend.domain.ingress import Ingress
from backend.services.deployments import PublicAddress
from backend.services.dns_lookup import DnsLookup
from backend.services.domain_checks import DomainChecker, DomainTimes
from backend.services.domain_proof import DomainProver
from backend.services.domain_rules import ReservedNames
from backend.services.domains import DomainService
from backend.services.journal import Journal
from backend.services.reconciler import Reconciler
from backend.settings import Settings
from backend.storage.database import Database
from backend.storage.deployments import DeploymentQueries
from backend.storage.domains import DomainQueries


@dataclass(frozen=True, slots=True)
class CustomDomains:
    """Start it after the reconciler, close it before."""

    service: DomainService
    checker: DomainChecker

    @classmethod
    def of(
        cls,
        settings: Settings,
        database: Database,
        queries: DeploymentQueries,
        journal: Journal,
        ingress: Ingress,
        address: PublicAddress,
        reconciler: Reconciler,
    ) -> CustomDomains:
        prover = DomainProver(DnsLookup(settings.dns_resolver), settings.public_addresses)
        checker = DomainChecker(
            database,
            queries,
            DomainQueries(address.host),
            journal,
            ingress,
            prover,
            route=reconciler.route_domains,
            times=DomainTimes.with_patience(settings.domain_patience_seconds),
        )
        service = DomainService(
            database,
            queries,
            journal,
            address,
            ReservedNames(settings.domain_suffix, _api_hosts(settings)),
            prover,
            wake=checker.wake,
            route=reconciler.route_domains,
        )
        return cls(service, checker)

    async def start(self) -> None:
        await self.checker.start()

    async def close(self) -> None:
        await self.checker.close()


def _api_hosts(settings: Settings) -> list[str]:
    public = urlsplit(settings.public_url).hostname
    return [*settings.listening_hosts, *settings.allowed_hosts, *([public] if public else [])]
