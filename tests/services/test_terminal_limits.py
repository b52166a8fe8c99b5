"""How many terminal sessions a tenant may have, over deployments and environments, in a real holder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from backend.domain.accounts import Principal
from backend.domain.engine import ContainerState, Engine
from backend.domain.environments import Environment, EnvironmentStatus
from backend.domain.errors import Invalid, TooMany
from backend.domain.ids import new_uuid
from backend.domain.terminals import EndReason
from backend.services.held_terminals import HeldTerminals, Place, SessionRequest, SessionViewer
from backend.services.terminal_sessions import TerminalSessions
from backend.services.terminals import TerminalService
from backend.terminals.client import HolderClient
from backend.terminals.places import HolderPlaces
from tests.services.running_replicas import RunningReplicas, make_principal, running_replicas
from tests.storage.test_environments import environment as make_environment
from tests.storage.test_environments import template
from tests.terminals.holder_bench import HolderBench, holder_bench, holder_here, until

MOST = 3
# Nothing of this is a matter of time: the deadline is only there for what hangs.
DEADLINE = 120.0


@dataclass(frozen=True, slots=True)
class Terminals:
    """Both services over one holder, as the app puts them together."""

    app: RunningReplicas
    bench: HolderBench
    held: HeldTerminals
    deployments: TerminalService
    environments: TerminalSessions
    environment: Environment

    @classmethod
    def over(cls, app: RunningReplicas, bench: HolderBench, client: HolderClient | None = None) -> Terminals:
        held = HeldTerminals(client or bench.client, sockets_per_user=1000, sessions_per_tenant=MOST)
        environment = make_environment(app.deployment.tenant_id, template(), "home", status=EnvironmentStatus.RUNNING)

        async def get(who: Principal, environment_id: str) -> Environment:
            return environment

        async def running(who: Principal, environment_id: str) -> tuple[Environment, Engine, ContainerState]:
            return environment, app.engine, app.view.of(app.deployment.id)[0]

        async def touch(environment_id: str) -> None:
            pass

        return cls(
            app,
            bench,
            held,
            TerminalService(app.engine, app.view, app.deployment_of, held=held),
            TerminalSessions(held, get=get, running_container=running, touch=touch),
            environment,
        )

    async def in_deployment(self, session: str, **options: Any) -> SessionViewer:
        found = await self.deployments.open(self.app.who, self.app.deployment.id, session=session, **options)
        assert found.viewer is not None
        return found.viewer

    async def in_environment(self, session: str) -> SessionViewer:
        return await self.environments.open(self.app.who, self.environment.id, session=session)

    def place(self, tenant_id: str, most_sessions: int = 1000) -> Place:
        return Place(
            f"deployment/{new_uuid()}",
            tenant_id,
            "api",
            "busybox",
            self.app.engine,
            self.bench.container_id,
            most_sessions=most_sessions,
        )

    async def held_names(self) -> list[str]:
        return sorted(info.name for info in await self.held.holder.sessions())


@pytest.fixture
async def terminals(tmp_path: Path) -> AsyncIterator[Terminals]:
    async with running_replicas() as app, holder_bench(tmp_path) as bench:
        await app.run("while :; do sleep 1; done")
        made = Terminals.over(app, bench)
        yield made
        await made.environments.close()


async def at_once(
    opened: Callable[[str], Coroutine[Any, Any, SessionViewer]], names: Sequence[str]
) -> tuple[list[SessionViewer], list[TooMany]]:
    """Open all of them together: who got in, and who was refused."""
    async with asyncio.timeout(DEADLINE):
        answers = await asyncio.gather(*(opened(name) for name in names), return_exceptions=True)
    viewers = [answer for answer in answers if isinstance(answer, SessionViewer)]
    refused = [answer for answer in answers if isinstance(answer, TooMany)]
    assert len(viewers) + len(refused) == len(names), answers
    return viewers, refused


async def test_a_tenant_has_so_many_over_all_it_runs_and_others_still_open(terminals: Terminals) -> None:
    first = await terminals.in_deployment("a")
    await terminals.in_environment("main")
    await terminals.in_deployment("b", linger_seconds=3600)
    for opened in (terminals.in_deployment, terminals.in_environment):
        with pytest.raises(TooMany, match=f"environments have {MOST} terminal sessions.*: end one, such as a") as no:
            await opened("c")
        assert "a of web" in no.value.message and "main of home" in no.value.message
    # What is there already can still be viewed, in each of them.
    again = [await terminals.in_deployment("a"), await terminals.in_environment("main")]
    assert [viewer.resumed for viewer in again] == [True, True]

    other = make_principal()
    viewer = await terminals.held.open(other, terminals.place(other.tenant_id), SessionRequest("c"))
    assert not viewer.resumed

    # One that ends makes room for one.
    await first.close()
    await terminals.environments.end(terminals.app.who, terminals.environment.id, "main")
    assert not (await terminals.in_deployment("c")).resumed
    with pytest.raises(TooMany):
        await terminals.in_deployment("d")


async def test_those_that_nobody_views_are_named_first(terminals: Terminals) -> None:
    await terminals.in_deployment("a")
    await terminals.in_deployment("b")
    await (await terminals.in_deployment("c")).close()

    async def named() -> bool:
        with pytest.raises(TooMany) as no:
            await terminals.in_deployment("d")
        return no.value.message.endswith("such as c of web, a of web, b of web")

    # The holder learns a little later that a viewer went away.
    await until(named, "the one that nobody views is named first")


async def test_however_many_ask_at_once_no_more_are_started(terminals: Terminals) -> None:
    places = [terminals.place(terminals.app.who.tenant_id) for _ in range(4)]

    async def opened(name: str) -> SessionViewer:
        return await terminals.held.open(terminals.app.who, places[int(name) % 4], SessionRequest(f"s{name}"))

    viewers, refused = await at_once(opened, [str(number) for number in range(12)])
    assert (len(viewers), len(refused)) == (MOST, 12 - MOST)
    assert await terminals.held_names() == sorted(viewer.session for viewer in viewers)
    # Those that were refused, and left again, are not counted.
    for viewer in viewers:
        viewer.hang_up()

    async def ended() -> bool:
        return not await terminals.held_names()

    await until(ended, "they end")
    viewers, refused = await at_once(opened, [str(number) for number in range(MOST)])
    assert (len(viewers), len(refused)) == (MOST, 0)


async def test_a_place_has_no_more_than_its_own_either(terminals: Terminals) -> None:
    place = terminals.place(terminals.app.who.tenant_id, most_sessions=2)

    async def opened(name: str) -> SessionViewer:
        return await terminals.held.open(terminals.app.who, place, SessionRequest(name))

    viewers, refused = await at_once(opened, [f"s{number}" for number in range(8)])
    assert (len(viewers), len(refused)) == (2, 6)
    assert {error.message.split(":")[0] for error in refused} == {
        "api has 2 terminal sessions, and more are not allowed"
    }
    # At the limit many may still come to one of them.
    name = viewers[0].session
    viewers, refused = await at_once(opened, [name] * 5)
    assert ([viewer.resumed for viewer in viewers], refused) == ([True] * 5, [])


async def test_many_who_start_one_session_together_are_one(terminals: Terminals) -> None:
    viewers, refused = await at_once(terminals.in_deployment, ["a"] * (MOST + 2))
    assert (len(viewers), len(refused)) == (MOST + 2, 0)
    viewers, refused = await at_once(terminals.in_environment, ["b", "c"])
    assert (len(viewers), len(refused)) == (2, 0)


async def test_one_that_cannot_be_started_takes_no_room(terminals: Terminals) -> None:
    for number in range(MOST + 1):
        with pytest.raises(Invalid, match="no-such-thing"):
            await terminals.in_deployment(f"x{number}", command="no-such-thing")
    viewers, refused = await at_once(terminals.in_deployment, [f"s{number}" for number in range(MOST)])
    assert (len(viewers), len(refused)) == (MOST, 0)


async def test_a_backend_that_starts_again_counts_those_that_lived_on(terminals: Terminals) -> None:
    for name in ("a", "b", "c"):
        await (await terminals.in_deployment(name)).close()
    client = HolderClient(terminals.bench.places)
    anew = Terminals.over(terminals.app, terminals.bench, client)
    try:
        for opened in (anew.in_deployment, anew.in_environment):
            with pytest.raises(TooMany, match=f"have {MOST} terminal sessions"):
                await opened("d")
        assert await client.end(f"deployment/{terminals.app.deployment.id}", "b", EndReason.ENDED, "by the test") == 1
        assert not (await anew.in_environment("d")).resumed
    finally:
        await anew.environments.close()
        await client.close()


async def test_commands_too_long_to_be_listed_together_are_counted(terminals: Terminals) -> None:
    most = 12
    held = HeldTerminals(terminals.bench.client, sockets_per_user=1000, sessions_per_tenant=most)
    place = terminals.place(terminals.app.who.tenant_id)
    command = f"sh -c 'echo; sleep 1000' {'ä' * 4000}"

    async def opened(name: str) -> SessionViewer:
        return await held.open(terminals.app.who, place, SessionRequest(name, command))

    viewers, refused = await at_once(opened, [f"s{number}" for number in range(most)])
    assert (len(viewers), len(refused)) == (most, 0)
    listed = await held.holder.sessions(place.scope)
    assert [(len(info.command), info.command[-1]) for info in listed] == [(200, "…")] * most
    with pytest.raises(TooMany, match=f"have {most} terminal sessions"):
        await opened("more")


async def test_those_in_the_holder_of_another_version_count_too(terminals: Terminals) -> None:
    async with holder_here(terminals.bench.places.socket.parent / "hold-0000.sock") as older:
        ours = HolderPlaces.of(terminals.bench.places).socket
        await asyncio.to_thread(ours.symlink_to, terminals.bench.places.socket.parent / "hold-0000.sock")
        await terminals.in_deployment("a")
        await terminals.in_environment("b")
        await asyncio.to_thread(ours.unlink)

        await terminals.in_deployment("c")
        with pytest.raises(TooMany, match=f"have {MOST} terminal sessions"):
            await terminals.in_deployment("d")
        await older.stop("the test ends them")
        assert not (await terminals.in_deployment("d")).resumed
