"""Custom domains: rows, what to set at the DNS provider, and the form's checks. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tui.presentation.words import age
from widgets.table_columns import Cell, Column

if TYPE_CHECKING:
    from backend.wire.container_engine import DnsRecordModel, DomainListItem
    from tui.presentation.overview import Line

_SIGNS = {"active": ("●", "status-running"), "pending": ("◌", "status-pending"), "failed": ("✖", "status-failed")}
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)\Z")


@dataclass(frozen=True, slots=True)
class DomainRow:
    """One domain as the table shows it."""

    id: str
    name: str
    status: str
    reason: str
    created_at: float


def domain_row(domain: DomainListItem) -> DomainRow:
    return DomainRow(domain.id, domain.domain, domain.status, domain.reason or "", domain.created_at.timestamp())


def domain_columns() -> list[Column[DomainRow]]:
    return [
        Column("domain", "DOMAIN", lambda row: row.name, cut="middle", min_width=16, max_width=60, flex=1),
        Column("status", "STATUS", _status_cell, min_width=9),
        Column("reason", "WHY", lambda row: Cell(row.reason, "muted"), min_width=16, max_width=60, flex=2, priority=1),
    ]


def _status_cell(row: DomainRow) -> Cell:
    sign, token = _SIGNS.get(row.status, ("?", ""))
    return Cell(f"{sign} {row.status}", token)


def instructions(domain: DomainListItem, now: datetime) -> list[Line]:
    """What the owner of the domain has to do, or that all is done."""
    sign, token = _SIGNS.get(domain.status, ("?", ""))
    lines: list[Line] = [[(f"{sign} ", token), (domain.domain, ""), (f"  {domain.status}", token)]]
    if domain.reason:
        lines.append([(domain.reason, "status-failed" if domain.status == "failed" else "")])
    lines.append([(_checks(domain, now), "muted")])
    if domain.status == "active":
        lines += [[], [("Open ", "muted"), (f"https://{domain.domain}", "url")]]
        lines += [[], [("It works while this record stays as it is:", "muted")]]
    else:
        lines += [[], [("Set this record at your DNS provider:", "")]]
    lines += _records(domain.dns_records)
    lines += [
        [],
        [
            (
                "Where a CNAME cannot be (at the top of a domain), set an A or AAAA record to this host, and this:",
                "muted",
            )
        ],
        *_records([domain.verification]),
    ]
    return lines


def _checks(domain: DomainListItem, now: datetime) -> str:
    parts = []
    if domain.verified_at is not None:
        parts.append(f"verified {age(domain.verified_at, now)} ago")
    if domain.checked_at is not None:
        parts.append(f"checked {age(domain.checked_at, now)} ago")
    if domain.next_check_at is not None and domain.next_check_at > now:
        parts.append(f"next check in {age(now - (domain.next_check_at - now), now)}")
    return ", ".join(parts) or "not checked yet"


def _records(records: list[DnsRecordModel]) -> list[Line]:
    lines: list[Line] = []
    for record in records:
        lines.append([("  Type   ", "muted"), (record.type, "plot-1")])
        lines.append([("  Name   ", "muted"), (record.name, "")])
        lines.append([("  Value  ", "muted"), (record.value, "")])
    return lines


def records_text(domain: DomainListItem) -> str:
    """All records, in the form of a zone file, to copy."""
    return "\n".join(
        f"{record.name}. {record.type} {_zone_value(record)}" for record in (*domain.dns_records, domain.verification)
    )


def _zone_value(record: DnsRecordModel) -> str:
    return f'"{record.value}"' if record.type == "TXT" else f"{record.value}."


def check_domain(value: str) -> str | None:
    """A host name of at least two labels. Whether it may be used here, only the backend knows."""
    if "://" in value or "/" in value:
        return "Only the host name, without https:// and path"
    if not value.isascii():
        return None  # an international name: the backend knows how to write it
    labels = value.lower().rstrip(".").split(".")
    if len(labels) < 2:
        return "A whole name, such as app.example.com"
    if not all(_LABEL.match(label) for label in labels):
        return "Letters, digits and inner dashes, in parts separated by dots"
    return None
