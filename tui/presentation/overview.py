"""The Overview panel: one deployment as styled lines. A span is (text, style token)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from tui.presentation.deployments import old_serving, serves
from tui.presentation.figures import field_line
from tui.presentation.words import (
    age,
    cores,
    milliseconds,
    plural,
    rate,
    reason_words,
    size,
    status_sign,
)

if TYPE_CHECKING:
    from backend.wire.pilothouse import DeploymentModel, LiveMetricModel, ReplicaModel

Span = tuple[str, str]
Line = list[Span]

_PHASE_TOKENS = {
    "ready": "status-running",
    "created": "status-pending",
    "starting": "status-starting",
    "unhealthy": "status-failed",
    "backing_off": "status-failed",
    "draining": "status-stopping",
    "exited": "status-stopped",
}


def overview(
    deployment: DeploymentModel, sample: LiveMetricModel | None, now: datetime, *, stale: bool = False
) -> list[Line]:
    """Everything about a deployment that fits in a glance: state first, then what it is, then its replicas."""
    lines = [_state_line(deployment, now, stale)]
    lines += [[(message, "")] for message in _messages(deployment)]
    if deployment.error_message:
        lines += [[("✖ ", "status-failed"), (part, "status-failed")] for part in deployment.error_message.splitlines()]
    lines.append([])
    lines.append(field_line("URL", deployment.url, "url"))
    lines.append(field_line("Image", deployment.image))
    if deployment.digest and deployment.digest != deployment.image:
        lines.append(field_line("Digest", _short_digest(deployment.digest), "muted"))
    lines.append(field_line("Port", str(deployment.port)))
    health_token = f"health-{deployment.health}"
    old = old_serving(deployment)
    if old and deployment.ready < deployment.replicas:
        counts = f"{plural(old, 'old replica')} serve{'s' if old == 1 else ''}; "
        counts += f"{deployment.ready} of {deployment.replicas} new ready"
        lines.append(field_line("Replicas", counts, "status-updating"))
    else:
        counts = f"{deployment.ready} of {deployment.replicas} ready, "
        lines.append([*field_line("Replicas", counts), (deployment.health, health_token)])
    lines.append(field_line("Limits", f"cpu {deployment.cpu_limit}, memory {deployment.memory_limit} per replica"))
    lines.append(
        field_line("Restarts", str(deployment.restart_count), "status-pending" if deployment.restart_count else "")
    )
    created, updated = age(deployment.created_at, now), age(deployment.updated_at, now)
    lines.append(field_line("Created", f"{created} ago, changed {updated} ago, generation {deployment.generation}"))
    if sample is not None and not stale and serves(deployment):
        lines += [[], *_usage(sample)]
    if deployment.replica_list:
        lines += [[], *_replicas(deployment.replica_list, now)]
    return lines


def _state_line(deployment: DeploymentModel, now: datetime, stale: bool) -> Line:
    token = f"status-{deployment.status}"
    line: Line = [(f"{status_sign(deployment.status)} {deployment.status}", token)]
    reason = reason_words(deployment.reason)
    if reason and reason not in (deployment.status, "ready"):
        line.append((f"  {reason}", token))
    if deployment.status == "running" and deployment.started_at is not None:
        line.append((f"  up {age(deployment.started_at, now)}", "muted"))
    if stale:
        line.append(("  as last known", "status-pending"))
    return line


def _messages(deployment: DeploymentModel) -> list[str]:
    if not deployment.message or deployment.message == deployment.error_message:
        return []
    return deployment.message.splitlines()


def _short_digest(digest: str) -> str:
    name, at, hexes = digest.partition("sha256:")
    return f"{name}{at}{hexes[:12]}" if at else digest


def _usage(sample: LiveMetricModel) -> list[Line]:
    memory = size(sample.memory_bytes)
    if sample.memory_limit_bytes:
        share = 100 * sample.memory_bytes / sample.memory_limit_bytes
        memory += f" of {size(sample.memory_limit_bytes)} ({share:.0f} %)"
    requests = f"{rate(sample.requests_per_second)}/s"
    if sample.latency_p50_ms is not None:
        p50, p95 = milliseconds(sample.latency_p50_ms), milliseconds(sample.latency_p95_ms)
        requests += f", median {p50}, 95 % within {p95}"
    lines = [field_line("CPU", cores(sample.cpu_cores)), field_line("Memory", memory), field_line("Requests", requests)]
    if sample.errors_per_second > 0:
        lines.append(field_line("Errors", f"{rate(sample.errors_per_second)}/s", "status-failed"))
    return lines


def _replicas(replicas: Sequence[ReplicaModel], now: datetime) -> list[Line]:
    lines: list[Line] = [[(plural(len(replicas), "replica").capitalize(), "muted")]]
    width = max(len(replica.name) for replica in replicas)
    for replica in sorted(replicas, key=lambda replica: (-replica.generation, replica.ordinal)):
        line: Line = [
            (f"  {replica.name:<{width}}  ", ""),
            (f"{reason_words(replica.phase):<12}", _PHASE_TOKENS.get(replica.phase, "")),
            (f"{age(replica.started_at, now):>6}  {replica.address or ''}", "muted"),
        ]
        lines.append(line)
        trouble = _trouble(replica)
        if trouble:
            lines += [[("    ", ""), (part, "status-failed")] for part in trouble.splitlines()]
    return lines


def _trouble(replica: ReplicaModel) -> str:
    said = replica.message
    if replica.oom_killed:
        return f"Killed: out of memory. {said}".strip()
    if replica.phase in ("backing_off", "exited") and replica.exit_code is not None:
        return f"Exited with code {replica.exit_code}. {said}".strip() if "exit" not in said.lower() else said
    return said if replica.phase in ("unhealthy", "backing_off") else ""
