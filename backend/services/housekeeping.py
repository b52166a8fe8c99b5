"""Forgetting what nobody asks for any more: old journal entries, and generations that are long superseded."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from backend.domain.errors import DomainError
from backend.services.journal import utc_now
from backend.storage import deployments, journal
from backend.storage.database import Database

log = logging.getLogger(__name__)

JOURNAL_AGE = timedelta(days=90)
KEPT_GENERATIONS = 20
INTERVAL_SECONDS = 6 * 3600.0
FIRST_SECONDS = 60.0


class Housekeeping:
    """A few times a day. What is desired or stable now is never forgotten, nor is a deployment's last entry."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="housekeeping")

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def clean(self) -> tuple[int, int]:
        """How many journal entries and generations went."""
        async with self._database.transaction() as session:
            entries = await journal.forget_before(session, self._clock() - JOURNAL_AGE)
            generations = await deployments.forget_generations(session, KEPT_GENERATIONS)
        return entries, generations

    async def _run(self) -> None:
        await asyncio.sleep(FIRST_SECONDS)
        while True:
            try:
                entries, generations = await self.clean()
            except DomainError as error:
                log.info("housekeeping put off: %s", error.message)
            else:
                if entries or generations:
                    log.info("forgot %d old journal entries and %d generations", entries, generations)
            await asyncio.sleep(INTERVAL_SECONDS)
