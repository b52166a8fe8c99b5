"""Log records of a deployment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


class LogRecord(NamedTuple):
    """One line. `replica` is the container's name; `stream` is stdout or stderr; `cursor` is opaque and
    orders the records of a deployment: pass it back to resume without loss or repeat."""

    timestamp: datetime
    level: LogLevel
    message: str
    source: str
    replica: str
    stream: str
    cursor: str


@dataclass(frozen=True, slots=True)
class LogQuery:
    """`tail` lines before now (None: all), between `since` and `until`."""

    tail: int | None = 100
    since: datetime | None = None
    until: datetime | None = None
