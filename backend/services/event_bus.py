"""Journal entries to whoever listens, with bounded queues: a slow listener is told so and never slows another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from types import TracebackType

from backend.domain.errors import DomainError
from backend.domain.journal import JournalEntry


class Lagged(DomainError):
    """The subscriber read too slowly and missed entries; it must start over."""


class Subscription:
    """Use as an async context manager, and iterate. Raises Lagged once after what was still queued."""

    def __init__(self, bus: EventBus, tenant_id: str | None, limit: int) -> None:
        self._bus = bus
        self.tenant_id = tenant_id
        self._queue: asyncio.Queue[JournalEntry] = asyncio.Queue(limit)
        self._lagged = False

    async def __aenter__(self) -> Subscription:
        self._bus._subscriptions.add(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bus._subscriptions.discard(self)

    def offer(self, entry: JournalEntry) -> None:
        if self._lagged:
            return
        try:
            self._queue.put_nowait(entry)
        except asyncio.QueueFull:
            self._lagged = True

    async def __aiter__(self) -> AsyncIterator[JournalEntry]:
        while True:
            if self._lagged and self._queue.empty():
                raise Lagged("events came faster than they were read: connect again")
            yield await self._queue.get()


class EventBus:
    """Fan-out of committed journal entries within this process."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()
        self._callbacks: list[Callable[[JournalEntry], None]] = []

    def on_publish(self, callback: Callable[[JournalEntry], None]) -> None:
        """Call back with every entry at once; the callback must neither wait nor raise."""
        self._callbacks.append(callback)

    def publish(self, entry: JournalEntry) -> None:
        """Offer an entry to every subscriber that may see it. Never waits."""
        for callback in self._callbacks:
            callback(entry)
        for subscription in tuple(self._subscriptions):
            if subscription.tenant_id is None or subscription.tenant_id == entry.tenant_id:
                subscription.offer(entry)

    def subscribe(self, *, tenant_id: str | None = None, limit: int = 1000) -> Subscription:
        """Entries of one tenant, or of all; at most `limit` wait unread."""
        return Subscription(self, tenant_id, limit)
