"""Named volumes: data that outlives the containers that use it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from docker.errors import NotFound as MissingOnEngine

from backend.domain.engine import LABEL_ID, LABEL_INSTALLATION, LABEL_KIND, LABEL_TENANT, VolumeSpec, VolumeState
from backend.domain.errors import Conflict
from backend.engines.connection import EngineConnection
from backend.engines.errors import EngineFault, domain_error, refuses_size, translated
from backend.engines.sdk import Client

_DRIVER = "local"
# From this API version on, the engine can be asked about volumes alone.
_NARROW_USAGE = (1, 42)
_BLOCK = 512


async def ensure_volume(connection: EngineConnection, installation: str, spec: VolumeSpec) -> VolumeState:
    """See `Engine.ensure_volume`. An engine makes one volume of a name, however often it is asked."""
    labels = {
        LABEL_INSTALLATION: installation,
        LABEL_KIND: spec.kind,
        LABEL_ID: spec.object_id,
        LABEL_TENANT: spec.tenant_id,
    }
    options = {} if spec.size_bytes is None else {"size": str(spec.size_bytes)}

    def ensure(client: Client) -> Mapping[str, Any]:
        try:
            return client.inspect_volume(spec.name)
        except MissingOnEngine:
            return client.create_volume(spec.name, _DRIVER, options, labels)

    with translated(f"volume {spec.name} cannot be made"):
        try:
            found = await connection.call(ensure)
        except EngineFault as fault:
            if not options or not refuses_size(fault):
                raise
            options.clear()
            found = await connection.call(ensure)
    state = _state(found)
    if (found.get("Labels") or {}).get(LABEL_INSTALLATION) != installation or state.object_id != spec.object_id:
        raise Conflict(f"volume {spec.name} exists and is not of this installation", details={"reason": "foreign"})
    return state


async def list_volumes(connection: EngineConnection, installation: str) -> list[VolumeState]:
    """In the order of their names."""
    filters = {"label": [f"{LABEL_INSTALLATION}={installation}"]}
    with translated("volumes cannot be listed"):
        found = await connection.call(lambda client: client.volumes(filters))
    return sorted((_state(one) for one in found.get("Volumes") or []), key=lambda state: state.name)


async def remove_volume(connection: EngineConnection, installation: str, name: str) -> None:
    """Nothing where it is gone or others made it. Raises Conflict (`in_use`) while a container has it."""

    def remove(client: Client) -> None:
        if (client.inspect_volume(name).get("Labels") or {}).get(LABEL_INSTALLATION) == installation:
            client.remove_volume(name)

    try:
        await connection.call(remove, slow=True)
    except EngineFault as fault:
        if fault.status != 404:
            raise domain_error(fault, f"volume {name} cannot be removed") from fault


async def volume_bytes(connection: EngineConnection, name: str) -> int | None:
    """What a volume holds: counted here where its files can be read, else asked of the engine, which counts all
    volumes that it has. None where it is gone or the engine does not know."""
    try:
        found = await connection.call(lambda client: client.inspect_volume(name))
    except EngineFault as fault:
        if fault.status == 404:
            return None
        raise domain_error(fault, f"volume {name}") from fault
    mountpoint = str(found.get("Mountpoint") or "")
    if connection.address.is_local and mountpoint and os.access(mountpoint, os.R_OK | os.X_OK):
        return await connection.offload(lambda: tree_bytes(mountpoint))
    usage = await _usage(connection)
    for volume in usage.get("Volumes") or []:
        if volume.get("Name") == name:
            size = int((volume.get("UsageData") or {}).get("Size", -1))
            return size if size >= 0 else None
    return None


async def container_bytes(connection: EngineConnection, container_id: str) -> int | None:
    """What a container has written beside its volumes; None where it is gone."""
    path = f"/containers/{quote(container_id, safe='')}/json?size=1"
    try:
        found = json.loads(await _read(connection, path))
    except EngineFault as fault:
        if fault.status == 404:
            return None
        raise domain_error(fault, f"container {container_id[:12]}") from fault
    return int(found.get("SizeRw") or 0)


def tree_bytes(top: str) -> int:
    """What the files below a folder take on the disk; a file with several names counts once. Blocking. What goes away
    meanwhile, or cannot be read, is left out."""
    total = 0
    seen: set[tuple[int, int]] = set()
    folders = [top]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    status = entry.stat(follow_symlinks=False)
                    if status.st_nlink > 1 and not entry.is_dir(follow_symlinks=False):
                        if (status.st_dev, status.st_ino) in seen:
                            continue
                        seen.add((status.st_dev, status.st_ino))
                    total += status.st_blocks * _BLOCK
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
        except OSError:
            continue
    return total


async def _usage(connection: EngineConnection) -> Mapping[str, Any]:
    version = await connection.call(lambda client: client.api_version)
    narrow = tuple(int(part) for part in version.split(".")) >= _NARROW_USAGE
    with translated("the engine does not tell how much is stored"):
        found: Mapping[str, Any] = json.loads(
            await _read(connection, "/system/df?type=volume" if narrow else "/system/df")
        )
    return found


async def _read(connection: EngineConnection, path: str) -> bytes:
    data = b""
    async with connection.stream("GET", path) as response:
        while part := await connection.read_watched(response):
            data += part
    return data


def _state(found: Mapping[str, Any]) -> VolumeState:
    labels = found.get("Labels") or {}
    size = str((found.get("Options") or {}).get("size") or "")
    return VolumeState(
        name=str(found["Name"]),
        kind=labels.get(LABEL_KIND, ""),
        object_id=labels.get(LABEL_ID, ""),
        tenant_id=labels.get(LABEL_TENANT, ""),
        size_limit_bytes=int(size) if size.isdigit() else None,
    )
