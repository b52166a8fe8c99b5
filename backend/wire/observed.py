"""Wire models of logs and metrics, which are the same in both container-engine documents."""

from __future__ import annotations

from pydantic import BaseModel

from backend.wire.timestamps import Timestamp


class LogEntry(BaseModel):
    """`timestamp` is finer than a second, so that order survives the wire. `cursor` resumes after this entry; it is
    empty in one that tells of lines left out."""

    timestamp: str
    level: str
    message: str
    source: str
    replica: str
    stream: str
    cursor: str = ""


class LogsResponse(BaseModel):
    logs: list[LogEntry]


class MetricPoint(BaseModel):
    """`value` in cores, bytes or requests; bytes and counts are whole, cores are not."""

    timestamp: Timestamp
    value: int | float


class MetricSeriesModel(BaseModel):
    cpu: list[MetricPoint]
    memory: list[MetricPoint]
    requests: list[MetricPoint]


class MetricsResponse(BaseModel):
    metrics: MetricSeriesModel
