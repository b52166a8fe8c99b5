"""What counts as a change in the live feed: pure comparisons that pass over what no panel shows."""

from __future__ import annotations

from dataclasses import replace

from backend.domain.deployments import Deployment, DeploymentState
from backend.domain.metrics import LiveSample
from backend.services.system import SystemStatus

_CPU_STEP = 0.001  # cores
_MEMORY_STEP = 256 * 1024  # bytes
_RATE_STEP = 0.05  # requests a second
_LATENCY_SHARE = 0.05


def same_deployment(before: Deployment, now: Deployment) -> bool:
    """Whether they differ in nothing but when the last probe was."""
    return replace(before, last_health_check=None) == replace(now, last_health_check=None)


def same_state(before: DeploymentState, now: DeploymentState) -> bool:
    """Whether they differ in nothing but the clock: the uptime, and when the last probe was."""
    return replace(before, uptime_seconds=0, last_health_check=None) == replace(
        now, uptime_seconds=0, last_health_check=None
    )


def same_sample(before: LiveSample | None, now: LiveSample) -> bool:
    """Whether the values are the same as far as a panel shows."""
    return (
        before is not None
        and abs(before.cpu_cores - now.cpu_cores) < _CPU_STEP
        and abs(before.memory_bytes - now.memory_bytes) < _MEMORY_STEP
        and before.memory_limit_bytes == now.memory_limit_bytes
        and abs(before.requests_per_second - now.requests_per_second) < _RATE_STEP
        and abs(before.errors_per_second - now.errors_per_second) < _RATE_STEP
        and _same_latency(before.latency_p50_ms, now.latency_p50_ms)
        and _same_latency(before.latency_p95_ms, now.latency_p95_ms)
    )


def _same_latency(before: float | None, now: float | None) -> bool:
    if before is None or now is None:
        return before is now
    return abs(before - now) <= _LATENCY_SHARE * max(before, now)


def silent_sample(before: LiveSample) -> LiveSample:
    """What a deployment that no longer runs uses."""
    return LiveSample(before.deployment_id, before.at, 0.0, 0, 0, 0.0, 0.0, None, None)


def same_status(before: SystemStatus | None, now: SystemStatus) -> bool:
    """Whether the parts are as they were; how many containers run is not part of it."""
    return before is not None and _lasting(before) == _lasting(now)


def _lasting(status: SystemStatus) -> SystemStatus:
    info = status.engine_info
    return status if info is None else replace(status, engine_info=replace(info, containers_running=0))
