"""An engine that is away, goes away, freezes and comes back: a small real HTTP server stands for it, or a relay to
the real engine that can be cut."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.domain.engine import NetworkSpec
from backend.domain.errors import EngineUnavailable
from backend.engines import connection
from backend.engines.docker import DockerEngine
from tests.engines.engine_bench import Bench
from tests.engines.engine_relay import Relay


@pytest.fixture
async def relay(tmp_path: Path) -> AsyncIterator[Relay]:
    relay = Relay(tmp_path / "engine.sock")
    await relay.open()
    yield relay
    await relay.cut()


async def test_no_engine_at_all(tmp_path: Path) -> None:
    engine = DockerEngine(secrets.token_hex(16), base_url=f"unix://{tmp_path}/none.sock")
    await engine.start()
    network = NetworkSpec("tenant", "10.250.0.0/28")
    for attempt in (
        engine.ping(),
        engine.list_containers(),
        engine.ensure_network(network),
        engine.resolve_image("busybox", None),
        engine.start_container("x"),
        engine.exec_terminal("x", ["sh"], columns=80, rows=24, env={}),
        anext(engine.events()),
        anext(engine.logs("x")),
    ):
        with pytest.raises(EngineUnavailable, match=r"DOCKER_HOST") as caught:
            await attempt
        assert "none.sock" in caught.value.message
    await engine.close()


async def test_an_engine_over_tcp_that_is_away() -> None:
    engine = DockerEngine(secrets.token_hex(16), base_url="tcp://127.0.0.1:1")
    with pytest.raises(EngineUnavailable):
        await engine.ping()
    with pytest.raises(EngineUnavailable):
        await engine.list_containers()
    await engine.close()


async def test_an_unsupported_address_says_so() -> None:
    engine = DockerEngine(secrets.token_hex(16), base_url="ssh://somewhere")
    with pytest.raises(EngineUnavailable, match="not supported"):
        await engine.ping()
    await engine.close()


async def test_streams_tell_a_loss_and_all_heals(bench: Bench, relay: Relay) -> None:
    made = await bench.run("sh", "-c", "echo hello; exec sleep 600")
    engine = DockerEngine(bench.installation, base_url=f"unix://{relay.path}")
    logs, events = engine.logs(made, follow=True), engine.events()
    assert [line.text for line in await anext(logs)] == ["hello"]
    next_event = asyncio.create_task(anext(events))  # type: ignore[arg-type]
    assert len(await engine.list_containers()) == 1

    await relay.cut()
    with pytest.raises(EngineUnavailable):
        await anext(logs)
    with pytest.raises(EngineUnavailable):
        await next_event
    with pytest.raises(EngineUnavailable):
        await engine.list_containers()

    await relay.open()
    assert (await engine.ping()).cpus > 0
    assert [state.id for state in await engine.list_containers()] == [made]
    assert [line.text for line in await anext(engine.logs(made))] == ["hello"]
    await engine.close()


async def test_a_frozen_engine_is_noticed(bench: Bench, relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "SILENCE_SECONDS", 0.3)
    engine = DockerEngine(bench.installation, base_url=f"unix://{relay.path}")
    await engine.ping()
    events = engine.events()
    next_event = asyncio.create_task(anext(events))  # type: ignore[arg-type]
    await engine.list_containers()
    relay.flowing.clear()
    with pytest.raises(EngineUnavailable, match="in time"):
        async with asyncio.timeout(30):
            await next_event
    with pytest.raises(EngineUnavailable, match="in time"):
        await engine.ping()
    relay.flowing.set()
    await engine.ping()
    await engine.close()
