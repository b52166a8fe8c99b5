"""Environments and their logs: between the domain and this document. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from backend.domain.environments import (
    Environment,
    EnvironmentChange,
    EnvironmentLogLine,
    EnvironmentLogs,
    EnvironmentRequest,
    EnvironmentStatus,
    EnvironmentUsage,
    InstallEvent,
    InstallEventKind,
)
from backend.wire import devpocket_environments as wire

InstallationFrame = (
    wire.InstallationLogFrame
    | wire.InstallationStatusFrame
    | wire.InstallationCompleteFrame
    | wire.InstallationErrorFrame
)


def to_wire_environment(environment: Environment) -> wire.EnvironmentResponse:
    resources = environment.resources
    return wire.EnvironmentResponse(
        id=environment.id,
        name=environment.name,
        description=environment.description,
        template_id=environment.template_id,
        template_name=environment.template_name,
        status=environment.status.value,
        docker_image=environment.image,
        port=environment.port,
        resources=wire.ResourcesResponse(cpu=resources.cpu, memory=resources.memory, storage=resources.storage),
        environment_variables=dict(environment.env),
        installation_completed=environment.installation_completed,
        created_at=environment.created_at,
        updated_at=environment.updated_at,
        last_activity=environment.last_activity,
        cluster_id=environment.cluster_id,
        idle_stop_minutes=environment.idle_stop_minutes,
        reason=environment.reason,
        message=environment.message,
        error_message=environment.error_message,
    )


def from_wire_create(body: wire.EnvironmentCreateRequest) -> EnvironmentRequest:
    resources = body.resources or wire.ResourcesModel()
    return EnvironmentRequest(
        name=body.name,
        template_id=body.template_id,
        description=body.description,
        port=body.port,
        cpu=resources.cpu,
        memory=resources.memory,
        storage=resources.storage,
        env=variables(body.environment_variables),
        cluster_id=body.cluster_id,
        idle_stop_minutes=body.idle_stop_minutes,
    )


def from_wire_update(body: wire.EnvironmentUpdateRequest) -> EnvironmentChange:
    resources = body.resources or wire.ResourcesModel()
    return EnvironmentChange(
        name=body.name,
        description=body.description,
        image=body.docker_image,
        port=body.port,
        cpu=resources.cpu,
        memory=resources.memory,
        storage=resources.storage,
        env=None if body.environment_variables is None else variables(body.environment_variables),
        idle_stop_minutes=body.idle_stop_minutes,
    )


def variables(given: Mapping[str, str | bool | int | float]) -> dict[str, str]:
    """As a shell would have them: `true`, `3`, `0.5`."""
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}


def to_wire_metrics(environment: Environment, usage: EnvironmentUsage) -> wire.EnvironmentMetricsResponse:
    limits = environment.resources
    # What does not run uses nothing; only of what runs can it be unknown.
    resting = None if environment.status is EnvironmentStatus.RUNNING else 0
    cpu = resting if usage.cpu_cores is None else round(usage.cpu_cores, 4)
    memory = resting if usage.memory_bytes is None else usage.memory_bytes
    return wire.EnvironmentMetricsResponse(
        environment_id=environment.id,
        environment_name=environment.name,
        cpu=wire.CpuUsage(
            usage=cpu,
            limit=limits.cpu,
            percent=_percent(cpu, usage.cpu_limit_cores),
        ),
        memory=wire.BytesUsage(
            usage=memory,
            limit=limits.memory,
            percent=_percent(memory, usage.memory_limit_bytes),
        ),
        storage=wire.StorageUsage(
            usage=usage.storage_bytes,
            limit=limits.storage,
            percent=_percent(usage.storage_bytes, usage.storage_limit_bytes),
            enforced=usage.storage_enforced,
        ),
        timestamp=usage.at,
    )


def to_wire_line(line: EnvironmentLogLine) -> wire.LogLineModel:
    return wire.LogLineModel(timestamp=line.at, level=line.level, message=line.message, source=line.source)


def to_wire_logs(environment: Environment, logs: EnvironmentLogs) -> wire.EnvironmentLogsResponse:
    return wire.EnvironmentLogsResponse(
        environment_id=environment.id,
        environment_name=environment.name,
        logs=[to_wire_line(line) for line in logs.lines],
        total_lines=logs.total_lines,
        has_more=logs.has_more,
    )


def to_wire_frame(told: InstallEvent | EnvironmentLogLine) -> wire.LogFrame | InstallationFrame:
    """A frame of the log socket."""
    if isinstance(told, EnvironmentLogLine):
        return wire.LogFrame(data=to_wire_line(told))
    environment_id, at, text = told.environment_id, told.at, told.text
    match told.kind:
        case InstallEventKind.LOG:
            return wire.InstallationLogFrame(environment_id=environment_id, timestamp=at, data=text)
        case InstallEventKind.STATUS:
            return wire.InstallationStatusFrame(environment_id=environment_id, timestamp=at, status=text)
        case InstallEventKind.COMPLETE:
            return wire.InstallationCompleteFrame(environment_id=environment_id, timestamp=at, message=text)
        case InstallEventKind.ERROR:
            return wire.InstallationErrorFrame(environment_id=environment_id, timestamp=at, error=text)


def _percent(used: float | None, limit: float) -> float | None:
    return None if used is None or not limit else round(100 * used / limit, 2)
