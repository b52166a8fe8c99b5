"""A custom domain: a host name of a user's own that leads to a deployment, once it is proved to be theirs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

PROOF_LABEL = "_pilothouse"
PROOF_PREFIX = "pilothouse-verification="


class DomainStatus(StrEnum):
    """What users see. The words are those of the container-engine documents."""

    PENDING = "pending"
    ACTIVE = "active"
    FAILED = "failed"


class DomainState(StrEnum):
    """Where a domain is: not yet proved; proved and routed, its certificate being obtained; serving; given up, but
    looked at now and then."""

    PENDING = "pending"
    VERIFIED = "verified"
    ACTIVE = "active"
    FAILED = "failed"

    @property
    def status(self) -> DomainStatus:
        return DomainStatus.PENDING if self is DomainState.VERIFIED else DomainStatus(self.value)


ROUTED_STATES = (DomainState.VERIFIED, DomainState.ACTIVE)


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """A record to make at the domain's DNS provider. `name` and `value` are without a dot at the end."""

    type: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class CustomDomain:
    """`name` is in lower case, in A-labels. `reason` says what is missing while it is not active. `attempts` counts
    the checks in a row that did not bring it further, `troubled_since` is when the first of them was; `verified_at` is
    when it became active last. `proof` is the token of the TXT record that goes with an address record.

    `dns_records` is what the owner should set; `verification`, with an address record to the same host in place of the
    CNAME, is for names that cannot have one."""

    id: str
    short_id: str
    tenant_id: str
    deployment_id: str
    name: str
    state: DomainState
    reason: str
    proof: str
    app_host: str
    attempts: int
    created_at: datetime
    verified_at: datetime | None
    checked_at: datetime | None
    next_check_at: datetime | None
    troubled_since: datetime | None

    @property
    def status(self) -> DomainStatus:
        return self.state.status

    @property
    def dns_records(self) -> tuple[DnsRecord, ...]:
        return (DnsRecord("CNAME", self.name, self.app_host),)

    @property
    def verification(self) -> DnsRecord:
        return DnsRecord("TXT", f"{PROOF_LABEL}.{self.name}", PROOF_PREFIX + self.proof)
