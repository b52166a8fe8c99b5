"""The engine's RFC 3339 timestamps, with up to nine digits of a second."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_PATTERN = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")


def parse_timestamp(text: str) -> datetime | None:
    """A moment in UTC, cut to microseconds; None for the engine's zero time (year 1). Raises ValueError."""
    match = _PATTERN.fullmatch(text)
    if not match:
        raise ValueError(f"not an engine timestamp: {text!r}")
    seconds, fraction, zone = match.groups()
    if seconds.startswith("0001-"):
        return None
    micro = (fraction or "").ljust(6, "0")[:6]
    return datetime.fromisoformat(f"{seconds}.{micro}{'+00:00' if zone == 'Z' else zone}").astimezone(UTC)


def unix_text(at: datetime, extra_nanoseconds: int = 0) -> str:
    """`seconds.nanoseconds`, as the engine's `since` and `until` take it."""
    micros = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    return f"{micros // 1_000_000}.{micros % 1_000_000 * 1000 + extra_nanoseconds:09d}"
