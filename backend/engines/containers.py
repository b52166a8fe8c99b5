"""Containers in the engine's words and in ours: pure functions between specs, inspections and states."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from backend.domain.engine import (
    LABEL_GENERATION,
    LABEL_ID,
    LABEL_INSTALLATION,
    LABEL_KIND,
    LABEL_ORDINAL,
    LABEL_TENANT,
    ContainerPhase,
    ContainerSpec,
    ContainerState,
)
from backend.domain.errors import NotFound
from backend.engines.timestamps import parse_timestamp

# The inside port, kept so that a state can be rebuilt from the engine alone.
LABEL_PORT = "pilothouse.port"
LOOPBACK = "127.0.0.1"

# Docker's default set without raw sockets, device nodes and audit records: what servers such as nginx need to bind
# low ports and to drop to another user.
CAPABILITIES = (
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
)
_LOG_ROTATION = {"max-size": "10m", "max-file": "3"}
_PHASES = {
    "created": ContainerPhase.CREATED,
    "running": ContainerPhase.RUNNING,
    "restarting": ContainerPhase.RESTARTING,
    "paused": ContainerPhase.PAUSED,
    "exited": ContainerPhase.EXITED,
    "removing": ContainerPhase.DEAD,
    "dead": ContainerPhase.DEAD,
}
_NOT_ENDED = (ContainerPhase.CREATED, ContainerPhase.RUNNING, ContainerPhase.PAUSED)
_BEGINNING = datetime.fromtimestamp(0, UTC)


def container_labels(installation: str, spec: ContainerSpec) -> dict[str, str]:
    """A function of installation, object and generation; the port too, where there is one."""
    labels = {
        LABEL_INSTALLATION: installation,
        LABEL_KIND: spec.kind,
        LABEL_ID: spec.object_id,
        LABEL_GENERATION: str(spec.generation),
        LABEL_ORDINAL: str(spec.ordinal),
        LABEL_TENANT: spec.tenant_id,
    }
    if spec.port is not None:
        labels[LABEL_PORT] = str(spec.port)
    return labels


def create_config(installation: str, spec: ContainerSpec, *, publish: bool) -> dict[str, Any]:
    """The body of `POST /containers/create`. `publish`: on an ephemeral port of loopback, because the network's
    addresses cannot be reached from here."""
    host: dict[str, Any] = {
        "Init": True,
        "NetworkMode": spec.network,
        "RestartPolicy": {"Name": "unless-stopped" if spec.restart else "no", "MaximumRetryCount": 0},
        "SecurityOpt": ["no-new-privileges:true"],
        "CapDrop": ["ALL"],
        "CapAdd": list(CAPABILITIES),
        "PidsLimit": spec.pids_limit,
        "LogConfig": {"Type": "json-file", "Config": dict(_LOG_ROTATION)},
    }
    if spec.memory_bytes is not None:
        # equal to the memory limit: no swap
        host |= {"Memory": spec.memory_bytes, "MemorySwap": spec.memory_bytes}
    if spec.cpu_millicores is not None:
        host["NanoCpus"] = spec.cpu_millicores * 1_000_000
    endpoint: dict[str, Any] = {}
    if spec.address is not None:
        endpoint["IPAMConfig"] = {"IPv4Address": spec.address}
    config: dict[str, Any] = {
        "Image": spec.image,
        "Env": [f"{name}={value}" for name, value in spec.env.items()],
        "Labels": container_labels(installation, spec),
        "StopTimeout": spec.stop_timeout_seconds,
        "HostConfig": host,
        "NetworkingConfig": {"EndpointsConfig": {spec.network: endpoint}},
    }
    if spec.command is not None:
        config["Cmd"] = list(spec.command)
    if spec.entrypoint is not None:
        config["Entrypoint"] = list(spec.entrypoint)
    if spec.user is not None:
        config["User"] = spec.user
    if spec.working_dir is not None:
        config["WorkingDir"] = spec.working_dir
    if spec.hostname is not None:
        config["Hostname"] = spec.hostname
    if spec.volumes:
        # volumes only, never a folder of the host
        options = {"NoCopy": not spec.fill_volumes}
        host["Mounts"] = [
            {"Type": "volume", "Source": name, "Target": path, "VolumeOptions": options}
            for name, path in sorted(spec.volumes.items())
        ]
    if spec.storage_bytes is not None:
        host["StorageOpt"] = {"size": str(spec.storage_bytes)}
    if spec.port is not None:
        config["ExposedPorts"] = {f"{spec.port}/tcp": {}}
        if publish:
            host["PortBindings"] = {f"{spec.port}/tcp": [{"HostIp": LOOPBACK, "HostPort": ""}]}
    return config


def require_ours(installation: str, inspection: Mapping[str, Any]) -> None:
    """Raises NotFound for a container that others made: it is none of ours to see or touch."""
    labels = inspection["Config"].get("Labels") or {}
    if labels.get(LABEL_INSTALLATION) != installation:
        raise NotFound(
            f"container {inspection['Id'][:12]} is not of this installation", details={"reason": "container"}
        )


def is_same_container(installation: str, spec: ContainerSpec, inspection: Mapping[str, Any]) -> bool:
    """Whether an existing container is the one that this spec asks for: ours, of the same object and generation."""
    labels = inspection["Config"].get("Labels") or {}
    wanted = container_labels(installation, spec)
    return all(
        labels.get(name) == wanted[name] for name in (LABEL_INSTALLATION, LABEL_KIND, LABEL_ID, LABEL_GENERATION)
    )


def container_state(inspection: Mapping[str, Any]) -> ContainerState:
    """What `GET /containers/{id}/json` says, in our words."""
    config, state = inspection["Config"], inspection["State"]
    labels = config.get("Labels") or {}
    phase = _PHASES.get(str(state.get("Status")), ContainerPhase.DEAD)
    finished = _moment(state.get("FinishedAt"))
    limits = inspection.get("HostConfig") or {}
    return ContainerState(
        id=inspection["Id"],
        name=str(inspection["Name"]).lstrip("/"),
        image=config["Image"],
        kind=labels.get(LABEL_KIND, ""),
        object_id=labels.get(LABEL_ID, ""),
        tenant_id=labels.get(LABEL_TENANT, ""),
        generation=_number(labels.get(LABEL_GENERATION)),
        ordinal=_number(labels.get(LABEL_ORDINAL)),
        phase=phase,
        endpoint=_endpoint(inspection, labels) if phase is ContainerPhase.RUNNING else None,
        created_at=_moment(inspection.get("Created")) or _BEGINNING,
        started_at=_moment(state.get("StartedAt")),
        finished_at=finished,
        exit_code=None if phase in _NOT_ENDED else int(state.get("ExitCode", 0)),
        oom_killed=bool(state.get("OOMKilled")),
        restart_count=int(inspection.get("RestartCount") or 0),
        pid=int(state.get("Pid") or 0) or None,
        error=str(state.get("Error") or ""),
        cpu_millicores=int(limits.get("NanoCpus") or 0) // 1_000_000 or None,
        memory_limit_bytes=int(limits.get("Memory") or 0) or None,
        storage_limit_bytes=_number((limits.get("StorageOpt") or {}).get("size")) or None,
    )


def _endpoint(inspection: Mapping[str, Any], labels: Mapping[str, str]) -> str | None:
    port = labels.get(LABEL_PORT)
    if not port:
        return None
    settings = inspection.get("NetworkSettings") or {}
    if (inspection.get("HostConfig") or {}).get("PortBindings"):
        for binding in (settings.get("Ports") or {}).get(f"{port}/tcp") or []:
            if binding.get("HostIp") in (LOOPBACK, "0.0.0.0"):
                return f"{LOOPBACK}:{binding['HostPort']}"
        return None
    for network in (settings.get("Networks") or {}).values():
        if network.get("IPAddress"):
            return f"{network['IPAddress']}:{port}"
    return None


def _moment(text: object) -> datetime | None:
    return parse_timestamp(str(text)) if text else None


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0
