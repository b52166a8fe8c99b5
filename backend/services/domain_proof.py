"""Whether the DNS proves that a domain is its owner's, and leads here.

Proved is a name that is an alias of the app's host, by whatever many CNAME records of its owner's; or a name with an
address of this platform and, since anybody's name can point at an address, the token of the domain in a TXT record.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from backend.domain.domains import CustomDomain
from backend.domain.errors import Unavailable
from backend.services.dns_lookup import DnsLookup

_LONGEST_SECONDS = 20.0


class Proof(Enum):
    PROVED = "proved"
    MISSING = "missing"  # not set up yet
    ELSEWHERE = "elsewhere"  # set up, but for something else
    UNKNOWN = "unknown"  # the DNS does not answer


@dataclass(frozen=True, slots=True)
class Finding:
    """`reason` says what to change; empty where proved."""

    proof: Proof
    reason: str = ""


class DomainProver:
    """`public_addresses` are those at which the ingress is reached; without any, those that the app's own host name
    has in the DNS."""

    def __init__(self, lookup: DnsLookup, public_addresses: Iterable[str] = ()) -> None:
        self._lookup = lookup
        self._public = {str(ipaddress.ip_address(address)) for address in public_addresses}

    async def prove(self, domain: CustomDomain) -> Finding:
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                return await self._prove(domain)
        except TimeoutError:
            return Finding(Proof.UNKNOWN, f"the DNS did not answer about {domain.name} in time")
        except Unavailable as error:
            return Finding(Proof.UNKNOWN, error.message)

    async def leads_to(self, name: str, app_host: str) -> bool:
        """Whether a name is an alias of an app's host. Where the DNS does not answer, it is not."""
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                return _first_of_platform(await self._lookup.aliases(name), app_host) == app_host
        except (TimeoutError, Unavailable):
            return False

    async def _prove(self, domain: CustomDomain) -> Finding:
        aliases = await self._lookup.aliases(domain.name)
        if _first_of_platform(aliases, domain.app_host) == domain.app_host:
            return Finding(Proof.PROVED)
        if aliases:
            return Finding(
                Proof.ELSEWHERE, f"{domain.name} is a CNAME to {aliases[0]}: set it to {domain.app_host} instead"
            )
        addresses = await self._lookup.addresses(domain.name)
        if not addresses:
            return Finding(Proof.MISSING, f"{domain.name} has no record yet: set a CNAME to {domain.app_host}")
        if not addresses & await self._own_addresses(domain):
            shown = ", ".join(sorted(addresses)[:3])
            return Finding(Proof.ELSEWHERE, f"{domain.name} leads to {shown}: set a CNAME to {domain.app_host} instead")
        return await self._proved_by_token(domain)

    async def _proved_by_token(self, domain: CustomDomain) -> Finding:
        record = domain.verification
        texts = await self._lookup.texts(record.name)
        if record.value in texts:
            return Finding(Proof.PROVED)
        return Finding(
            Proof.MISSING,
            f"{domain.name} has an address of this platform: prove that it is yours by a TXT record {record.name} "
            f"with the value {record.value}",
        )

    async def _own_addresses(self, domain: CustomDomain) -> set[str]:
        if self._public:
            return self._public
        aliases = await self._lookup.aliases(domain.app_host)
        return await self._lookup.addresses(aliases[-1] if aliases else domain.app_host)


def _first_of_platform(aliases: Iterable[str], app_host: str) -> str | None:
    """Where the owner's records end. What comes after are the platform's own, such as one name for all apps: an app
    that is called like that must not have everybody's domains."""
    suffix = app_host.partition(".")[2]
    return next((alias for alias in aliases if alias == app_host or alias.endswith(f".{suffix}")), None)
