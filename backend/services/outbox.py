"""The outbox: what must reach the outside is stored with the change that causes it, and carried until it arrived.

Delivery is at least once. A row is claimed for longer than an attempt may take; whoever dies with it leaves it to be
claimed again. Nothing is polled: a lane sleeps until its next row is due, or until something is added.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from backend.domain.errors import DomainError
from backend.domain.ids import new_uuid
from backend.domain.outbox import Channel, Delivery, DeliveryFailed, DeliveryRefused, DeliveryStatus
from backend.services.journal import utc_now
from backend.services.secrets import SecretBox
from backend.storage import outbox as rows
from backend.storage.database import Database

log = logging.getLogger(__name__)

Deliver = Callable[[Delivery], Awaitable[None]]

ATTEMPT_SECONDS = 60.0
CLAIM_SECONDS = ATTEMPT_SECONDS + 30.0
FINISHED_KEPT = timedelta(days=30)
LONGEST_WISH_SECONDS = 10 * 3600.0  # a receiver's Retry-After counts up to this
JITTER = 0.2
MAX_REASON = 500

# Other backends on the same storage add rows without waking this one, and clocks are set: look at least this often.
_LONGEST_SLEEP_SECONDS = 300.0
_STORAGE_PAUSE_SECONDS = 5.0
_LAST_MOMENTS_SECONDS = 3.0
_MINUTE, _HOUR = 60.0, 3600.0


@dataclass(frozen=True, slots=True)
class Lane:
    """How one channel is worked off: at most `concurrency` at a time; `retries` are the seconds from one attempt to
    the next, and after as many it is given up."""

    concurrency: int
    retries: tuple[float, ...]


LANES: Mapping[Channel, Lane] = {
    Channel.MAIL: Lane(2, (10.0, _MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, _HOUR, 3 * _HOUR, 6 * _HOUR)),
    # As the Standard Webhooks specification suggests: a bit over a day in all.
    Channel.WEBHOOK: Lane(
        8, (5.0, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 10 * _HOUR)
    ),
}  # fmt: skip


class Outbox:
    """Add rows inside a transaction, `wake` once it is committed."""

    def __init__(
        self,
        database: Database,
        box: SecretBox,
        *,
        clock: Callable[[], datetime] = utc_now,
        lanes: Mapping[Channel, Lane] = LANES,
    ) -> None:
        self._database = database
        self._box = box
        self._clock = clock
        self._lanes = lanes
        self._woken = {channel: asyncio.Event() for channel in Channel}
        self._carriers: dict[Channel, Deliver] = {}
        self._attempts: dict[Channel, set[asyncio.Task[None]]] = {channel: set() for channel in Channel}
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = asyncio.Event()

    async def add(
        self,
        session: AsyncSession,
        channel: Channel,
        *,
        tenant_id: str,
        recipient: str,
        source: str,
        content: Mapping[str, Any],
        until: datetime | None = None,
    ) -> bool:
        """Store something to deliver, in the caller's transaction. `source` (at most 100 characters) names what it
        comes from: a second one of the same source is not stored, and the answer is False. It is not delivered
        after `until`."""
        sealed = self._box.seal({"content": dict(content), "until": until.isoformat() if until else None})
        return await rows.insert(
            session,
            delivery_id=new_uuid(),
            tenant_id=tenant_id,
            channel=channel,
            recipient=recipient,
            source=source,
            sealed=sealed,
            at=self._clock(),
        )

    def wake(self) -> None:
        """Something was added, and is committed."""
        for event in self._woken.values():
            event.set()

    def carry(self, channel: Channel, deliver: Deliver) -> None:
        """Who delivers for a channel, before `start`. Rows of a channel that nobody carries wait. `deliver` raises
        DeliveryFailed to be called again later, DeliveryRefused to give up."""
        self._carriers[channel] = deliver

    async def start(self) -> None:
        self._closing.clear()
        for channel in self._carriers:
            self._tasks.append(asyncio.create_task(self._work_off(channel), name=f"outbox-{channel.value}"))
        self._tasks.append(asyncio.create_task(self._forget_old(), name="outbox-forget"))

    async def close(self) -> None:
        """Nothing new begins. What is under way gets a moment to end, so that it is not done twice for nothing."""
        self._closing.set()
        self.wake()
        await _ended(self._tasks)
        self._tasks.clear()
        await _ended([task for tasks in self._attempts.values() for task in tasks])

    # --- working off

    async def _work_off(self, channel: Channel) -> None:
        woken = self._woken[channel]
        while not self._closing.is_set():
            woken.clear()
            try:
                pause = await self._begin_due(channel)
            except DomainError as error:
                log.warning("the outbox cannot be read: %s", error.message)
                pause = _STORAGE_PAUSE_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await woken.wait()

    async def _begin_due(self, channel: Channel) -> float:
        """Begin as many attempts as are due and allowed at once. Seconds until there is more to do."""
        under_way = self._attempts[channel]
        free = self._lanes[channel].concurrency - len(under_way)
        if free <= 0:
            return _LONGEST_SLEEP_SECONDS  # woken when one ends
        async with self._database.session() as session:
            due = await rows.next_due(session, channel)
        now = self._clock()
        if due is None or due > now:
            return min((due - now).total_seconds(), _LONGEST_SLEEP_SECONDS) if due else _LONGEST_SLEEP_SECONDS
        async with self._database.transaction() as session:
            claimed = await rows.claim(session, channel, now, now + timedelta(seconds=CLAIM_SECONDS), free)
        for one in claimed:
            task = asyncio.create_task(self._attempt(channel, one), name=f"deliver-{one.id}")
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            task.add_done_callback(lambda _: self._woken[channel].set())
        return 0.0 if len(claimed) < free else _LONGEST_SLEEP_SECONDS

    async def _attempt(self, channel: Channel, claimed: rows.Claimed) -> None:
        """One try, and what came of it written down."""
        until: datetime | None = None
        try:
            opened = self._box.open(claimed.sealed)
            until = datetime.fromisoformat(opened["until"]) if opened["until"] else None
            if until and self._clock() >= until:
                raise DeliveryRefused(_too_late(claimed))
            delivery = Delivery(
                claimed.id, channel, claimed.recipient, opened["content"], claimed.attempts, claimed.created_at
            )
            async with asyncio.timeout(ATTEMPT_SECONDS):
                await self._carriers[channel](delivery)
        except DeliveryFailed as error:
            await self._again_or_never(channel, claimed, error.message, until, error.retry_after)
        except TimeoutError:
            await self._again_or_never(channel, claimed, f"no end within {ATTEMPT_SECONDS:.0f} s", until)
        except DeliveryRefused as error:
            await self._conclude(channel, claimed, DeliveryStatus.FAILED, error.message)
        except DomainError as error:
            await self._again_or_never(channel, claimed, error.message, until)
        except Exception as error:
            log.exception("delivering %s %s failed unexpectedly", channel.value, claimed.id)
            await self._again_or_never(channel, claimed, f"internal fault: {type(error).__name__}", until)
        else:
            await self._conclude(channel, claimed, DeliveryStatus.DELIVERED, "")

    async def _again_or_never(
        self,
        channel: Channel,
        claimed: rows.Claimed,
        reason: str,
        until: datetime | None,
        retry_after: float | None = None,
    ) -> None:
        retries = self._lanes[channel].retries
        if claimed.attempts > len(retries):
            await self._conclude(
                channel, claimed, DeliveryStatus.FAILED, f"given up after {claimed.attempts} attempts: {reason}"
            )
            return
        delay = retries[claimed.attempts - 1] * random.uniform(1 - JITTER, 1 + JITTER)
        delay = max(delay, min(retry_after or 0.0, LONGEST_WISH_SECONDS))
        next_at = self._clock() + timedelta(seconds=delay)
        if until and next_at >= until:
            await self._conclude(channel, claimed, DeliveryStatus.FAILED, f"{_too_late(claimed)}: {reason}")
            return
        log.info("%s %s did not arrive (next try in %.0f s): %s", channel.value, claimed.id, delay, reason)
        await self._write(lambda session: rows.put_off(session, claimed, reason[:MAX_REASON], next_at))

    async def _conclude(self, channel: Channel, claimed: rows.Claimed, status: DeliveryStatus, reason: str) -> None:
        if status is DeliveryStatus.FAILED:
            log.warning("%s %s to %s failed for good: %s", channel.value, claimed.id, claimed.recipient, reason)
        now = self._clock()
        await self._write(lambda session: rows.finish(session, claimed, status, reason[:MAX_REASON], now))

    async def _write(self, change: Callable[[AsyncSession], Awaitable[None]]) -> None:
        """Where storage does not answer, the row comes back when its claim ends: once more rather than not at all."""
        try:
            async with self._database.transaction() as session:
                await change(session)
        except DomainError as error:
            log.warning("what became of a delivery cannot be stored: %s", error.message)

    async def _forget_old(self) -> None:
        while not self._closing.is_set():
            await self._write(lambda session: rows.forget_finished(session, self._clock() - FINISHED_KEPT))
            with suppress(TimeoutError):
                async with asyncio.timeout(timedelta(days=1).total_seconds()):
                    await self._closing.wait()


async def _ended(tasks: Collection[asyncio.Task[None]]) -> None:
    """By themselves, or cut off after a moment."""
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=_LAST_MOMENTS_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


def _too_late(claimed: rows.Claimed) -> str:
    return f"it would arrive too late to be of use, after {claimed.attempts} attempts"
