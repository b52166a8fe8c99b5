"""The lives of the two Caddy processes: adopted, restarted, moved, ended, and two installations side by side."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from backend.domain.errors import Unavailable
from backend.ingress.caddy import CaddyIngress
from backend.ingress.paths import IngressPaths
from tests.ingress.ingress_site import App, MakeApp, MakeSite, Site, answer_without_router, eventually, route
from tests.ingress.load import Load


async def test_a_new_backend_adopts_the_processes_and_drops_nothing(
    site: Site, ingress: CaddyIngress, make_app: MakeApp
) -> None:
    routes = [route("a.localhost", await make_app("a"))]
    await ingress.apply(routes)
    await eventually(ingress.ready)
    pids = ingress.pids
    async with Load(site, "a.localhost") as load:
        await ingress.close()
        await load.answered(10)
        again = site.open()
        await again.start()
        await again.apply(routes)
        await load.answered(10)
        assert again.pids == pids
        await eventually(again.ready)
    assert load.outcomes.keys() == {"200"}


@pytest.mark.parametrize("name", ["router", "door"])
async def test_a_process_that_dies_is_started_with_its_routes(
    name: str, site: Site, ingress: CaddyIngress, make_app: MakeApp
) -> None:
    await ingress.apply([route("a.localhost", await make_app("a"))])
    old = ingress.pids[name]
    assert old is not None
    os.kill(old, signal.SIGKILL)

    async def served() -> bool:
        with suppress(httpx.TransportError):
            return ingress.pids[name] != old and (await site.get("a.localhost")).text == "a"
        return False

    await eventually(served)
    await eventually(ingress.ready)


@pytest.mark.parametrize("name", ["router", "door"])
async def test_a_frozen_process_is_not_ready(name: str, ingress: CaddyIngress) -> None:
    frozen = ingress.pids[name]
    assert frozen is not None
    os.kill(frozen, signal.SIGSTOP)
    try:
        assert not await ingress.ready()
    finally:
        os.kill(frozen, signal.SIGCONT)
    await eventually(ingress.ready)


async def test_asking_whether_it_is_ready_counts_as_no_request(
    site: Site, ingress: CaddyIngress, make_app: MakeApp
) -> None:
    await ingress.apply([route("a.localhost", await make_app("a"))])
    for _ in range(3):
        await eventually(ingress.ready)
    await site.get("a.localhost")
    async with asyncio.timeout(30):
        assert (await anext(aiter(ingress.requests()))).host == "a.localhost"


async def test_what_died_while_no_backend_ran_returns_with_its_routes(
    site: Site, ingress: CaddyIngress, make_app: MakeApp
) -> None:
    await ingress.apply([route("a.localhost", await make_app("a"))])
    await ingress.close()
    for pid in ingress.pids.values():
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await asyncio.to_thread(os.waitpid, pid, 0)
    again = site.open()
    await again.start()
    assert (await site.get("a.localhost")).text == "a"


async def test_what_it_serves_is_known_before_it_is_started_again(
    site: Site, ingress: CaddyIngress, make_app: MakeApp
) -> None:
    unused = site.open()
    assert await unused.serving() == {}, "nothing was applied yet"
    app = await make_app("a")
    await ingress.apply([route("a.localhost", app)])
    expected = await ingress.serving()
    assert list(expected) == ["a.localhost"]
    assert len(expected["a.localhost"]) == 1
    assert await unused.serving() == expected, "by the process that runs"
    await ingress.close()
    for pid in ingress.pids.values():
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await asyncio.to_thread(os.waitpid, pid, 0)
    assert await unused.serving() == expected, "by what is on disk"
    (site.root / "run" / "ingress-router.json").write_bytes(b"{torn")
    assert await unused.serving() == {}
    await unused.start()
    assert await unused.serving() == {}


async def test_requests_wait_while_the_router_restarts(site: Site, ingress: CaddyIngress, make_app: MakeApp) -> None:
    await ingress.apply([route("a.localhost", await make_app("a"))])
    assert (await answer_without_router(site, ingress, "a.localhost")).text == "a"


async def test_two_installations_side_by_side(make_site: MakeSite, make_app: MakeApp) -> None:
    sites = [make_site("one"), make_site("two")]
    ingresses = [site.open() for site in sites]
    for site, ingress in zip(sites, ingresses, strict=True):
        await ingress.start()
        await ingress.apply([route("a.localhost", await make_app(site.root.name))])
    assert [(await site.get("a.localhost")).text for site in sites] == ["one", "two"]
    await ingresses[0].stop()
    assert (await sites[1].get("a.localhost")).text == "two"
    assert not await ingresses[0].ready()


async def test_a_taken_port_is_named_and_taken_when_it_is_free(site: Site, make_app: MakeApp) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", site.port))
        other.listen()
        ingress = site.open()
        with pytest.raises(Unavailable, match=rf"{site.port}.*--ingress-port"):
            await ingress.start()
        assert not await ingress.ready()
        assert ingress.pids == {"door": None, "router": None}
    await ingress.start()
    await eventually(ingress.ready)


async def test_another_ingress_on_the_port_is_noticed(site: Site, ingress: CaddyIngress, make_site: MakeSite) -> None:
    other = make_site("other")
    other.port = site.port
    with pytest.raises(Unavailable, match=str(site.port)):
        await other.open().start()


async def test_a_new_port_moves_the_door_and_keeps_the_routes(
    site: Site, ingress: CaddyIngress, make_site: MakeSite, make_app: MakeApp
) -> None:
    await ingress.apply([route("a.localhost", await make_app("a"))])
    await ingress.close()
    site.port = make_site("spare").port
    again = site.open()
    await again.start()
    assert (await site.get("a.localhost")).text == "a"
    assert again.pids["router"] == ingress.pids["router"]


async def test_stop_lets_requests_finish_and_leaves_no_process(
    site: Site, ingress: CaddyIngress, make_app: MakeApp
) -> None:
    app = await make_app("a")
    await ingress.apply([route("a.localhost", app)])
    slow = asyncio.create_task(site.get("a.localhost", "/slow"))
    await app.slow_began.wait()
    pids = [pid for pid in ingress.pids.values() if pid is not None]
    stopping = asyncio.create_task(ingress.stop())
    await asyncio.sleep(0.1)
    app.release.set()
    assert (await slow).text == "a"
    await stopping
    assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_stop_ends_what_another_backend_left(site: Site, ingress: CaddyIngress) -> None:
    await ingress.close()
    await site.open().stop()
    assert not await ingress.ready()


async def test_the_sockets_and_the_directory_are_ours_alone(site: Site, ingress: CaddyIngress) -> None:
    paths = IngressPaths.prepare(site.root / "run", site.root / "log")
    assert stat.S_IMODE(paths.run_dir.stat().st_mode) == stat.S_IMODE(paths.socket_dir.stat().st_mode) == 0o700
    sockets = [path for path in paths.socket_dir.iterdir() if path.is_socket()]
    assert len(sockets) == 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in sockets} == {0o600}


async def test_a_long_path_still_has_sockets(tmp_path: Path, make_app: MakeApp, make_site: MakeSite) -> None:
    site = make_site("x" * 120)
    ingress = site.open()
    await ingress.start()
    app: App = await make_app("a")
    await ingress.apply([route("a.localhost", app)])
    assert (await site.get("a.localhost")).text == "a"
    paths = IngressPaths.prepare(site.root / "run", site.root / "log")
    assert len(os.fsencode(paths.router_socket)) <= 107
    assert stat.S_IMODE(paths.socket_dir.stat().st_mode) == 0o700
    await ingress.stop()


async def test_a_door_at_another_port_is_not_ready_and_says_why(
    site: Site, ingress: CaddyIngress, make_site: MakeSite
) -> None:
    other = make_site("other")
    await other.open().start()
    await ingress.close()
    site.port = other.port
    moved = site.open()
    with pytest.raises(Unavailable):
        await moved.start()
    # The old door lives and the stranger answers at the port: neither makes this one ready.
    assert not await moved.ready()
    assert moved.fault is not None
    assert str(other.port) in moved.fault


async def test_routes_that_cannot_be_kept_are_served_and_kept_later(
    site: Site, ingress: CaddyIngress, make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    """As on a full disk."""
    app = await make_app("a")
    paths = IngressPaths.prepare(site.root / "run", site.root / "log")
    config = paths.config("router")
    in_the_way = config.with_name(config.name + ".new")
    before = config.read_bytes()
    in_the_way.mkdir()
    await ingress.apply([route("a.localhost", app)])
    assert (await site.get("a.localhost")).text == "a"
    assert config.read_bytes() == before
    assert "start again with an older config" in caplog.text
    in_the_way.rmdir()
    await ingress.apply([route("a.localhost", app), route("b.localhost", app)])
    assert b"a.localhost" in config.read_bytes()


async def test_what_cannot_be_written_for_a_start_is_told(site: Site) -> None:
    paths = IngressPaths.prepare(site.root / "run", site.root / "log")
    config = paths.config("router")
    in_the_way = config.with_name(config.name + ".new")
    in_the_way.mkdir()
    ingress = site.open()
    with pytest.raises(Unavailable, match=r"the ingress router cannot be started: .*Is a directory"):
        await ingress.start()
    in_the_way.rmdir()
    await ingress.start()
    await eventually(ingress.ready)


async def test_a_router_starts_with_its_routes_where_nothing_can_be_written(
    site: Site, ingress: CaddyIngress, make_app: MakeApp
) -> None:
    await ingress.apply([route("a.localhost", await make_app("a"))])
    await ingress.close()
    pid = ingress.pids["router"]
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await asyncio.to_thread(os.waitpid, pid, 0)
    paths = IngressPaths.prepare(site.root / "run", site.root / "log")
    for path in (paths.config("router"), paths.pid("router"), paths.pid("door"), paths.access_position):
        path.with_name(path.name + ".new").mkdir()
    again = site.open()
    await again.start()
    assert (await site.get("a.localhost")).text == "a"
