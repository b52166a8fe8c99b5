"""Notifications: to whom, in which order, and what becomes of a client that does not read."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from backend.domain.accounts import CredentialKind, Principal, Role, User
from backend.domain.journal import JournalEntry, JournalKind
from backend.services.event_bus import EventBus, Lagged
from backend.services.notifications import Listener, Notification, NotificationService
from backend.storage.database import Database

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
LIMIT = 8


def _who(user_id: str, tenant_id: str) -> Principal:
    user = User(
        user_id, f"usr-{user_id}", tenant_id, user_id, f"{user_id}@example.com", Role.USER, True, NOW, NOW, None
    )
    return Principal(user, CredentialKind.SESSION)


def _entry(number: int, kind: JournalKind = JournalKind.UPDATED, tenant_id: str = "t") -> JournalEntry:
    return JournalEntry(
        number, tenant_id, f"object-{number}", f"dpl-{number}", 1, kind, "system", "", {"n": number}, NOW
    )


@pytest.fixture
def bus() -> EventBus:
    return EventBus()


@pytest.fixture
def service(database: Database, bus: EventBus) -> NotificationService:
    return NotificationService(database, bus, lambda name: f"http://{name}.localhost", limit=LIMIT, clock=lambda: NOW)


async def _read(listener: Listener, count: int) -> list[Notification]:
    found: list[Notification] = []
    async with asyncio.timeout(30):
        async for notification in listener:
            listener.sent(notification)
            found.append(notification)
            if len(found) == count:
                break
    return found


async def test_a_tenants_own_in_order(bus: EventBus, service: NotificationService) -> None:
    bus.publish(_entry(0))
    with service.listen(_who("ann", "t")) as ann, service.listen(_who("bob", "other")) as bob:
        for number in (1, 2):
            bus.publish(_entry(number))
        bus.publish(_entry(3, JournalKind.REPLICA_READY))
        bus.publish(_entry(4, JournalKind.DOMAIN_FAILED))
        bus.publish(_entry(5, tenant_id="other"))
        assert [one.deployment_id for one in await _read(ann, 3)] == ["object-1", "object-2", "object-4"]
        assert [one.deployment_id for one in await _read(bob, 1)] == ["object-5"]


async def test_the_text_is_made_once_for_all_clients(bus: EventBus, service: NotificationService) -> None:
    made = []

    def render(notification: Notification) -> str:
        made.append(notification)
        return f"<{notification.deployment_id}>"

    with service.listen(_who("ann", "t")) as first, service.listen(_who("ann", "t")) as second:
        bus.publish(_entry(1))
        texts = [one.text(render) for listener in (first, second) for one in await _read(listener, 1)]
    assert texts == ["<object-1>", "<object-1>"]
    assert len(made) == 1


async def test_a_client_that_does_not_read_is_dropped_alone(bus: EventBus, service: NotificationService) -> None:
    who = _who("ann", "t")
    with service.listen(who) as slow, service.listen(who) as quick:
        for number in range(LIMIT + 1):
            bus.publish(_entry(number))
            assert [one.deployment_id for one in await _read(quick, 1)] == [f"object-{number}"]
        with pytest.raises(Lagged):
            await slow.until_dropped()
        with pytest.raises(Lagged):
            await _read(slow, 1)
        stats = await service.stats(who)
        assert (stats.connections, stats.users) == (1, 1)
        assert (stats.sent, stats.failed, stats.dropped) == (LIMIT + 1, LIMIT + 1, 1)
        assert stats.by_kind == {JournalKind.UPDATED: LIMIT + 1}
        assert stats.last_at == NOW
        bus.publish(_entry(100))
        assert len(await _read(quick, 1)) == 1
    stats = await service.stats(who)
    assert (stats.connections, stats.users) == (0, 0)
    assert (await service.stats(_who("bob", "other"))).sent == 0


async def test_a_test_goes_to_the_callers_own_clients(service: NotificationService) -> None:
    ann, colleague = _who("ann", "t"), _who("cat", "t")
    with service.listen(ann) as own, service.listen(colleague) as other:
        told, clients = service.test(ann)
        assert clients == 1
        assert await _read(own, 1) == [told]
        mine, _ = service.test(colleague)
        assert await _read(other, 1) == [mine], "the colleague was not told of ann's"
        assert (await service.stats(ann)).users == 2
    assert service.test(ann)[1] == 0
