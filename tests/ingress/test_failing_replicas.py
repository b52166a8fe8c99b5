"""Replicas that fail while their route still leads to them: others answer in their place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from backend.domain.ingress import Route, Upstream
from backend.ingress.caddy import CaddyIngress
from tests.ingress.ingress_site import MakeApp, Site, eventually, free_port, route

HOST = "a.localhost"


class Dropper:
    """Ends the first `drops` requests without an answer, and answers the later ones."""

    def __init__(self, drops: int) -> None:
        self.seen = 0
        self._drops = drops

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.seen += 1
        if self.seen > self._drops:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        writer.close()


@asynccontextmanager
async def served(*droppers: Dropper) -> AsyncIterator[Route]:
    """A route to them."""
    servers = [await asyncio.start_server(dropper.serve, "127.0.0.1", 0) for dropper in droppers]
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    yield Route("a", (HOST,), tuple(Upstream(f"127.0.0.1:{port}") for port in ports))
    for server in servers:
        server.close()


async def sent(site: Site, method: str, body: bytes = b"", path: str = "/") -> httpx.Response:
    async with httpx.AsyncClient(timeout=30) as client:
        return await client.request(method, f"http://127.0.0.1:{site.port}{path}", headers={"Host": HOST}, content=body)


def in_flight(ingress: CaddyIngress, count: int) -> Callable[[], Awaitable[bool]]:
    async def reached() -> bool:
        return sum((await ingress.in_flight()).values()) == count

    return reached


async def test_a_replica_that_dies_after_a_config_load_fails_none_of_the_requests_from_before(
    site: Site, ingress: CaddyIngress, make_app: MakeApp
) -> None:
    """Caddy marks nobody down for them and ends their waits; the dead replica has the fewest requests."""
    dying, healthy = await make_app("dying"), await make_app("healthy")
    await ingress.apply([route(HOST, dying, healthy)])
    asked = [asyncio.create_task(site.get(HOST, "/slow")) for _ in range(6)]
    await eventually(in_flight(ingress, 6))
    assert set(await ingress.in_flight()) == {dying.address, healthy.address}
    await ingress.apply([route(HOST, dying, healthy), route("other.localhost", healthy)])
    await dying.stop()
    await eventually(in_flight(ingress, 6))
    healthy.release.set()
    assert [(answer.status_code, answer.text) for answer in await asyncio.gather(*asked)] == [(200, "healthy")] * 6


async def test_one_fault_on_each_replica_is_waited_out(site: Site, ingress: CaddyIngress) -> None:
    droppers = [Dropper(drops=1) for _ in range(3)]
    async with served(*droppers) as faulty:
        await ingress.apply([faulty])
        answer = await sent(site, "GET")
        assert (answer.status_code, answer.text) == (200, "ok")


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_what_reached_a_replica_is_not_sent_to_another(method: str, site: Site, ingress: CaddyIngress) -> None:
    droppers = [Dropper(drops=1) for _ in range(2)]
    async with served(*droppers) as faulty:
        await ingress.apply([faulty])
        answer = await sent(site, method, b"once")
        assert (answer.status_code, answer.text) == (502, "the app did not answer\n")
        assert sum(dropper.seen for dropper in droppers) == 1


@pytest.mark.parametrize("size", [0, 100, 3_000_000])
async def test_a_body_arrives_whole_and_once_after_many_failed_dials(
    size: int, site: Site, ingress: CaddyIngress, make_app: MakeApp
) -> None:
    app = await make_app("a")
    dead = tuple(Upstream(f"127.0.0.1:{free_port()}") for _ in range(9))
    await ingress.apply([Route("a", (HOST,), (Upstream(app.address), *dead))])
    body = bytes(65 + position % 26 for position in range(size))
    answer = await sent(site, "POST", body, "/echo")
    assert answer.status_code == 200
    assert answer.content.partition(b"\r\n\r\n")[2] == body
    assert app.seen == 1


async def test_replicas_that_are_all_gone_are_502_in_plain_text(site: Site, ingress: CaddyIngress) -> None:
    await ingress.apply([Route("a", (HOST,), tuple(Upstream(f"127.0.0.1:{free_port()}") for _ in range(2)))])
    for method in ("GET", "POST"):
        answer = await sent(site, method, b"x")
        assert answer.status_code in {502, 503}
        assert answer.text == "the app did not answer\n"
        assert int(answer.headers["retry-after"]) > 0
