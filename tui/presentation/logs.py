"""Log lines: local times, short replica names."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache


def local_time(timestamp: str) -> str:
    """`12:34:56.789` in local time of an RFC 3339 timestamp; the text itself where it is none. Called for every line,
    so the minute, which carries the time zone, is worked out once."""
    minute = _local_minute(timestamp[:16])
    if minute is None:
        return timestamp
    fraction = timestamp[20:23] if timestamp[19:20] == "." else ""
    return f"{minute}:{timestamp[17:19]}.{fraction.rstrip('Z'):<03}"


@lru_cache(maxsize=512)
def _local_minute(minute: str) -> str | None:
    try:
        return datetime.fromisoformat(f"{minute}:00+00:00").astimezone().strftime("%H:%M")
    except ValueError:
        return None


def short_replica(name: str) -> str:
    """The last parts of a replica's name, which tell the replicas of one deployment apart: `g3-0`."""
    parts = name.rsplit("-", 2)
    return "-".join(parts[1:]) if len(parts) == 3 else name
