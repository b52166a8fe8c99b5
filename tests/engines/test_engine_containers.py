"""Containers on a real engine: made once, limited, reached, kept, ended."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from dataclasses import replace

import docker
import httpx
import pytest

from backend.domain.engine import ContainerPhase
from backend.domain.errors import Conflict, NotFound
from backend.engines.docker import DockerEngine
from tests.engines.engine_bench import Bench, exit_code_of, until

SERVE = ("sh", "-c", "mkdir -p /w && echo hello > /w/index.html && exec httpd -f -p 8000 -h /w")


async def answer(endpoint: str | None) -> str | None:
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
            return (await client.get(f"http://{endpoint}/")).text
    except httpx.TransportError:
        return None


async def test_a_container_lives_and_ends(bench: Bench) -> None:
    engine = bench.engine
    script = "trap 'exit 7' TERM; echo ready; sleep 600 & wait"
    made = await engine.create_container(bench.spec("sh", "-c", script))
    state = await engine.inspect_container(made)
    assert state.phase is ContainerPhase.CREATED
    assert state.started_at is None and state.finished_at is None and state.exit_code is None and state.pid is None
    assert (state.object_id, state.kind, state.tenant_id) == ("object-1", "deployment", bench.tenant)
    assert (state.generation, state.ordinal, state.image) == (1, 0, bench.image)

    await engine.start_container(made)
    state = await engine.inspect_container(made)
    assert state.phase is ContainerPhase.RUNNING and state.pid and state.started_at

    await until(lambda: bench.lines(made))  # before that, TERM would find no trap
    await engine.stop_container(made, 5)
    state = await engine.inspect_container(made)
    assert state.phase is ContainerPhase.EXITED and state.exit_code == 7 and state.finished_at
    await engine.stop_container(made, 5)

    await engine.restart_container(made, 1)
    assert (await engine.inspect_container(made)).phase is ContainerPhase.RUNNING

    await engine.remove_container(made)
    await engine.remove_container(made)
    with pytest.raises(NotFound):
        await engine.inspect_container(made)


async def test_creating_twice_yields_one(bench: Bench) -> None:
    spec = bench.spec()
    first, second = await asyncio.gather(*(bench.engine.create_container(spec) for _ in range(2)))
    assert first == second
    assert [state.id for state in await bench.engine.list_containers()] == [first]
    with pytest.raises(Conflict) as caught:
        await bench.engine.create_container(replace(spec, generation=2))
    assert caught.value.details["reason"] == "name"


async def test_a_name_taken_by_others_is_a_conflict(bench: Bench) -> None:
    spec = bench.spec()
    await bench.engine.create_container(spec)
    other = DockerEngine(secrets.token_hex(16))
    try:
        with pytest.raises(Conflict):
            await other.create_container(spec)
        assert await other.list_containers() == []
        for touch in (
            other.inspect_container(spec.name),
            other.start_container(spec.name),
            other.stop_container(spec.name, 1),
            other.remove_container(spec.name),
            other.exec_terminal(spec.name, ["sh"], columns=80, rows=24, env={}),
            anext(other.logs(spec.name)),
        ):
            with pytest.raises(NotFound, match="not of this installation"):
                await touch
    finally:
        await other.close()


async def test_limits_and_confinement_are_really_set(bench: Bench) -> None:
    made = await bench.run(memory_bytes=16 * 2**20, cpu_millicores=250, pids_limit=33, stop_timeout_seconds=4)
    found = docker.from_env().api.inspect_container(made)
    host = found["HostConfig"]
    assert host["Memory"] == host["MemorySwap"] == 16 * 2**20
    assert host["NanoCpus"] == 250_000_000 and host["PidsLimit"] == 33
    assert host["Init"] is True and host["RestartPolicy"]["Name"] == "unless-stopped"
    assert any("no-new-privileges" in option for option in host["SecurityOpt"])
    assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}}
    assert found["Config"]["StopTimeout"] == 4
    container = await bench.run("sh", "-c", "grep Cap /proc/self/status; grep NoNew /proc/self/status; sleep 60")

    async def status() -> dict[str, str]:
        lines = [line.text.split() for line in await bench.lines(container)]
        return dict(lines) if len(lines) > 5 else {}

    seen = await until(status)
    net_raw, mknod, audit_write = 1 << 13, 1 << 27, 1 << 29
    assert int(seen["CapBnd:"], 16) & (net_raw | mknod | audit_write) == 0
    assert seen["NoNewPrivs:"] == "1"


async def test_memory_over_the_limit_is_told(bench: Bench) -> None:
    hungry = "x=aaaaaaaaaaaaaaaa; while true; do x=$x$x; done"
    made = await bench.run("sh", "-c", hungry, memory_bytes=8 * 2**20)

    async def killed() -> bool:
        state = await bench.engine.inspect_container(made)
        return state.oom_killed and state.exit_code == 137

    await until(killed)


async def test_processes_killed_for_want_of_memory_are_counted(bench: Bench) -> None:
    made = await bench.run(memory_bytes=8 * 2**20)
    assert await bench.engine.memory_kills(made) == 0
    process = await bench.engine.exec_process(
        made, ["sh", "-c", "x=aaaaaaaaaaaaaaaa; while true; do x=$x$x; done"], env={}
    )
    while await process.read():
        pass
    assert await exit_code_of(process) == 137
    await process.close()
    assert await bench.engine.memory_kills(made) == 1
    await bench.engine.stop_container(made, 0)
    assert await bench.engine.memory_kills(made) is None
    assert await bench.engine.memory_kills("f" * 64) is None


async def test_its_endpoint_answers(bench: Bench) -> None:
    made = await bench.run(*SERVE, port=8000, address=bench.address(5))
    state = await bench.engine.inspect_container(made)
    if bench.engine.bridges_reachable:
        assert state.endpoint == f"{bench.address(5)}:8000"
    assert await until(lambda: answer(state.endpoint)) == "hello\n"
    await bench.engine.stop_container(made, 1)
    assert (await bench.engine.inspect_container(made)).endpoint is None


async def test_where_bridges_cannot_be_reached_it_is_published_on_loopback(bench: Bench) -> None:
    bench.engine._containers.bridges_reachable = False
    made = await bench.run(*SERVE, port=8000, address=bench.address(5))
    endpoint = (await bench.engine.inspect_container(made)).endpoint
    assert endpoint is not None and endpoint.startswith("127.0.0.1:") and not endpoint.endswith(":8000")
    assert await until(lambda: answer(endpoint)) == "hello\n"


async def test_the_address_is_kept_when_the_engine_restarts_it(bench: Bench) -> None:
    made = await bench.run(*SERVE, port=8000, address=bench.address(6))
    before = await bench.engine.inspect_container(made)
    await bench.run(port=8000)  # would take the next free address
    assert before.pid
    os.kill(before.pid, signal.SIGKILL)

    async def again() -> bool:
        state = await bench.engine.inspect_container(made)
        return state.restart_count == 1 and state.endpoint == before.endpoint and state.pid != before.pid

    await until(again)
    assert await until(lambda: answer(before.endpoint)) == "hello\n"


async def test_an_address_taken_is_a_conflict(bench: Bench) -> None:
    await bench.run(address=bench.address(7))
    with pytest.raises(Conflict) as caught:
        await bench.run(address=bench.address(7))
    assert caught.value.details["reason"] == "address"


async def test_what_the_engine_refuses_is_told(bench: Bench) -> None:
    with pytest.raises(Conflict, match="CPUs") as caught:
        await bench.run(cpu_millicores=10_000_000)
    assert caught.value.details["reason"] == "too_large"


async def test_a_missing_image_or_network_is_named(bench: Bench) -> None:
    with pytest.raises(NotFound) as caught:
        await bench.engine.create_container(bench.spec(image="nope@sha256:" + "0" * 64))
    assert caught.value.details["reason"] == "image"
    with pytest.raises(NotFound) as caught:
        await bench.run(network="ph-no-such-network", port=80)
    assert caught.value.details["reason"] == "network"


async def test_a_crash_loop_shows_its_exit_code(bench: Bench) -> None:
    made = await bench.run("sh", "-c", "exit 3")

    async def restarting() -> bool:
        state = await bench.engine.inspect_container(made)
        return state.restart_count >= 1 and state.exit_code == 3

    await until(restarting)


async def test_listing_is_of_one_object_or_of_all(bench: Bench) -> None:
    one = await bench.engine.create_container(bench.spec(object_id="one"))
    two = await bench.engine.create_container(bench.spec(object_id="two"))
    assert {state.id for state in await bench.engine.list_containers()} == {one, two}
    assert [state.id for state in await bench.engine.list_containers("two")] == [two]
    assert await bench.engine.list_containers("three") == []


async def test_nginx_runs_confined(bench: Bench) -> None:
    image = (await bench.engine.resolve_image("nginx:latest", None)).pinned
    made = await bench.run(image=image, command=None, port=80, memory_bytes=64 * 2**20, address=bench.address(8))
    endpoint = (await bench.engine.inspect_container(made)).endpoint
    assert "nginx" in (await until(lambda: answer(endpoint))).lower()


async def test_usage_comes_from_the_cgroup_and_is_sane(bench: Bench) -> None:
    busy = await bench.run("sh", "-c", "while true; do :; done", cpu_millicores=100)
    idle = await bench.run()
    states = await bench.engine.list_containers()

    async def burnt() -> bool:
        samples = {sample.container_id: sample for sample in await bench.engine.usage(states)}
        assert set(samples) == {busy, idle}
        assert all(sample.memory_limit_bytes == 32 * 2**20 for sample in samples.values())
        assert all(0 <= sample.memory_bytes < 32 * 2**20 for sample in samples.values())
        return samples[busy].cpu_seconds > 0.1 > samples[idle].cpu_seconds

    await until(burnt)
    await bench.engine.stop_container(busy, 0)
    assert [sample.container_id for sample in await bench.engine.usage(states)] == [idle]


async def test_usage_falls_back_to_the_engines_stats(bench: Bench) -> None:
    made = await bench.run()
    (state,) = await bench.engine.list_containers()
    (sample,) = await bench.engine.usage([replace(state, pid=None)])
    assert sample.container_id == made and sample.memory_limit_bytes == 32 * 2**20 and sample.cpu_seconds > 0
