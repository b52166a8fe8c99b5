"""Logs, metrics and times of running, in the words that both container-engine documents use. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from backend.domain.logs import LogLevel, LogRecord
from backend.domain.metrics import MetricSeries, Point
from backend.wire import observed as wire
from backend.wire.timestamps import format_precise_timestamp

_encoder = msgspec.json.Encoder()


def encode_batch(records: Sequence[LogRecord], dropped: int) -> list[bytes]:
    """A batch of a followed log, each entry as JSON. Where lines were lost because the client reads too slowly, the
    first entry says so."""
    encode = _encoder.encode
    entries = [encode(_log_entry(record)) for record in records]
    if dropped:
        lost = LogRecord(
            timestamp=records[0].timestamp if records else datetime.now(UTC),
            level=LogLevel.WARN,
            message=f"{dropped} lines were left out here, because they were read too slowly",
            source="pilothouse",
            replica="",
            stream="",
            cursor="",
        )
        entries.insert(0, encode(_log_entry(lost)))
    return entries


def encode_logs(records: Sequence[LogRecord]) -> bytes:
    """A `LogsResponse` as JSON."""
    return _encoder.encode({"logs": [_log_entry(record) for record in records]})


def _log_entry(record: LogRecord) -> dict[str, str]:
    """A `LogEntry`, but as a dictionary: of thousands a second, the models would cost the most."""
    timestamp, level, message, source, replica, stream, cursor = record
    return {
        "timestamp": format_precise_timestamp(timestamp),
        "level": level,
        "message": message,
        "source": source,
        "replica": replica,
        "stream": stream,
        "cursor": cursor,
    }


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
