"""Making, listing and ending containers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from docker.errors import NotFound as MissingOnEngine

from backend.domain.engine import LABEL_ID, LABEL_INSTALLATION, ContainerSpec, ContainerState
from backend.domain.errors import Conflict
from backend.engines.connection import EngineConnection
from backend.engines.containers import container_state, create_config, is_same_container, require_ours
from backend.engines.errors import EngineFault, domain_error, refuses_size, translated
from backend.engines.networks import gateway_of, is_own_address
from backend.engines.sdk import Client

# A listing has no exit codes, restarts and pids: each container is inspected, 1.1 ms each. More threads than this
# only wait for each other's turn in the interpreter.
_INSPECTING_THREADS = 4
_REMOVAL_SECONDS = 15.0
_REMOVAL_STEP = 0.1
_NAME_SECONDS = 15.0
_NAME_STEP = 0.1
# Storage drivers that can bound a container; others, such as containerd's, take the option and pass it over.
BOUNDED_DRIVERS = ("overlay2", "btrfs", "zfs", "devicemapper")


class ContainerLifecycle:
    """The containers of one installation."""

    def __init__(self, connection: EngineConnection, installation: str, log: logging.Logger) -> None:
        self._connection = connection
        self._installation = installation
        self._log = log
        self.bridges_reachable: bool | None = None
        self._learnt_at_loss = -1
        self._limits_storage = True
        self._storage_learnt_at_loss = -1

    async def learn_reachability(self, network: str) -> bool:
        """Whether containers' addresses on this network can be reached from this process. Asked once per
        engine that answers."""
        losses = self._connection.losses
        if self.bridges_reachable is None or self._learnt_at_loss != losses:
            reachable = False
            if self._connection.address.is_local:
                gateway = await gateway_of(self._connection, network)
                reachable = gateway is not None and is_own_address(gateway)
            self.bridges_reachable, self._learnt_at_loss = reachable, losses
            self._log.info(
                "containers are reached %s", "at their own addresses" if reachable else "through ports on loopback"
            )
        return self.bridges_reachable

    async def limits_storage(self) -> bool:
        """Whether this engine's storage may bound what a container writes: False once it refused, and for drivers that
        take the option and do nothing with it."""
        losses = self._connection.losses
        if self._storage_learnt_at_loss != losses:
            with translated("the engine does not describe itself"):
                info = await self._connection.call(lambda client: client.info())
            self._limits_storage = info.get("Driver") in BOUNDED_DRIVERS
            self._storage_learnt_at_loss = losses
        return self._limits_storage

    async def list_all(self, object_id: str | None) -> list[ContainerState]:
        """In the order of their names. 100 containers take about 0.15 s."""
        labels = [f"{LABEL_INSTALLATION}={self._installation}"]
        if object_id is not None:
            labels.append(f"{LABEL_ID}={object_id}")
        with translated("containers cannot be listed"):
            found = await self._connection.call(lambda client: client.containers(all=True, filters={"label": labels}))
            ids = [str(one["Id"]) for one in found]
            shares = [ids[start::_INSPECTING_THREADS] for start in range(min(_INSPECTING_THREADS, len(ids)))]
            parts = await asyncio.gather(*(self._inspect_share(share) for share in shares))
        return sorted((container_state(one) for part in parts for one in part), key=lambda state: state.name)

    async def _inspect_share(self, ids: Sequence[str]) -> list[Mapping[str, Any]]:
        def inspect(client: Client) -> list[Mapping[str, Any]]:
            inspections = []
            for one in ids:
                try:
                    inspections.append(client.inspect_container(one))
                except MissingOnEngine:
                    continue  # removed since the listing
            return inspections

        return await self._connection.call(inspect)

    async def inspect(self, container_id: str) -> ContainerState:
        """Raises NotFound, for what others made too."""
        with translated(f"container {container_id[:12]}"):
            found = await self._connection.call(lambda client: client.inspect_container(container_id))
        require_ours(self._installation, found)
        return container_state(found)

    async def _on_own(self, container_id: str, act: Callable[[Client], None], *, slow: bool = False) -> None:
        """Do something with a container of ours: whose it is, is asked in the same turn on the pool."""

        def work(client: Client) -> None:
            require_ours(self._installation, client.inspect_container(container_id))
            act(client)

        await self._connection.call(work, slow=slow)

    async def create(self, spec: ContainerSpec) -> str:
        """The id; see `Engine.create_container`. Raises Conflict with details `reason`: `name`, `address`,
        `refused`; NotFound with `reason` `image` or `network`."""
        publish = spec.port is not None and not await self.learn_reachability(spec.network)
        if spec.storage_bytes is not None and not await self.limits_storage():
            spec = replace(spec, storage_bytes=None)
        config = create_config(self._installation, spec, publish=publish)
        about = f"container {spec.name} cannot be made"
        for _ in range(int(_NAME_SECONDS / _NAME_STEP)):
            try:
                made = await self._connection.call(
                    lambda client: client.create_container_from_config(config, spec.name)
                )
                return str(made["Id"])
            except EngineFault as fault:
                if "StorageOpt" in config["HostConfig"] and refuses_size(fault):
                    self._limits_storage = False
                    del config["HostConfig"]["StorageOpt"]
                    continue
                if fault.status != 409 or "name" not in fault.text:
                    raise domain_error(fault, about) from fault
            existing = await self._existing(spec, about)
            if existing is not None:
                return existing
            # The engine gives a name away before it shows the container, and takes it back after it stops showing
            # it: in between only asking again helps.
            await asyncio.sleep(_NAME_STEP)
        raise Conflict(
            f"{about}: the engine is still busy with another container of that name",
            details={"reason": "name", "field": "name"},
        )

    async def _existing(self, spec: ContainerSpec, about: str) -> str | None:
        """The id of the container that has the name and is the one wanted; None where it is just coming or
        going."""
        try:
            found = await self._connection.call(lambda client: client.inspect_container(spec.name))
        except EngineFault as fault:
            if fault.status == 404:
                return None
            raise domain_error(fault, about) from fault
        if not is_same_container(self._installation, spec, found):
            raise Conflict(
                f"{about}: the name is taken by another container", details={"reason": "name", "field": "name"}
            )
        if found["State"].get("Status") in ("removing", "dead"):
            await self.remove(str(found["Id"]))
            return None
        return str(found["Id"])

    async def start(self, container_id: str) -> None:
        """Nothing where it runs. Raises NotFound, Conflict (`address`, or `refused` with the engine's reason)."""
        with translated(f"container {container_id[:12]} cannot be started"):
            await self._on_own(container_id, lambda client: client.start(container_id))

    async def stop(self, container_id: str, timeout_seconds: int) -> None:
        """Nothing where it does not run. Raises NotFound."""
        with translated(f"container {container_id[:12]} cannot be stopped"):
            # the SDK waits that much longer for the answer by itself
            await self._on_own(
                container_id, lambda client: client.stop(container_id, timeout=timeout_seconds), slow=True
            )

    async def restart(self, container_id: str, timeout_seconds: int) -> None:
        """Raises NotFound, Conflict."""
        with translated(f"container {container_id[:12]} cannot be restarted"):
            await self._on_own(
                container_id, lambda client: client.restart(container_id, timeout=timeout_seconds), slow=True
            )

    async def update(self, container_id: str, *, cpu_millicores: int, memory_bytes: int) -> None:
        """Raises NotFound, Conflict (it uses more memory than that)."""
        body = {"NanoCpus": cpu_millicores * 1_000_000, "Memory": memory_bytes, "MemorySwap": memory_bytes}
        with translated(f"the limits of container {container_id[:12]} cannot be changed"):
            await self._on_own(container_id, lambda client: None)
            path = f"/containers/{quote(container_id, safe='')}/update"
            async with self._connection.stream("POST", path, body=body) as response:
                while await self._connection.read_watched(response):
                    continue

    async def remove(self, container_id: str) -> None:
        """With its anonymous volumes, running or not; returns when the name is free again."""
        try:
            await self._on_own(
                container_id, lambda client: client.remove_container(container_id, v=True, force=True), slow=True
            )
            return
        except EngineFault as fault:
            if fault.status == 404:
                return
            if "already in progress" not in fault.text:
                raise domain_error(fault, f"container {container_id[:12]} cannot be removed") from fault
        await self._gone(container_id)

    async def _gone(self, container_id: str) -> None:
        """Wait for a removal that somebody else began."""
        for _ in range(int(_REMOVAL_SECONDS / _REMOVAL_STEP)):
            try:
                await self._connection.call(lambda client: client.inspect_container(container_id))
            except EngineFault as fault:
                if fault.status == 404:
                    return
                raise domain_error(fault, f"container {container_id[:12]}") from fault
            await asyncio.sleep(_REMOVAL_STEP)
        raise Conflict(
            f"container {container_id[:12]} is still being removed by the engine", details={"reason": "in_use"}
        )
