"""The holder's ways to engines that are reached over SSH: one connection an engine, however many sessions it has."""

from __future__ import annotations

from backend.domain.clusters import DockerAddress
from backend.domain.engine import EngineAccess
from backend.engines.relay import EngineRelay
from backend.engines.ssh_dialler import SshDialler

_RELAYS: dict[DockerAddress, EngineRelay] = {}


async def ssh_socket(access: EngineAccess) -> str:
    """The local socket that leads to the engine. It stays for as long as this process, which lives no longer than its
    sessions. Raises OSError."""
    keys = {"ssh_private_key": access.ssh_private_key, "ssh_host_key": access.ssh_host_key}
    address = DockerAddress(access.url, **keys)
    relay = _RELAYS.get(address)
    if relay is None:
        relay = _RELAYS[address] = EngineRelay(SshDialler.of(address))
    await relay.open()
    return relay.path
