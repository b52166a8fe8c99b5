"""Times on the wire: UTC, ISO 8601, ending in Z."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError


def format_timestamp(value: datetime) -> str:
    """Whole seconds: `2025-01-01T00:00:00Z`."""
    # A quarter of what strftime costs, and every line of a list or a log has some.
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return value.isoformat(timespec="seconds")[:-6] + "Z"


def format_precise_timestamp(value: datetime) -> str:
    """Microseconds: `2025-01-01T00:00:00.123456Z`."""
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return value.isoformat(timespec="microseconds")[:-6] + "Z"


def _written_as_time(value: object) -> object:
    """A text of digits would be taken as seconds or milliseconds since 1970, by its length; a date alone says no
    time."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or ":" not in value:
        raise PydanticCustomError("datetime_parsing", "must be a time such as 2025-12-31T23:59:59Z")
    return value


# Not strict, which here would refuse texts: what comes out of a validator of one's own counts as Python's, not JSON's.
GivenTime = Annotated[datetime, Field(strict=False), BeforeValidator(_written_as_time)]

Timestamp = Annotated[
    datetime,
    PlainSerializer(format_timestamp, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
