"""Logs, metrics and times of running, in the words that both container-engine documents use. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from backend.domain.logs import LogLevel, LogRecord
from backend.domain.metrics import MetricSeries, Point
from backend.wire import observed as wire
from backend.wire.timestamps import format_precise_timestamp


def as_utc(value: datetime | None) -> datetime | None:
    """A time without an offset is meant as UTC."""
    if value is None:
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def to_wire_log(record: LogRecord) -> wire.LogEntry:
    return wire.LogEntry(
        timestamp=format_precise_timestamp(record.timestamp),
        level=record.level.value,
        message=record.message,
        source=record.source,
        replica=record.replica,
        stream=record.stream,
        cursor=record.cursor,
    )


def to_wire_batch(records: Sequence[LogRecord], dropped: int) -> list[wire.LogEntry]:
    """A batch of a followed log. Where lines were lost because the client reads too slowly, the first entry says so."""
    entries = [to_wire_log(record) for record in records]
    if dropped:
        lost = wire.LogEntry(
            timestamp=entries[0].timestamp if entries else format_precise_timestamp(datetime.now(UTC)),
            level=LogLevel.WARN.value,
            message=f"{dropped} lines were left out here, because they were read too slowly",
            source="pilothouse",
            replica="",
            stream="",
        )
        entries.insert(0, lost)
    return entries


def to_wire_metrics(series: MetricSeries) -> wire.MetricsResponse:
    return wire.MetricsResponse(
        metrics=wire.MetricSeriesModel(
            cpu=[_point(point) for point in series.cpu],
            memory=[_whole(point) for point in series.memory],
            requests=[_whole(point) for point in series.requests],
        )
    )


def _point(point: Point) -> wire.MetricPoint:
    return wire.MetricPoint(timestamp=point.at, value=float(point.value))


def _whole(point: Point) -> wire.MetricPoint:
    return wire.MetricPoint(timestamp=point.at, value=round(point.value))


def format_uptime(seconds: int) -> str:
    """`2h 30m 45s`: leading units that are zero are left out, days go before hours; `0s` for none."""
    minutes, second = divmod(max(0, seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    parts = [(days, "d"), (hour, "h"), (minute, "m"), (second, "s")]
    while len(parts) > 1 and parts[0][0] == 0:
        parts.pop(0)
    return " ".join(f"{value}{unit}" for value, unit in parts)
