"""Query parameters: each reader raises Invalid naming the parameter as it was sent."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from backend.domain.errors import Invalid
from backend.domain.paging import PageRequest

if TYPE_CHECKING:
    from litestar.connection import ASGIConnection

    Connection = ASGIConnection[Any, Any, Any, Any]

Choice = TypeVar("Choice", bound=StrEnum)

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_LOST_PLUS = re.compile(r" ([0-9]{2}:?[0-9]{2})$")


def integer(
    connection: Connection, name: str, default: int | None, *, least: int = 0, most: int = 10**15
) -> int | None:
    """A whole number within bounds, or the default where it is not given."""
    raw = connection.query_params.get(name)
    if raw is None:
        return default
    if not _INTEGER.fullmatch(raw):
        raise Invalid.at(name, f"{name} must be a whole number, not {raw[:40]!r}")
    if not least <= int(raw) <= most:
        raise Invalid.at(name, f"{name} must be from {least} to {most}, not {raw}")
    return int(raw)


def text(connection: Connection, name: str, *, longest: int) -> str | None:
    """A text of printable ASCII. None where it is not given."""
    raw: str | None = connection.query_params.get(name)
    if raw is None:
        return None
    if not raw or len(raw) > longest or not raw.isascii() or not raw.isprintable():
        raise Invalid.at(name, f"{name} must be of 1 to {longest} printable ASCII characters")
    return raw


def boolean(connection: Connection, name: str, default: bool) -> bool:
    """`true` or `false`."""
    raw = connection.query_params.get(name)
    if raw is None:
        return default
    if raw.lower() not in ("true", "false"):
        raise Invalid.at(name, f"{name} must be true or false, not {raw[:40]!r}")
    return bool(raw.lower() == "true")


def moment(connection: Connection, name: str) -> datetime | None:
    """A time in ISO 8601, as UTC where it has no offset. None where it is not given."""
    raw = connection.query_params.get(name)
    if raw is None:
        return None
    try:
        # An unescaped + of an offset arrives as a space.
        value = datetime.fromisoformat(_LOST_PLUS.sub(r"+\1", raw.strip()))
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid.at(name, f"{name} must be a time such as 2025-01-01T00:00:00Z, not {raw[:40]!r}") from None


def span(connection: Connection, start: str, end: str) -> tuple[datetime | None, datetime | None]:
    """Two times, of which the first must not be after the second."""
    first, last = moment(connection, start), moment(connection, end)
    if first is not None and last is not None and first > last:
        raise Invalid.at(start, f"{start} must not be after {end}")
    return first, last


def choice(connection: Connection, name: str, kind: type[Choice], allowed: tuple[Choice, ...]) -> Choice | None:
    """One of some words. None where it is not given."""
    raw = connection.query_params.get(name)
    if raw is None:
        return None
    for value in allowed:
        if raw == value.value:
            return value
    raise Invalid.at(name, f"{name} must be one of {', '.join(a.value for a in allowed)}, not {raw[:40]!r}")


def page(connection: Connection) -> PageRequest:
    """`page` (default 1) and `limit` (default 10, at most 100)."""
    number = integer(connection, "page", 1, least=-(10**18))
    limit = integer(connection, "limit", 10, least=-(10**18))
    assert number is not None
    assert limit is not None
    return PageRequest.checked(number, limit)
