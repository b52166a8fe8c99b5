"""A tenant's network on a real engine, and short ways to make containers there."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import Any

from backend.domain.engine import (
    ContainerPhase,
    ContainerSpec,
    ContainerState,
    ExecProcess,
    ExecStream,
    LogLine,
    NetworkSpec,
)
from backend.domain.errors import Conflict
from backend.engines.docker import DockerEngine

DEADLINE = 60.0


def free_subnet() -> str:
    """A random small subnet, so that tests beside each other seldom ask for the same one."""
    return f"10.{128 + secrets.randbelow(80)}.{secrets.randbelow(256)}.{64 * secrets.randbelow(4)}/26"


async def until(check: Callable[[], Awaitable[Any]], *, seconds: float = DEADLINE) -> Any:
    """Ask until the answer is true and hand it back."""
    end = time.monotonic() + seconds
    while True:
        answer = await check()
        if answer:
            return answer
        assert time.monotonic() < end, f"still {answer!r} after {seconds:.0f} s"
        await asyncio.sleep(0.05)


async def exit_code_of(ended: ExecStream | ExecProcess) -> int:
    """How a process ended of which the output has: the engine may know a moment later only."""
    async with asyncio.timeout(DEADLINE):
        while True:
            code = await ended.exit_code()
            if code is not None:
                return code
            await asyncio.sleep(0.05)


@dataclass
class Bench:
    """An engine with a tenant's network, and short ways to make containers there."""

    engine: DockerEngine
    installation: str
    tenant: str
    network: str = ""
    subnet: str = ""
    image: str = ""

    async def set_up(self) -> None:
        self.image = (await self.engine.resolve_image("busybox:latest", None)).pinned
        while True:
            self.subnet = free_subnet()
            try:
                self.network = await self.engine.ensure_network(NetworkSpec(self.tenant, self.subnet))
                return
            except Conflict as conflict:
                assert conflict.details["reason"] == "subnet"

    def address(self, place: int) -> str:
        return str(ip_network(self.subnet)[place])

    def spec(self, *command: str, **changes: Any) -> ContainerSpec:
        return replace(
            ContainerSpec(
                name=f"ph-{self.installation[:8]}-{secrets.token_hex(4)}",
                image=self.image,
                kind="deployment",
                object_id="object-1",
                tenant_id=self.tenant,
                generation=1,
                ordinal=0,
                network=self.network,
                command=command or ("sleep", "600"),
                memory_bytes=32 * 2**20,
                cpu_millicores=500,
                stop_timeout_seconds=1,
            ),
            **changes,
        )

    async def run(self, *command: str, **changes: Any) -> str:
        """A started container's id."""
        container_id = await self.engine.create_container(self.spec(*command, **changes))
        await self.engine.start_container(container_id)
        return container_id

    async def phase(self, container_id: str, phase: ContainerPhase) -> ContainerState:
        async def look() -> ContainerState | None:
            state = await self.engine.inspect_container(container_id)
            return state if state.phase is phase else None

        return await until(look)

    async def lines(self, container_id: str, **query: Any) -> list[LogLine]:
        return [line async for batch in self.engine.logs(container_id, **query) for line in batch]

    async def clean(self) -> None:
        for state in await self.engine.list_containers():
            await self.engine.remove_container(state.id)
        await self.engine.remove_network(self.tenant)
