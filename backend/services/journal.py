"""Writing the journal: entries share the transaction of the change they tell of, and go out once it is durable."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from backend.domain.journal import JournalEntry, JournalKind
from backend.services.event_bus import EventBus
from backend.storage import journal as journal_queries
from backend.storage.database import Database

SYSTEM = "system"


def utc_now() -> datetime:
    return datetime.now(UTC)


class Journaled(Protocol):
    """What the journal can tell of: a deployment, an environment."""

    @property
    def id(self) -> str: ...

    @property
    def short_id(self) -> str: ...

    @property
    def tenant_id(self) -> str: ...

    @property
    def generation(self) -> int: ...


class JournalTransaction:
    """An open transaction that also takes journal entries."""

    def __init__(self, session: AsyncSession, now: datetime) -> None:
        self.session = session
        self.now = now
        self.entries: list[JournalEntry] = []

    async def record(
        self,
        subject: Journaled,
        kind: JournalKind,
        message: str,
        *,
        actor: str = SYSTEM,
        generation: int | None = None,
        data: Mapping[str, object] | None = None,
    ) -> None:
        self.entries.append(
            await journal_queries.append(
                self.session,
                tenant_id=subject.tenant_id,
                object_id=subject.id,
                object_short_id=subject.short_id,
                generation=subject.generation if generation is None else generation,
                kind=kind,
                actor=actor,
                message=message,
                data=data or {},
                at=self.now,
            )
        )


class Journal:
    """The only way to change what the journal tells of."""

    def __init__(self, database: Database, bus: EventBus, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[JournalTransaction]:
        """Commits at the end, then publishes; on an error neither happens."""
        async with self._database.transaction() as session:
            transaction = JournalTransaction(session, self._clock())
            yield transaction
        for entry in transaction.entries:
            self._bus.publish(entry)
