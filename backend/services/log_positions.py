"""Places in the logs of a deployment: numbered lines, and the opaque cursors made of them.

The engine gives a time per line, no number. Within a container, a line's place is its time and how many lines had that
same time before it; times that step back (stdout and stderr are written by two threads) are lifted to the latest one
seen, so that places only grow. A reader that starts a little before the line it wants numbers lines as any other does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from backend.domain.engine import LogLine
from backend.domain.errors import Invalid
from backend.domain.logs import LogLevel, LogRecord
from backend.services.log_levels import LevelTracker

SOURCE = "app"
# A replica silent for this long before a cursor's time is left out of it.
HORIZON_US = 60_000_000
# How far before a place a reader starts, to number lines alike; and how many lines before a tail.
SLACK_US = 200_000
WARM_UP_LINES = 32

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_KEY_LENGTH = 12
_PART = re.compile(r"([0-9a-f]{12})-([0-9a-f]{1,14})-([0-9a-f]{1,8})")
_MAX_CURSOR = 40 * 250


def microseconds(at: datetime) -> int:
    """Since 1970, exactly."""
    return (at - _EPOCH) // _MICROSECOND


def moment(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)


def container_key(container_id: str) -> str:
    """How a container is called within cursors."""
    return container_id[:_KEY_LENGTH]


class Place(NamedTuple):
    """`at` in microseconds since 1970, never falling within a container; `nth` from 1 among equal times."""

    at: int
    nth: int


class Entry(NamedTuple):
    """A line with its place. Entries of several containers merge by `at`, stably."""

    at: int
    nth: int
    key: str
    replica: str
    line: LogLine
    level: LogLevel


class LineNumbering:
    """Numbers and classifies the lines of one container, fed in the order of its log."""

    __slots__ = ("_at", "_count", "_key", "_levels", "_replica")

    def __init__(self, container_id: str, replica: str) -> None:
        self._key = container_key(container_id)
        self._replica = replica
        self._levels = LevelTracker()
        self._at = 0
        self._count = 0

    def number(self, lines: Iterable[LogLine]) -> list[Entry]:
        entries = []
        for line in lines:
            at = microseconds(line.at)
            if at > self._at:
                self._at, self._count = at, 1
            else:
                self._count += 1
            level = self._levels.level_of(line.text, line.stream)
            entries.append(Entry(self._at, self._count, self._key, self._replica, line, level))
        return entries


@dataclass(frozen=True, slots=True)
class Cursor:
    """Up to where each container was read; those it does not name were read up to `floor` (microseconds)."""

    places: Mapping[str, Place]
    floor: int

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Raises Invalid where the text is no cursor of ours."""
        places: dict[str, Place] = {}
        if len(text) <= _MAX_CURSOR:
            for part in text.split("."):
                match = _PART.fullmatch(part)
                if match is None:
                    places.clear()
                    break
                places[match[1]] = Place(int(match[2], 16), int(match[3], 16))
        if not places:
            raise Invalid.at("cursor", "the cursor is not one that a log record carried: leave it out to start anew")
        return cls(places, max(place.at for place in places.values()) - HORIZON_US)

    def after(self, container_id: str) -> Place:
        """The last place that was read of a container."""
        return self.places.get(container_key(container_id)) or Place(self.floor, 2**32)


class CursorWriter:
    """Turns entries, in the order in which they are given out, into records with their cursors."""

    __slots__ = ("_newest", "_parts", "_prune_at", "_seen")

    def __init__(self) -> None:
        self._seen: dict[str, Place] = {}
        self._parts: dict[str, str] = {}
        self._newest = 0
        self._prune_at = 0

    def place_of(self, key: str) -> Place:
        """The last place given out or passed over of a container."""
        return self._seen.get(key, Place(0, 0))

    def pass_over(self, key: str, place: Place) -> None:
        """Lines up to `place` will not be given out."""
        if place > self.place_of(key):
            self._mark(key, place)

    def is_new(self, entry: Entry) -> bool:
        return (entry.at, entry.nth) > self.place_of(entry.key)

    def record(self, entry: Entry) -> LogRecord:
        at, nth, key, replica, (time, stream, text), level = entry
        self._mark(key, Place(at, nth))
        parts = self._parts
        cursor = ".".join(parts.values()) if len(parts) > 1 else parts[key]
        return LogRecord(time, level, text, SOURCE, replica, stream, cursor)

    def _mark(self, key: str, place: Place) -> None:
        self._seen[key] = place
        self._parts[key] = f"{key}-{place.at:x}-{place.nth:x}"
        if place.at > self._newest:
            self._newest = place.at
            if place.at > self._prune_at:
                self._prune_at = place.at + 1_000_000
                horizon = place.at - HORIZON_US
                for old in [key for key in self._parts if self._seen[key].at < horizon]:
                    del self._parts[old]
