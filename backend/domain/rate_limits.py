"""How often a caller may ask: classes of requests, and what is left of an allowance."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

WINDOW_SECONDS = 60.0


class RateClass(StrEnum):
    """Requests that are counted together. Of `connections`, sockets of one user, it is those open at once."""

    AUTHENTICATION = "authentication"
    DEPLOYMENT_OPERATIONS = "deployment_operations"
    READ = "read"
    LOGS_AND_METRICS = "logs_and_metrics"
    GENERAL = "general"
    CONNECTIONS = "connections"


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a request found. `remaining` is what is left after it; `reset_after` are the seconds until the oldest
    counted request leaves the window, which is when a refused caller may ask again."""

    allowed: bool
    limit: int
    remaining: int
    reset_after: float
