"""A tenant's own bridge network, and whether its addresses can be reached from this process."""

from __future__ import annotations

import hashlib
import ipaddress
import socket
import sys
from collections.abc import Mapping
from typing import Any

from docker.errors import NotFound

from backend.domain.engine import LABEL_INSTALLATION, LABEL_KIND, LABEL_TENANT, NetworkSpec
from backend.domain.errors import Conflict
from backend.engines.connection import EngineConnection
from backend.engines.errors import EngineFault, domain_error, translated
from backend.engines.sdk import Client

NETWORK_KIND = "network"


def network_name(installation: str, tenant_id: str) -> str:
    """Unique per installation and tenant, and a function of both."""
    return f"ph-{installation[:8]}-{hashlib.sha256(tenant_id.encode()).hexdigest()[:10]}"


def network_config(installation: str, spec: NetworkSpec) -> dict[str, Any]:
    """What `POST /networks/create` takes. The gateway is the subnet's first address."""
    subnet = ipaddress.ip_network(spec.subnet)
    return {
        "name": network_name(installation, spec.tenant_id),
        "driver": "bridge",
        "ipam": {"Driver": "default", "Config": [{"Subnet": str(subnet), "Gateway": str(subnet[1])}]},
        "labels": {
            LABEL_INSTALLATION: installation,
            LABEL_KIND: NETWORK_KIND,
            LABEL_TENANT: spec.tenant_id,
        },
        "check_duplicate": True,
    }


async def ensure_network(connection: EngineConnection, installation: str, spec: NetworkSpec) -> str:
    """The network's name, made where it is missing.

    Raises Conflict with details `reason`: `subnet` (taken: try the next), `subnet_mismatch` (it exists with
    another, named in `subnet`), `foreign` (the name is not ours).
    """
    config = network_config(installation, spec)
    name = str(config["name"])

    def ensure(client: Client) -> Mapping[str, Any] | None:
        """The existing network, or None where it was made."""
        try:
            return client.inspect_network(name)
        except NotFound:
            client.create_network(**config)
            return None

    try:
        existing = await connection.call(ensure)
    except EngineFault as fault:
        if fault.status != 409:  # 409: made by somebody else between our two requests
            raise domain_error(fault, f"network {name} with {spec.subnet}") from fault
        with translated(f"network {name}"):
            existing = await connection.call(lambda client: client.inspect_network(name))
    if existing is not None:
        _check_ours(existing, installation, spec)
    return name


def _check_ours(existing: Mapping[str, Any], installation: str, spec: NetworkSpec) -> None:
    name = existing["Name"]
    labels = existing.get("Labels") or {}
    if labels.get(LABEL_INSTALLATION) != installation or labels.get(LABEL_TENANT) != spec.tenant_id:
        raise Conflict(f"network {name} exists and is not of this installation", details={"reason": "foreign"})
    subnets = [str(pool.get("Subnet")) for pool in (existing.get("IPAM") or {}).get("Config") or []]
    if str(ipaddress.ip_network(spec.subnet)) not in subnets:
        actual = subnets[0] if subnets else ""
        raise Conflict(
            f"network {name} exists with subnet {actual}, not {spec.subnet}",
            details={"reason": "subnet_mismatch", "subnet": actual},
        )


async def remove_network(connection: EngineConnection, installation: str, tenant_id: str) -> None:
    """Nothing where it is gone. Raises Conflict (`in_use`) while containers are attached, or the engine miscounts."""
    name = network_name(installation, tenant_id)
    attached: dict[str, object] = {}

    def remove(client: Client) -> None:
        found = client.inspect_network(name)
        if (found.get("Labels") or {}).get(LABEL_INSTALLATION) == installation:
            attached.update(found.get("Containers") or {})
            client.remove_network(name)

    try:
        await connection.call(remove)
    except EngineFault as fault:
        if fault.status == 404:
            return
        error = domain_error(fault, f"network {name} cannot be removed")
        if error.details.get("reason") == "in_use" and not attached:
            # Seen with Debian's 20.10 after 200 containers came and went: its count is off by one until it restarts.
            advice = "the engine counts containers that are gone: restart the engine, then try again"
            error = Conflict(f"network {name} cannot be removed: {advice}", details=error.details)
        raise error from fault


async def gateway_of(connection: EngineConnection, network: str) -> str | None:
    """The gateway address of a network, None where the engine does not tell."""
    with translated(f"network {network}"):
        found = await connection.call(lambda client: client.inspect_network(network))
    pools = (found.get("IPAM") or {}).get("Config") or []
    return next((str(pool["Gateway"]) for pool in pools if pool.get("Gateway")), None)


def is_own_address(address: str) -> bool:
    """Whether an interface of this machine (this network namespace) has that address: only then is a bridge with
    this gateway ours to reach. To its own address the kernel goes from that same address; nothing is sent."""
    if not sys.platform.startswith("linux"):
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((address, 9))
            return bool(probe.getsockname()[0] == address)
        except OSError:
            return False
