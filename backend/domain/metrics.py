"""Metric series of a deployment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Resolution(StrEnum):
    MINUTE = "1m"
    FIVE_MINUTES = "5m"
    HOUR = "1h"
    DAY = "1d"

    @property
    def seconds(self) -> int:
        return {"1m": 60, "5m": 300, "1h": 3600, "1d": 86400}[self.value]


@dataclass(frozen=True, slots=True)
class Point:
    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class MetricSeries:
    """cpu in cores and memory in bytes, each the sum over replicas (average within a bucket);
    requests is the count within a bucket. A bucket without samples is absent, not zero."""

    cpu: Sequence[Point]
    memory: Sequence[Point]
    requests: Sequence[Point]


@dataclass(frozen=True, slots=True)
class LiveSample:
    """What a deployment uses now; also one value of the live feed. Latency in milliseconds."""

    deployment_id: str
    at: datetime
    cpu_cores: float
    memory_bytes: int
    memory_limit_bytes: int
    requests_per_second: float
    errors_per_second: float
    latency_p50_ms: float | None
    latency_p95_ms: float | None
