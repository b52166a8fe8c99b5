"""The lease under which one backend works on one object, kept alive while it is held."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from backend.domain.errors import DomainError
from backend.services.journal import utc_now
from backend.storage import leases
from backend.storage.database import Database

log = logging.getLogger(__name__)


class LeaseLost(DomainError):
    """Another backend reconciles this object now."""


class ObjectLease:
    """One object's. `holder` names this backend and stays the same over restarts on one data folder."""

    def __init__(self, database: Database, object_id: str, holder: str, duration: timedelta) -> None:
        self._database = database
        self._object_id = object_id
        self._holder = holder
        self._duration = duration
        self._fence: int | None = None
        self._renewal: asyncio.Task[None] | None = None

    async def hold(self, tenant_id: str) -> None:
        """Take the lease unless it is held. Raises LeaseLost while another backend's runs."""
        if self._fence is not None:
            return
        async with self._database.transaction() as session:
            fence = await leases.acquire(session, self._object_id, tenant_id, self._holder, utc_now(), self._duration)
        if fence is None:
            raise LeaseLost("another backend works on this")
        self._fence = fence
        self._renewal = asyncio.create_task(self._renew(fence), name=f"lease-{self._object_id}")

    async def check(self, session: AsyncSession) -> None:
        """Ask it in the transaction of each write. Raises LeaseLost where somebody took it since."""
        if self._fence is not None and not await leases.still_held(session, self._object_id, self._fence):
            self.let_go()
            raise LeaseLost("another backend took over")

    async def release(self, session: AsyncSession, now: datetime) -> None:
        """Give it back with the transaction; call `let_go` once that is durable."""
        if self._fence is not None:
            await leases.release(session, self._object_id, self._fence, now)

    async def rest(self) -> None:
        """Give it back: nothing is left to do for now."""
        if self._fence is not None:
            fence = self._fence
            self.let_go()
            async with self._database.transaction() as session:
                await leases.release(session, self._object_id, fence, utc_now())

    def let_go(self) -> None:
        """Hold it no longer; it runs out by itself."""
        self._fence = None
        if self._renewal:
            self._renewal.cancel()
            self._renewal = None

    async def _renew(self, fence: int) -> None:
        while True:
            await asyncio.sleep(self._duration.total_seconds() / 3)
            try:
                async with self._database.transaction() as session:
                    held = await leases.renew(session, self._object_id, fence, utc_now() + self._duration)
            except DomainError as error:
                # Where it runs out meanwhile and somebody takes it, the fence tells at the next write.
                log.warning("the lease of %s is not renewed: %s", self._object_id, error.message)
                continue
            if not held:
                self._fence = None
                return
