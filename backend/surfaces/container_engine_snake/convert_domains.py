"""Custom domains to this surface's wire models. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from backend.domain.domains import CustomDomain, DnsRecord
from backend.wire import container_engine_snake as wire


def to_wire_added_domain(domain: CustomDomain) -> wire.DomainAddResponse:
    return wire.DomainAddResponse(
        id=domain.id,
        domain=domain.name,
        status="pending",
        created_at=domain.created_at,
        dns_records=[_record(record) for record in domain.dns_records],
        verification=_record(domain.verification),
    )


def to_wire_domains(domains: Sequence[CustomDomain]) -> wire.DomainListResponse:
    return wire.DomainListResponse(
        domains=[
            wire.DomainListItem(
                id=domain.id,
                domain=domain.name,
                status=domain.status.value,
                created_at=domain.created_at,
                verified_at=domain.verified_at,
                reason=domain.reason or None,
                checked_at=domain.checked_at,
                next_check_at=domain.next_check_at,
                dns_records=[_record(record) for record in domain.dns_records],
                verification=_record(domain.verification),
            )
            for domain in domains
        ]
    )


def _record(record: DnsRecord) -> wire.DnsRecordModel:
    return wire.DnsRecordModel(type=record.type, name=record.name, value=record.value)
