"""Which environments changed, for whoever shows them: their state, progress, installation or container."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from backend.services.replicas import ChangeFeed


class EnvironmentChanges:
    def __init__(self) -> None:
        self._feeds: set[ChangeFeed] = set()

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[ChangeFeed]:
        """A feed of ids (uuids) of environments of all tenants; each once, however often it changed meanwhile."""
        feed = ChangeFeed()
        self._feeds.add(feed)
        try:
            yield feed
        finally:
            self._feeds.discard(feed)

    def notify(self, environment_id: str) -> None:
        for feed in self._feeds:
            feed.add(environment_id)
