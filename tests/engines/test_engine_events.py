"""The engine's events, of this installation only."""

from __future__ import annotations

import secrets

from backend.domain.engine import EngineEvent, EventAction
from backend.engines.docker import DockerEngine
from tests.engines.engine_bench import Bench


async def test_events_begin_with_the_call_and_are_ours_alone(bench: Bench) -> None:
    stranger = DockerEngine(secrets.token_hex(16))
    strange, events = stranger.events(), bench.engine.events()
    # made before the first step of the iteration: seen all the same
    made = await bench.run("sh", "-c", "exit 5", generation=3)
    seen: list[EngineEvent] = []
    async for event in events:
        seen.append(event)
        if event.action is EventAction.DIE:
            break
    assert [event.action for event in seen] == [EventAction.CREATE, EventAction.START, EventAction.DIE]
    assert {(event.container_id, event.object_id, event.kind, event.generation) for event in seen} == {
        (made, "object-1", "deployment", 3)
    }
    assert [event.exit_code for event in seen] == [None, None, 5]
    assert seen == sorted(seen, key=lambda event: event.at)

    other = Bench(stranger, stranger._installation, bench.tenant, "", "", bench.image)
    spec = other.spec(network=bench.network)
    try:
        theirs = await stranger.create_container(spec)
        first = await anext(strange)
        assert (first.action, first.container_id) == (EventAction.CREATE, theirs)
    finally:
        await other.clean()
        await stranger.close()


async def test_removal_is_seen(bench: Bench) -> None:
    made = await bench.engine.create_container(bench.spec())
    events = bench.engine.events()
    await bench.engine.remove_container(made)
    async for event in events:
        if event.action is EventAction.DESTROY:
            assert event.container_id == made
            break
