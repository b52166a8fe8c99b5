"""Tenants' networks on a real engine."""

from __future__ import annotations

import ipaddress

import pytest

from backend.domain.engine import NetworkSpec
from backend.domain.errors import Conflict
from backend.engines.networks import is_own_address
from tests.engines.engine_bench import Bench


async def test_it_is_made_once(bench: Bench) -> None:
    assert bench.network.startswith(f"ph-{bench.installation[:8]}-")
    assert await bench.engine.ensure_network(NetworkSpec(bench.tenant, bench.subnet)) == bench.network


async def test_a_subnet_taken_asks_for_the_next(bench: Bench) -> None:
    with pytest.raises(Conflict, match="pool overlaps") as caught:
        await bench.engine.ensure_network(NetworkSpec("another-tenant", bench.subnet))
    assert caught.value.details["reason"] == "subnet"


async def test_an_existing_one_keeps_its_subnet_and_says_so(bench: Bench) -> None:
    with pytest.raises(Conflict) as caught:
        await bench.engine.ensure_network(NetworkSpec(bench.tenant, "10.250.0.0/28"))
    assert caught.value.details == {"reason": "subnet_mismatch", "subnet": bench.subnet}


async def test_it_is_removed_when_nobody_is_on_it(bench: Bench) -> None:
    made = await bench.run()
    with pytest.raises(Conflict) as caught:
        await bench.engine.remove_network(bench.tenant)
    assert caught.value.details["reason"] == "in_use"
    assert "containers are still attached" in caught.value.message
    await bench.engine.remove_container(made)
    await bench.engine.remove_network(bench.tenant)
    await bench.engine.remove_network(bench.tenant)


async def test_its_gateway_tells_whether_bridges_are_ours_to_reach(bench: Bench) -> None:
    gateway = str(ipaddress.ip_network(bench.subnet)[1])
    assert bench.engine.bridges_reachable is is_own_address(gateway)
    assert is_own_address("127.0.0.1")
    assert not is_own_address("192.0.2.1")
