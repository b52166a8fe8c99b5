"""Notifications: what happens to a tenant's deployments, told to every client that listens.

Each client has a bounded queue of its own. One that reads too slowly is dropped with a reason, and costs the others
nothing: telling never waits.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType

from backend.domain.accounts import Principal
from backend.domain.deployments import DeploymentStatus
from backend.domain.ids import Kind, new_short_id, new_uuid
from backend.domain.journal import JournalEntry, JournalKind
from backend.domain.outbox import Channel, DeliveryStatus
from backend.services.event_bus import EventBus, Lagged
from backend.services.journal import utc_now
from backend.storage import outbox
from backend.storage.database import Database

# The kinds that documents list; the rest of the journal is ours.
TOLD = frozenset(
    {
        JournalKind.CREATED,
        JournalKind.UPDATED,
        JournalKind.DELETED,
        JournalKind.STATUS_CHANGED,
        JournalKind.DOMAIN_VERIFIED,
        JournalKind.DOMAIN_FAILED,
    }
)
MAX_WAITING = 256
TEST_APP = "test-notification"
_TOO_SLOW = "notifications came faster than they were read: connect again"


@dataclass(frozen=True, slots=True)
class Notification:
    """One event. All clients get the same object, so that its text is made once for each form it is told in."""

    kind: JournalKind
    deployment_id: str
    deployment_short_id: str
    at: datetime
    data: Mapping[str, object]
    _texts: dict[Callable[[Notification], str], str] = field(default_factory=dict, repr=False, compare=False)

    def text(self, render: Callable[[Notification], str]) -> str:
        """What `render` makes of it."""
        text = self._texts.get(render)
        if text is None:
            text = self._texts[render] = render(self)
        return text


@dataclass(frozen=True, slots=True)
class NotificationStats:
    """A tenant's figures since the backend started. `failed` counts notifications that were lost with clients that
    read too slowly, `dropped` those clients. Webhook calls are those that the outbox remembers."""

    connections: int
    users: int
    sent: int
    failed: int
    dropped: int
    by_kind: Mapping[JournalKind, int]
    last_at: datetime | None
    webhooks_sent: int
    webhooks_failed: int
    at: datetime


@dataclass(slots=True)
class _Tally:
    sent: Counter[JournalKind] = field(default_factory=Counter)
    failed: int = 0
    dropped: int = 0
    last_at: datetime | None = None


class Listener:
    """One client: a context manager, and an iterator of notifications. Raises Lagged once it is dropped."""

    def __init__(self, service: NotificationService, who: Principal, limit: int) -> None:
        self.tenant_id = who.tenant_id
        self.user_id = who.user.id
        self._service = service
        self._limit = limit
        self._waiting: deque[Notification] = deque()
        self._wake = asyncio.Event()
        self._dropped = asyncio.Event()

    def __enter__(self) -> Listener:
        self._service._add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._service._remove(self)

    def offer(self, notification: Notification) -> int:
        """How many notifications were lost by this one: 0 unless the client is dropped for it."""
        if self._dropped.is_set():
            return 0
        if len(self._waiting) < self._limit:
            self._waiting.append(notification)
            self._wake.set()
            return 0
        lost = len(self._waiting) + 1
        self._waiting.clear()
        self._dropped.set()
        self._wake.set()
        return lost

    async def __aiter__(self) -> AsyncIterator[Notification]:
        while True:
            await self._wake.wait()
            if self._dropped.is_set():
                raise Lagged(_TOO_SLOW)
            if self._waiting:
                yield self._waiting.popleft()
            else:
                self._wake.clear()

    async def until_dropped(self) -> None:
        """Raises Lagged as soon as the client is dropped, also while it is being sent something it does not read."""
        await self._dropped.wait()
        raise Lagged(_TOO_SLOW)

    def sent(self, notification: Notification) -> None:
        """The client has it."""
        self._service._count(self.tenant_id, notification)


class NotificationService:
    """Fan-out of committed journal entries to clients, by tenant."""

    def __init__(
        self,
        database: Database,
        bus: EventBus,
        url_of: Callable[[str], str],
        *,
        limit: int = MAX_WAITING,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """`url_of` gives the address of an app by name; at most `limit` notifications wait for one client."""
        self._database = database
        self._url_of = url_of
        self._limit = limit
        self._clock = clock
        self._listeners: dict[str, set[Listener]] = {}
        self._tallies: dict[str, _Tally] = {}
        bus.on_publish(self._published)

    def listen(self, who: Principal) -> Listener:
        """A client of who's tenant, from the moment the result is entered on."""
        return Listener(self, who, self._limit)

    def test(self, who: Principal) -> tuple[Notification, int]:
        """Tell the caller's own clients of a deployment that never was; with how many those are."""
        status = DeploymentStatus.RUNNING.value
        notification = Notification(
            kind=JournalKind.STATUS_CHANGED,
            deployment_id=new_uuid(),
            deployment_short_id=new_short_id(Kind.DEPLOYMENT),
            at=self._clock(),
            data={"status": status, "previousStatus": status, "url": self._url_of(TEST_APP), "test": True},
        )
        own = [one for one in self._listeners.get(who.tenant_id, ()) if one.user_id == who.user.id]
        return notification, self._tell(who.tenant_id, own, notification)

    async def stats(self, who: Principal) -> NotificationStats:
        async with self._database.session() as session:
            webhooks = await outbox.counts(session, who.tenant_id, Channel.WEBHOOK)
        listeners = self._listeners.get(who.tenant_id, set())
        tally = self._tallies.get(who.tenant_id, _Tally())
        return NotificationStats(
            connections=len(listeners),
            users=len({listener.user_id for listener in listeners}),
            sent=tally.sent.total(),
            failed=tally.failed,
            dropped=tally.dropped,
            by_kind=dict(tally.sent),
            last_at=tally.last_at,
            webhooks_sent=webhooks.get(DeliveryStatus.DELIVERED, 0),
            webhooks_failed=webhooks.get(DeliveryStatus.FAILED, 0),
            at=self._clock(),
        )

    def _published(self, entry: JournalEntry) -> None:
        listeners = self._listeners.get(entry.tenant_id)
        if listeners and entry.kind in TOLD:
            notification = Notification(entry.kind, entry.object_id, entry.object_short_id, entry.at, entry.data)
            self._tell(entry.tenant_id, tuple(listeners), notification)

    def _tell(self, tenant_id: str, listeners: Iterable[Listener], notification: Notification) -> int:
        """How many clients will be sent it."""
        told = 0
        for listener in listeners:
            lost = listener.offer(notification)
            if lost:
                tally = self._tally(tenant_id)
                tally.failed += lost
                tally.dropped += 1
                self._remove(listener)
            else:
                told += 1
        return told

    def _tally(self, tenant_id: str) -> _Tally:
        return self._tallies.setdefault(tenant_id, _Tally())

    def _count(self, tenant_id: str, notification: Notification) -> None:
        tally = self._tally(tenant_id)
        tally.sent[notification.kind] += 1
        tally.last_at = self._clock()

    def _add(self, listener: Listener) -> None:
        self._listeners.setdefault(listener.tenant_id, set()).add(listener)

    def _remove(self, listener: Listener) -> None:
        """Also of one that is gone already: a client that was dropped leaves later."""
        listeners = self._listeners.get(listener.tenant_id)
        if listeners:
            listeners.discard(listener)
            if not listeners:
                del self._listeners[listener.tenant_id]
