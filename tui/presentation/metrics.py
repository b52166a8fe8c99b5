"""Series for the plots: what storage has, then what the live feed added since. Times are POSIX seconds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.wire.container_engine import MetricPoint
    from backend.wire.pilothouse import LiveMetricModel

Point = tuple[float, float | None]
_CPU = re.compile(r"^(\d+(?:\.\d+)?)(m?)$")


@dataclass(frozen=True, slots=True)
class Window:
    """How much time the plots show, at which stored resolution."""

    label: str
    seconds: float
    resolution: str
    step_seconds: float
    live_first: bool = False
    """Live samples take the place of stored ones as far back as there are any."""


WINDOWS: tuple[Window, ...] = (
    Window("5 minutes", 300, "1m", 60, live_first=True),
    Window("15 minutes", 900, "1m", 60),
    Window("1 hour", 3600, "1m", 60),
    Window("6 hours", 6 * 3600, "5m", 300),
    Window("1 day", 86_400, "5m", 300),
    Window("7 days", 7 * 86_400, "1h", 3600),
    Window("30 days", 30 * 86_400, "1d", 86_400),
)


def stored_points(points: Iterable[MetricPoint], *, per_seconds: float = 1.0) -> list[Point]:
    """Values over `per_seconds`: counts of a step become rates."""
    return [(point.timestamp.timestamp(), point.value / per_seconds) for point in points]


def joined(
    stored: Sequence[Point], live: Sequence[Point], start: float, *, live_first: bool = False
) -> tuple[Point, ...]:
    """Stored points from `start` on, then the live ones that are newer than all of them; with `live_first` all live
    ones from `start` on, behind the stored ones that are older."""
    if live_first and live:
        older = tuple(point for point in stored if start <= point[0] < live[0][0])
        return older + tuple(point for point in live if point[0] >= start)
    last = stored[-1][0] if stored else start
    return tuple(point for point in stored if point[0] >= start) + tuple(point for point in live if point[0] > last)


def live_values(sample: LiveMetricModel) -> tuple[float, float, float, float, float]:
    """(time, cores, bytes, requests per second, errors per second)."""
    return (
        sample.at.timestamp(),
        sample.cpu_cores,
        float(sample.memory_bytes),
        sample.requests_per_second,
        sample.errors_per_second,
    )


def cpu_limit_cores(quantity: str, replicas: int) -> float | None:
    """Cores that all replicas together may use; None where the quantity is none."""
    match = _CPU.match(quantity)
    if not match or not replicas:
        return None
    return float(match[1]) / (1000 if match[2] else 1) * replicas
