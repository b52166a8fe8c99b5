"""Webhooks: from the journal into the outbox, and from there to the one address that is set.

How far the journal was read is stored with the rows that came of it, so that no entry is told twice or not at all.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy.ext.asyncio import AsyncSession

from backend.domain.errors import DomainError
from backend.domain.outbox import Channel, Delivery, DeliveryRefused, TargetGone, WebhookCaller
from backend.services.event_bus import EventBus, Lagged
from backend.services.journal import utc_now
from backend.services.outbox import Outbox
from backend.services.webhook_events import KINDS, payload_of
from backend.storage import journal
from backend.storage import webhooks as queries
from backend.storage.database import Database

log = logging.getLogger(__name__)

CURSOR = "webhooks"
# Entries that one transaction takes on: others wait for it.
_BATCH = 20
_STORAGE_PAUSE_SECONDS = 5.0


class Webhooks:
    """One target for all deployments of the installation. Without a URL nothing is told, nor later made up for.

    A target that answered 410 Gone stays disabled, and what happens meanwhile is not told, until another URL is set
    or `enable` is called.
    """

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        events: EventBus,
        caller: WebhookCaller,
        url: str,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """`url` is http or https, or empty."""
        self._database = database
        self._outbox = outbox
        self._events = events
        self._caller = caller
        self._url = url
        self._clock = clock
        self._target = target_of(url)
        self._read_to = 0
        self._reading = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        outbox.carry(Channel.WEBHOOK, self._deliver)

    async def start(self) -> None:
        async with self._database.transaction() as session:
            await queries.forget_targets(session, but=self._target)
            if not self._url:
                await queries.forget_cursor(session, CURSOR)
                return
            if await queries.cursor(session, CURSOR) is None:
                await queries.set_cursor(session, CURSOR, await journal.newest_sequence(session))
            disabled = await queries.disabled(session, self._target)
        if disabled:
            log.warning(
                "webhooks to %s are disabled since %s: %s",
                origin_of(self._url), f"{disabled.disabled_at:%Y-%m-%d %H:%M}", disabled.reason,
            )  # fmt: skip
        for work in (self._tell_of_refusal(), self._read()):
            self._tasks.append(asyncio.create_task(work, name="webhooks"))

    async def close(self) -> None:
        # Not in the middle of a transaction, which would cost the connection.
        async with self._reading:
            for task in self._tasks:
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def enable(self) -> bool:
        """Call a disabled target again. False where it was not disabled."""
        async with self._database.transaction() as session:
            disabled = await queries.disabled(session, self._target)
            await queries.forget_targets(session, but="")
        return disabled is not None

    # --- in

    async def _read(self) -> None:
        while True:
            try:
                # Subscribed before looking, so that nothing falls between the two.
                async with self._events.subscribe() as subscription:
                    await self._catch_up()
                    async for entry in subscription:
                        if entry.kind in KINDS and entry.sequence > self._read_to:
                            await self._catch_up()
            except Lagged:
                continue  # what was missed is in storage
            except DomainError as error:
                log.warning("the journal cannot be read for webhooks: %s", error.message)
                await asyncio.sleep(_STORAGE_PAUSE_SECONDS)

    async def _catch_up(self) -> None:
        """Everything in the journal that was not told yet."""
        async with self._reading:
            while await self._catch_up_some():
                self._outbox.wake()

    async def _catch_up_some(self) -> bool:
        """False where there was nothing more to read."""
        async with self._database.session() as session:
            position = await queries.cursor(session, CURSOR) or 0
            waiting = await journal.after(session, position, KINDS, limit=1)
        self._read_to = max(self._read_to, position)
        if not waiting:
            return False
        async with self._database.transaction() as session:
            self._read_to = await self._take(session)
        return True

    async def _take(self, session: AsyncSession) -> int:
        """The next entries into the outbox. How far the journal is read then."""
        position = await queries.cursor(session, CURSOR) or 0
        disabled = await queries.disabled(session, self._target)
        for entry in await journal.after(session, position, KINDS, limit=_BATCH):
            position = entry.sequence
            payload = None if disabled else await payload_of(session, entry)
            if payload is not None:
                await self._outbox.add(
                    session,
                    Channel.WEBHOOK,
                    tenant_id=entry.tenant_id,
                    recipient=origin_of(self._url),
                    # Padded, so that what is due at the same moment goes out in the order of the journal.
                    source=f"journal:{entry.sequence:019d}",
                    content={"body": json.dumps(payload, ensure_ascii=False)},
                )
        await queries.set_cursor(session, CURSOR, position)
        return position

    # --- out

    async def _deliver(self, delivery: Delivery) -> None:
        if not self._url:
            raise DeliveryRefused("no webhook is set any more")
        async with self._database.session() as session:
            disabled = await queries.disabled(session, self._target)
        if disabled:
            raise DeliveryRefused(f"the target is disabled: {disabled.reason}")
        try:
            await self._caller.post(self._url, delivery.id, delivery.content["body"].encode())
        except TargetGone as error:
            log.warning("webhooks to %s are disabled from now on: %s", origin_of(self._url), error.message)
            async with self._database.transaction() as session:
                await queries.disable(session, self._target, self._clock(), error.message)
            raise

    async def _tell_of_refusal(self) -> None:
        why = await self._caller.refusal(self._url)
        if why:
            log.warning("webhooks to %s will all fail: %s", origin_of(self._url), why)


def origin_of(url: str) -> str:
    """Scheme and host, for people to read: the rest of a webhook's address is often a secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def target_of(url: str) -> str:
    """A name for an address that tells addresses apart without giving them away."""
    return f"{origin_of(url)} sha256:{hashlib.sha256(url.encode()).hexdigest()[:32]}"
