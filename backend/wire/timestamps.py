"""Times on the wire: UTC, ISO 8601, ending in Z."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import PlainSerializer, WithJsonSchema


def format_timestamp(value: datetime) -> str:
    """Whole seconds: `2025-01-01T00:00:00Z`."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_precise_timestamp(value: datetime) -> str:
    """Microseconds: `2025-01-01T00:00:00.123456Z`."""
    # Half of what strftime costs, and every line of a log has one.
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return value.isoformat(timespec="microseconds")[:-6] + "Z"


Timestamp = Annotated[
    datetime,
    PlainSerializer(format_timestamp, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
