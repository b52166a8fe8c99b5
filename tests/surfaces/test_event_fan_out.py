"""Two hundred event sockets, one of which does not read: it is dropped with a reason, and slows nobody."""

from __future__ import annotations

import asyncio
import json
import socket as sockets
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from litestar import Litestar, WebSocket, websocket
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError

from backend.domain.journal import JournalEntry, JournalKind
from backend.listeners import Listener, Listeners, bind_tcp
from backend.services.accounts import AccountService
from backend.services.event_bus import EventBus
from backend.services.notifications import NotificationService
from backend.storage.database import Database
from backend.surfaces.container_engine_snake.convert import notification_text
from backend.surfaces.container_engine_snake.errors import FAILURES
from backend.surfaces.event_sockets import serve_events
from tests.backend.running_backend import free_ports

CLIENTS = 200
LIMIT = 32
EVENTS = 160
SMALL_BUFFER = 4096
PASSWORD = "correct horse 7 battery"
NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
PADDING = "x" * 2000


class Site:
    """The event socket alone, with real accounts and listener; journal entries come from the test."""

    def __init__(self, address: str, token: str, tenant_id: str, bus: EventBus, service: NotificationService) -> None:
        self.address = address
        self.token = token
        self.tenant_id = tenant_id
        self.bus = bus
        self.service = service

    def publish(self, number: int) -> None:
        data = {"status": "running", "url": "http://a.localhost", "number": number, "padding": PADDING}
        kind = JournalKind.STATUS_CHANGED
        self.bus.publish(JournalEntry(number, self.tenant_id, "id", "dpl-id", 1, kind, "system", "", data, NOW))

    def connected(self, **options: Any) -> Any:
        return connect(self.address, additional_headers={"Authorization": f"Bearer {self.token}"}, **options)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    database = Database.at(tmp_path / "pilothouse.db")
    await database.start()
    accounts = AccountService(database, jwt_secret=b"0123456789abcdef0123456789abcdef")
    tokens = await accounts.sign_up("ann", "ann@example.com", PASSWORD)
    bus = EventBus()
    service = NotificationService(database, bus, lambda name: f"http://{name}.localhost", limit=LIMIT)
    services: Any = SimpleNamespace(accounts=accounts, notifications=service)

    @websocket("/events")
    async def events(socket: WebSocket[Any, Any, Any]) -> None:
        await serve_events(socket, services, FAILURES, notification_text)

    (port,) = free_ports(1)
    door = bind_tcp("127.0.0.1", port, "port")
    # Accepted connections inherit it: the kernel holds little of what a client does not read.
    door.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, SMALL_BUFFER)
    listeners = Listeners([Listener(door, Litestar([events], logging_config=None))], access_log=False)
    await listeners.start()
    try:
        address = f"ws://127.0.0.1:{port}/events"
        yield Site(address, tokens.access_token, tokens.user.tenant_id, bus, service)
    finally:
        await listeners.stop()
        accounts.close()
        await database.close()


def _narrow_socket(address: str) -> sockets.socket:
    narrow = sockets.socket()
    narrow.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, SMALL_BUFFER)
    narrow.connect(("127.0.0.1", int(address.rpartition(":")[2].partition("/")[0])))
    return narrow


async def test_a_slow_client_is_dropped_and_slows_nobody(site: Site) -> None:
    clients = [await site.connected().__aenter__() for _ in range(CLIENTS)]
    slow: ClientConnection = await site.connected(sock=_narrow_socket(site.address), max_queue=1)
    who: Any = SimpleNamespace(tenant_id=site.tenant_id)
    assert (await site.service.stats(who)).connections == CLIENTS + 1

    async def read(client: ClientConnection, first: int, count: int) -> list[int]:
        async with asyncio.timeout(60):
            return [json.loads(await client.recv())["data"]["number"] for _ in range(first, first + count)]

    batch = LIMIT // 2
    for first in range(0, EVENTS, batch):
        for number in range(first, first + batch):
            site.publish(number)
        # Everybody but the slow one is served before the next come: nobody waits for it.
        for numbers in await asyncio.gather(*(read(client, first, batch) for client in clients)):
            assert numbers == list(range(first, first + batch))

    stats = await site.service.stats(who)
    assert (stats.connections, stats.dropped) == (CLIENTS, 1)
    assert stats.failed > LIMIT
    with pytest.raises(ConnectionClosedError) as closed:
        async with asyncio.timeout(30):
            while True:
                await slow.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1013
    assert "connect again" in closed.value.rcvd.reason

    # Who is dropped may come again.
    async with site.connected() as again:
        site.publish(EVENTS)
        assert await read(again, EVENTS, 1) == [EVENTS]
    await asyncio.gather(*(client.close() for client in clients))
