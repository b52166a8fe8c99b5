"""The ingress with real Caddy processes and real upstreams."""

from __future__ import annotations

import asyncio
import stat
from collections import Counter

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from backend.domain.errors import Invalid
from backend.domain.ingress import Route
from backend.domain.ingress import Upstream as UpstreamAddress
from backend.ingress.caddy import CaddyIngress
from tests.ingress.ingress_site import MakeApp, Site, eventually, route
from tests.ingress.load import Load


async def test_requests_follow_the_host(site: Site, ingress: CaddyIngress, make_app: MakeApp) -> None:
    one, two = await make_app("one"), await make_app("two")
    await ingress.apply([route("one.localhost", one), route("two.localhost", two)])
    assert (await site.get("one.localhost")).text == "one"
    assert (await site.get(f"TWO.localhost:{site.port}")).text == "two"


async def test_an_unknown_host_is_404_in_plain_text(site: Site, ingress: CaddyIngress) -> None:
    answer = await site.get("nobody.localhost")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/plain")
    assert len(answer.text) < 100


async def test_a_route_without_upstreams_is_503_with_its_text_and_expands_nothing(
    site: Site, ingress: CaddyIngress
) -> None:
    text = "exit {1}: {env.HOME} {http.request.host} {file./etc/passwd}"
    await ingress.apply([Route("r", ("a.localhost",), (), text)])
    answer = await site.get("a.localhost")
    assert answer.status_code == 503
    assert answer.text == text + "\n"
    assert int(answer.headers["retry-after"]) > 0


async def test_the_app_sees_host_and_client(site: Site, ingress: CaddyIngress, make_app: MakeApp) -> None:
    await ingress.apply([route("a.localhost", await make_app("a"))])
    async with httpx.AsyncClient(timeout=30) as client:
        answer = await client.post(
            f"http://127.0.0.1:{site.port}/echo",
            headers={"Host": "a.localhost", "X-Forwarded-For": "6.6.6.6"},
            content=b"body",
        )
    head, _, body = answer.text.partition("\r\n\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head.split("\r\n")[1:])}
    assert body == "body"
    assert headers["host"] == "a.localhost"
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-forwarded-proto"] == "http"
    assert headers["x-forwarded-host"] == "a.localhost"


@pytest.mark.parametrize("size", [0, 1, 59_999, 60_000, 65_537, 3_000_000])
async def test_bodies_of_any_size_arrive_whole(size: int, site: Site, ingress: CaddyIngress, make_app: MakeApp) -> None:
    await ingress.apply([route("a.localhost", await make_app("a"))])
    body = bytes(65 + position % 26 for position in range(size))
    async with httpx.AsyncClient(timeout=20) as client:
        answer = await client.post(f"http://127.0.0.1:{site.port}/echo", headers={"Host": "a.localhost"}, content=body)
    assert answer.content.partition(b"\r\n\r\n")[2] == body


async def test_replicas_share_the_load(site: Site, ingress: CaddyIngress, make_app: MakeApp) -> None:
    apps = [await make_app(str(number)) for number in range(3)]
    await ingress.apply([route("a.localhost", *apps)])
    async with Load(site, "a.localhost") as load:
        await load.answered(150)
    assert load.outcomes.keys() == {"200"}
    assert all(app.seen > 15 for app in apps)


async def test_equal_routes_load_nothing(site: Site, ingress: CaddyIngress, make_app: MakeApp) -> None:
    routes = [route("a.localhost", await make_app("a")), route("b.localhost", await make_app("b"))]
    await ingress.apply(routes)
    config = site.root / "run" / "ingress-router.json"
    before = config.stat().st_ino
    await ingress.apply(routes[::-1])
    assert config.stat().st_ino == before


async def test_no_request_fails_while_routes_change(site: Site, ingress: CaddyIngress, make_app: MakeApp) -> None:
    one, two = await make_app("one"), await make_app("two")
    await ingress.apply([route("a.localhost", one, two)])
    async with Load(site, "a.localhost") as load:
        for turn in range(60):
            await ingress.apply([route("a.localhost", *((one, two), (one,), (two,))[turn % 3])])
            await load.answered(3)
    assert load.outcomes.keys() == {"200"}


async def test_new_routes_hold_when_apply_returns(site: Site, ingress: CaddyIngress, make_app: MakeApp) -> None:
    apps = [await make_app("one"), await make_app("two")]
    async with httpx.AsyncClient(timeout=30) as client:
        for turn in range(20):
            await ingress.apply([route("a.localhost", apps[turn % 2])])
            answer = await client.get(f"http://127.0.0.1:{site.port}/", headers={"Host": "a.localhost"})
            assert answer.text == apps[turn % 2].name


async def test_concurrent_applies_end_in_the_latest(site: Site, ingress: CaddyIngress, make_app: MakeApp) -> None:
    app = await make_app("a")
    await asyncio.gather(*(ingress.apply([route(f"a{number}.localhost", app)]) for number in range(50)))
    assert (await site.get("a49.localhost")).status_code == 200
    assert (await site.get("a48.localhost")).status_code == 404


async def test_refused_routes_change_nothing(site: Site, ingress: CaddyIngress, make_app: MakeApp) -> None:
    await ingress.apply([route("a.localhost", await make_app("a"))])
    with pytest.raises(Invalid):
        await ingress.apply([Route("b", ("{env.HOME}",), ())])
    assert (await site.get("a.localhost")).text == "a"


async def test_a_request_in_flight_finishes_on_a_removed_upstream_and_is_counted(
    site: Site, ingress: CaddyIngress, make_app: MakeApp
) -> None:
    old, new = await make_app("old"), await make_app("new")
    await ingress.apply([route("a.localhost", old)])
    slow = asyncio.create_task(site.get("a.localhost", "/slow"))
    await old.slow_began.wait()
    assert await ingress.in_flight() == {old.address: 1}
    for other in range(3):
        await ingress.apply([route("a.localhost", new), route(f"other{other}.localhost", new)])
    assert (await site.get("a.localhost")).text == "new"
    assert await ingress.in_flight() == {old.address: 1}
    old.release.set()
    assert (await slow).text == "old"

    async def idle() -> bool:
        return await ingress.in_flight() == {}

    await eventually(idle)
    await ingress.apply([route("a.localhost", new)])
    assert old.address not in (site.root / "run" / "ingress-router.json").read_text()


async def test_a_client_that_leaves_ends_its_request(site: Site, ingress: CaddyIngress, make_app: MakeApp) -> None:
    app = await make_app("a")
    await ingress.apply([route("a.localhost", app)])
    waiting = asyncio.create_task(site.get("a.localhost", "/hang"))
    await app.slow_began.wait()
    waiting.cancel()

    async def idle() -> bool:
        return await ingress.in_flight() == {}

    await eventually(idle)


async def test_a_replica_that_stops_unannounced_fails_no_request(
    site: Site, ingress: CaddyIngress, make_app: MakeApp
) -> None:
    """Connections to it are kept at that moment, and its route is still there."""
    apps = [await make_app("one"), await make_app("two")]
    await ingress.apply([route("a.localhost", *apps)])
    url = f"http://127.0.0.1:{site.port}/"
    async with httpx.AsyncClient(timeout=20) as client:
        for app in apps:
            for _ in range(10):
                assert (await client.get(url, headers={"Host": "a.localhost"})).status_code == 200
            await app.stop()
            for _ in range(30):
                assert (await client.get(url, headers={"Host": "a.localhost"})).status_code == 200
                assert (await client.post(url, headers={"Host": "a.localhost"}, content=b"x")).status_code == 200
            await app.start()


async def test_an_app_that_is_gone_is_502_in_plain_text(site: Site, ingress: CaddyIngress, make_app: MakeApp) -> None:
    app = await make_app("a")
    await ingress.apply([route("a.localhost", app)])
    await app.stop()
    answer = await site.get("a.localhost")
    assert answer.status_code == 502
    assert "did not answer" in answer.text


async def test_a_websocket_outlives_config_loads(site: Site, ingress: CaddyIngress, make_app: MakeApp) -> None:
    async def echo(socket: ServerConnection) -> None:
        async for message in socket:
            await socket.send(message)

    async with serve(echo, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        socket_route = Route("s", ("s.localhost",), (UpstreamAddress(f"127.0.0.1:{port}"),))
        await ingress.apply([socket_route])
        async with connect("ws://s.localhost", host="127.0.0.1", port=site.port) as client:
            app = await make_app("a")
            for number in range(5):
                await ingress.apply([socket_route, route(f"a{number}.localhost", app)])
                await client.send(str(number))
                assert await client.recv() == str(number)
            await ingress.apply([])
            await client.send("still here")
            assert await client.recv() == "still here"


async def test_a_stream_arrives_piece_by_piece(site: Site, ingress: CaddyIngress) -> None:
    more = asyncio.Event()

    async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\none")
        await more.wait()
        writer.write(b"two")
        writer.close()

    async with await asyncio.start_server(stream, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        await ingress.apply([Route("s", ("s.localhost",), (UpstreamAddress(f"127.0.0.1:{port}"),))])
        async with (
            httpx.AsyncClient(timeout=30) as client,
            client.stream("GET", f"http://127.0.0.1:{site.port}/", headers={"Host": "s.localhost"}) as answer,
        ):
            pieces = answer.aiter_bytes()
            assert await anext(pieces) == b"one"
            more.set()
            assert await anext(pieces) == b"two"


async def test_requests_are_recorded_also_those_finished_without_a_backend(
    site: Site, ingress: CaddyIngress, make_app: MakeApp
) -> None:
    app = await make_app("app")
    await ingress.apply([route("a.localhost", app), Route("b", ("b.localhost",), ())])
    records = ingress.requests()
    for _ in range(20):
        await site.get("a.localhost", "/?token=secret")
    await site.get(f"b.localhost:{site.port}")
    async with asyncio.timeout(60):
        seen = [await anext(records) for _ in range(21)]
    assert Counter((one.host, one.status, one.upstream, one.response_bytes > 0) for one in seen) == {
        ("a.localhost", 200, app.address, True): 20,
        ("b.localhost", 503, None, True): 1,
    }
    assert all(0 < one.duration_seconds < 60 for one in seen)
    await records.aclose()
    await ingress.close()
    for _ in range(5):
        await site.get("a.localhost")
    again = site.open()
    await again.start()
    records = again.requests()
    async with asyncio.timeout(60):
        assert [(await anext(records)).host for _ in range(5)] == ["a.localhost"] * 5
    await records.aclose()


async def test_the_logs_hold_nothing_private(site: Site, ingress: CaddyIngress, make_app: MakeApp) -> None:
    app = await make_app("app")
    await ingress.apply([route("a.localhost", app)])
    await app.stop()
    async with httpx.AsyncClient(timeout=30) as client:
        url = f"http://127.0.0.1:{site.port}/private-path?token=private-query"
        await client.get(url, headers={"Host": "a.localhost", "X-Secret": "private-header", "Cookie": "c=private"})
    await ingress.stop()
    written = {path.name: path.read_text() for path in (site.root / "log").iterdir()}
    assert "a.localhost" in written["ingress-access.log"]
    for name, text in written.items():
        assert "private" not in text, name
        assert "remote_ip" not in text, name
        assert stat.S_IMODE((site.root / "log" / name).stat().st_mode) == 0o600


async def test_a_thousand_routes(site: Site, ingress: CaddyIngress, make_app: MakeApp) -> None:
    app = await make_app("app")
    routes = [route(f"app{number}.localhost", app) for number in range(1000)]
    await ingress.apply(routes)
    for number in (0, 7, 64, 511, 512, 999):
        assert (await site.get(f"app{number}.localhost")).text == "app"
    assert (await site.get("app1000.localhost")).status_code == 404
    async with Load(site, "app500.localhost") as load:
        await ingress.apply(routes[:-1])
        await load.answered(10)
        await ingress.apply(routes)
    assert load.outcomes.keys() == {"200"}
