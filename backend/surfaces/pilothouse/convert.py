"""Between the domain and this surface's wire models. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from backend.domain.deployments import Deployment, DeploymentState, Replica
from backend.domain.journal import JournalEntry
from backend.domain.logs import LogRecord
from backend.domain.metrics import LiveSample
from backend.domain.terminals import TerminalSessionInfo
from backend.services.system import PartStatus, SystemStatus
from backend.surfaces.services import InstallationFacts
from backend.wire import pilothouse as wire
from backend.wire.timestamps import format_precise_timestamp


def to_wire_system(status: SystemStatus, facts: InstallationFacts, *, admin: bool) -> wire.SystemStatusResponse:
    """Where the data lies is an administrator's to know."""
    engine = status.engine_info
    return wire.SystemStatusResponse(
        version=facts.version,
        installation=facts.installation,
        data_dir=facts.data_dir if admin else None,
        ingress_port=facts.ingress_port,
        domain_suffix=facts.domain_suffix,
        storage=to_wire_part(status.storage),
        engine=to_wire_part(status.engine),
        ingress=to_wire_part(status.ingress),
        engine_version=engine.version if engine else None,
        cpus=engine.cpus if engine else None,
        memory_bytes=engine.memory_bytes if engine else None,
        base_urls=dict(facts.base_urls),
    )


def to_wire_part(part: PartStatus) -> wire.ComponentStatus:
    return wire.ComponentStatus(status=part.status.value, message=part.message)


def to_wire_deployment(deployment: Deployment, state: DeploymentState, url: str) -> wire.DeploymentModel:
    spec = deployment.spec
    return wire.DeploymentModel(
        id=deployment.short_id,
        app_name=deployment.app_name,
        image=spec.image,
        digest=spec.digest,
        status=state.status.value,
        reason=state.reason,
        message=state.message,
        error_message=state.error_message,
        url=url,
        port=spec.port,
        generation=deployment.generation,
        replicas=deployment.replicas,
        ready=state.ready,
        health=state.health.value,
        restart_count=state.restart_count,
        cpu_limit=spec.resources.cpu,
        memory_limit=spec.resources.memory,
        created_at=deployment.created_at,
        updated_at=deployment.updated_at,
        deployed_at=deployment.deployed_at,
        started_at=min((r.started_at for r in state.replicas if r.started_at), default=deployment.started_at),
        replica_list=[to_wire_replica(replica) for replica in state.replicas],
    )


def to_wire_replica(replica: Replica) -> wire.ReplicaModel:
    return wire.ReplicaModel(
        name=replica.name,
        container_id=replica.container_id,
        generation=replica.generation,
        ordinal=replica.ordinal,
        phase=replica.phase.value,
        address=replica.address,
        started_at=replica.started_at,
        restart_count=replica.restart_count,
        exit_code=replica.exit_code,
        oom_killed=replica.oom_killed,
        message=replica.message,
    )


def to_wire_sample(sample: LiveSample, short_id: str) -> wire.LiveMetricModel:
    return wire.LiveMetricModel(
        deployment_id=short_id,
        at=sample.at,
        cpu_cores=sample.cpu_cores,
        memory_bytes=sample.memory_bytes,
        memory_limit_bytes=sample.memory_limit_bytes,
        requests_per_second=sample.requests_per_second,
        errors_per_second=sample.errors_per_second,
        latency_p50_ms=sample.latency_p50_ms,
        latency_p95_ms=sample.latency_p95_ms,
    )


def to_wire_entry(entry: JournalEntry, names: Mapping[str, str]) -> wire.JournalEntryModel:
    """`names` are users' names by short id."""
    return wire.JournalEntryModel(
        sequence=entry.sequence,
        object_id=entry.object_short_id,
        generation=entry.generation,
        kind=entry.kind.value,
        actor=entry.actor,
        actor_name=names.get(entry.actor, ""),
        message=entry.message,
        data=dict(entry.data),
        at=entry.at,
    )


def to_wire_record(record: LogRecord) -> wire.LogRecordModel:
    return wire.LogRecordModel(
        timestamp=format_precise_timestamp(record.timestamp),
        level=record.level.value,
        message=record.message,
        replica=record.replica,
        stream=record.stream,
        cursor=record.cursor,
    )


def to_wire_terminal(info: TerminalSessionInfo) -> wire.TerminalSessionModel:
    return wire.TerminalSessionModel(
        name=info.name,
        command=info.command,
        title=info.title,
        columns=info.columns,
        rows=info.rows,
        viewers=info.viewers,
        started_at=info.started_at,
        last_output_at=info.last_output_at,
        last_input_at=info.last_input_at,
    )
