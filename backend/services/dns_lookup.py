"""Looking names up in the DNS, past the hosts file and search domains of this machine."""

from __future__ import annotations

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver

from backend.domain.errors import Unavailable

_TIMEOUT_SECONDS = 5.0
_MOST_ALIASES = 10


class DnsLookup:
    """`resolvers` are IP addresses with ports; none means the system's, read anew for each lookup, since laptops move
    between networks. Every method raises Unavailable where no answer came; that a name does not exist is an answer."""

    def __init__(
        self, resolvers: tuple[tuple[str, int], ...] = (), *, timeout_seconds: float = _TIMEOUT_SECONDS
    ) -> None:
        self._resolvers = resolvers
        self._timeout_seconds = timeout_seconds

    async def aliases(self, name: str) -> list[str]:
        """The names that a name leads to by CNAME records, in their order; empty where it is no alias."""
        found: list[str] = []
        while len(found) < _MOST_ALIASES:
            targets = await self._values(found[-1] if found else name, "CNAME")
            if not targets or targets[0] in (name, *found):
                break
            found.append(targets[0])
        return found

    async def addresses(self, name: str) -> set[str]:
        """The IPv4 and IPv6 addresses of a name that is no alias."""
        return {*await self._values(name, "A"), *await self._values(name, "AAAA")}

    async def texts(self, name: str) -> set[str]:
        """The TXT records of a name, its aliases followed."""
        aliases = await self.aliases(name)
        return set(await self._values(aliases[-1] if aliases else name, "TXT"))

    async def _values(self, name: str, kind: str) -> list[str]:
        try:
            answer = await self._resolver().resolve(
                name, kind, search=False, raise_on_no_answer=False, lifetime=self._timeout_seconds
            )
        except (dns.resolver.NXDOMAIN, dns.name.NameTooLong, dns.name.LabelTooLong, dns.name.EmptyLabel):
            return []
        except (dns.exception.DNSException, OSError) as error:
            raise Unavailable(f"the DNS did not answer about {name}: {_brief(error)}") from error
        return [] if answer.rrset is None else [_text(record) for record in answer.rrset]

    def _resolver(self) -> dns.asyncresolver.Resolver:
        if not self._resolvers:
            return dns.asyncresolver.Resolver()
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = [dns.nameserver.Do53Nameserver(address, port) for address, port in self._resolvers]
        return resolver


def _text(record: object) -> str:
    if getattr(record, "rdtype", None) == dns.rdatatype.TXT:
        return b"".join(record.strings).decode(errors="replace")  # type: ignore[attr-defined]
    return str(record).rstrip(".").lower()


def _brief(error: Exception) -> str:
    if isinstance(error, dns.resolver.LifetimeTimeout):
        return "no answer in time"
    if isinstance(error, dns.resolver.NoNameservers):
        return "its servers refuse"
    return str(error) or type(error).__name__
