"""The outbox on a real database: order, retries, giving up, repeats, crashes and forgetting."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from backend.domain.outbox import Channel, Delivery, DeliveryFailed, DeliveryRefused
from backend.services.outbox import CLAIM_SECONDS, FINISHED_KEPT, JITTER, Lane, Outbox
from backend.services.secrets import SecretBox
from backend.storage.database import Database
from backend.storage.tables import OutboxRow
from tests.services.conftest import Clock
from tests.services.outbox_process import KEY
from tests.services.waiting import until

ROOT = Path(__file__).resolve().parents[2]
BOX = SecretBox(KEY)
LANES = {Channel.MAIL: Lane(1, (5.0, 300.0)), Channel.WEBHOOK: Lane(2, (5.0, 300.0))}


class Carrier:
    """Delivers by remembering; `faults` are raised first, one an attempt."""

    def __init__(self) -> None:
        self.seen: list[Delivery] = []
        self.faults: list[Exception] = []
        self.at_once = self.most_at_once = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, delivery: Delivery) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.gate.wait()
            await asyncio.sleep(0)
            self.seen.append(delivery)
            if self.faults:
                raise self.faults.pop(0)
        finally:
            self.at_once -= 1

    @property
    def numbers(self) -> list[int]:
        return [delivery.content["number"] for delivery in self.seen]


@asynccontextmanager
async def running(database: Database, clock: Clock, carrier: Carrier, box: SecretBox = BOX) -> AsyncIterator[Outbox]:
    outbox = Outbox(database, box, clock=clock, lanes=LANES)
    outbox.carry(Channel.WEBHOOK, carrier)
    await outbox.start()
    yield outbox
    await outbox.close()


def list_of(folder: Path) -> list[Path]:
    return list(folder.glob("pilothouse.db*"))


async def add(outbox: Outbox, database: Database, number: int, until: datetime | None = None, source: str = "") -> bool:
    async with database.transaction() as session:
        added = await outbox.add(
            session,
            Channel.WEBHOOK,
            tenant_id="tenant",
            recipient="http://receiver",
            source=source or f"test:{number:03d}",
            content={"number": number, "secret": "s3cret-word"},
            until=until,
        )
    outbox.wake()
    return added


async def stored(database: Database) -> list[OutboxRow]:
    async with database.session() as session:
        return list(await session.scalars(select(OutboxRow).order_by(OutboxRow.source)))  # type: ignore[arg-type]


async def until_status(database: Database, *statuses: str) -> list[OutboxRow]:
    async def reached() -> bool:
        return [row.status for row in await stored(database)] == list(statuses)

    await until(reached)
    return await stored(database)


async def until_reason(database: Database, part: str) -> OutboxRow:
    """Until the only row was tried and failed for this reason."""

    async def reached() -> bool:
        (row,) = await stored(database)
        return part in row.last_error

    await until(reached)
    return (await stored(database))[0]


async def test_what_is_added_is_delivered_once_and_its_content_forgotten(database: Database, clock: Clock) -> None:
    carrier = Carrier()
    async with running(database, clock, carrier) as outbox:
        assert await add(outbox, database, 1)
        (row,) = await until_status(database, "delivered")
    (delivery,) = carrier.seen
    assert (delivery.id, delivery.attempt, delivery.recipient) == (row.id, 1, "http://receiver")
    assert (row.sealed, row.finished_at, row.last_error) == (b"", clock.now, "")


async def test_content_is_sealed_until_then(database: Database, clock: Clock, tmp_path: Path) -> None:
    outbox = Outbox(database, BOX, clock=clock)
    await add(outbox, database, 1)
    (row,) = await stored(database)
    assert b"s3cret-word" not in row.sealed
    assert all(b"s3cret-word" not in file.read_bytes() for file in list_of(tmp_path))


async def test_the_same_source_is_stored_once(database: Database, clock: Clock) -> None:
    carrier = Carrier()
    async with running(database, clock, carrier) as outbox:
        assert await add(outbox, database, 1, source="same")
        assert not await add(outbox, database, 2, source="same")
        await until_status(database, "delivered")
        assert not await add(outbox, database, 3, source="same")
        assert await add(outbox, database, 4)
        await until_status(database, "delivered", "delivered")
    assert carrier.numbers == [1, 4]


async def test_nothing_goes_out_of_a_transaction_that_is_undone(database: Database, clock: Clock) -> None:
    carrier = Carrier()
    async with running(database, clock, carrier) as outbox:
        with pytest.raises(RuntimeError, match="undone"):
            async with database.transaction() as session:
                await outbox.add(
                    session, Channel.WEBHOOK, tenant_id="t", recipient="r", source="gone", content={"number": 1}
                )
                raise RuntimeError("undone")
        await add(outbox, database, 2)
        await until_status(database, "delivered")
    assert carrier.numbers == [2]


async def test_few_go_at_once_and_in_order(database: Database, clock: Clock) -> None:
    carrier = Carrier()
    outbox = Outbox(database, BOX, clock=clock, lanes=LANES)
    outbox.carry(Channel.WEBHOOK, carrier)
    for number in range(12):
        await add(outbox, database, number)
        clock.move(seconds=1)
    await outbox.start()
    await until_status(database, *["delivered"] * 12)
    await outbox.close()
    assert carrier.numbers == list(range(12))
    assert carrier.most_at_once == 2


async def test_a_lane_that_hangs_does_not_hold_up_another(database: Database, clock: Clock) -> None:
    hanging, mails = Carrier(), Carrier()
    hanging.gate.clear()
    outbox = Outbox(database, BOX, clock=clock, lanes=LANES)
    outbox.carry(Channel.WEBHOOK, hanging)
    outbox.carry(Channel.MAIL, mails)
    await outbox.start()
    for number in range(3):
        await add(outbox, database, number)
    async with database.transaction() as session:
        await outbox.add(session, Channel.MAIL, tenant_id="t", recipient="a@b", source="mail", content={"number": 9})
    outbox.wake()
    await until_status(database, "delivered", "pending", "pending", "pending")
    hanging.gate.set()
    await until_status(database, *["delivered"] * 4)
    await outbox.close()
    assert mails.numbers == [9]


async def test_failures_are_tried_again_ever_later_and_then_given_up(database: Database, clock: Clock) -> None:
    carrier = Carrier()
    carrier.faults = [DeliveryFailed("first"), ValueError("a bug"), DeliveryFailed("third")]
    async with running(database, clock, carrier) as outbox:
        await add(outbox, database, 1)
        for delay, reason in [(5.0, "first"), (300.0, "internal fault: ValueError")]:
            row = await until_reason(database, reason)
            assert row.status == "pending"
            wait = (row.next_attempt_at - clock.now).total_seconds()
            assert delay * (1 - JITTER) <= wait <= delay * (1 + JITTER)
            before = len(carrier.seen)
            clock.move(seconds=wait - 0.001)
            outbox.wake()
            await asyncio.sleep(0.05)
            assert len(carrier.seen) == before
            clock.move(seconds=0.001)
            outbox.wake()
        (row,) = await until_status(database, "failed")
    assert row.last_error == "given up after 3 attempts: third"
    assert (row.sealed, row.finished_at) == (b"", clock.now)
    assert len({delivery.id for delivery in carrier.seen}) == 1
    assert [delivery.attempt for delivery in carrier.seen] == [1, 2, 3]


async def test_a_failed_one_is_delivered_when_it_works_again(database: Database, clock: Clock) -> None:
    carrier = Carrier()
    carrier.faults = [DeliveryFailed("not now")]
    async with running(database, clock, carrier) as outbox:
        await add(outbox, database, 1)
        await until_reason(database, "not now")
        clock.move(seconds=10)
        outbox.wake()
        await until_status(database, "delivered")


@pytest.mark.parametrize(("wish", "seconds"), [(1000.0, 1000.0), (1.0, 4.0), (1e9, 36000.0)])
async def test_the_receivers_wish_counts_within_bounds(
    database: Database, clock: Clock, wish: float, seconds: float
) -> None:
    carrier = Carrier()
    carrier.faults = [DeliveryFailed("later", retry_after=wish)]
    async with running(database, clock, carrier) as outbox:
        await add(outbox, database, 1)
        row = await until_reason(database, "later")
    assert seconds <= (row.next_attempt_at - clock.now).total_seconds() <= max(seconds, 6.0)


async def test_what_is_refused_is_not_tried_again(database: Database, clock: Clock) -> None:
    carrier = Carrier()
    carrier.faults = [DeliveryRefused("never")]
    async with running(database, clock, carrier) as outbox:
        await add(outbox, database, 1)
        (row,) = await until_status(database, "failed")
    assert (row.attempts, row.last_error) == (1, "never")


async def test_what_would_come_too_late_is_not_sent(database: Database, clock: Clock) -> None:
    carrier = Carrier()
    carrier.faults = [DeliveryFailed("busy")]
    late = Outbox(database, BOX, clock=clock, lanes=LANES)
    await add(late, database, 1, until=clock.now + timedelta(seconds=60))
    clock.move(seconds=60)
    async with running(database, clock, carrier) as outbox:
        await add(outbox, database, 2, until=clock.now + timedelta(seconds=2))
        rows = await until_status(database, "failed", "failed")
    assert carrier.numbers == [2]
    assert all("too late" in row.last_error for row in rows)
    assert rows[1].last_error.endswith("busy")


async def test_what_another_key_sealed_fails_for_now(database: Database, clock: Clock) -> None:
    """A key that was mixed up may be put back."""
    carrier = Carrier()
    await add(Outbox(database, BOX, clock=clock), database, 1)
    async with running(database, clock, carrier, SecretBox(b"x" * 32)):
        await until_reason(database, "secret key")
    clock.move(seconds=10)
    async with running(database, clock, carrier):
        await until_status(database, "delivered")


async def test_a_killed_process_loses_nothing(database: Database, clock: Clock, tmp_path: Path) -> None:
    """One delivered, two on their way, the rest waiting when the power goes."""
    file = tmp_path / "pilothouse.db"
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(ROOT / "tests/services/outbox_process.py"), str(file), "12",
        stdout=asyncio.subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdout is not None
    begun = [(await process.stdout.readline()).decode().split() for _ in range(9)]
    assert [number for _, number in begun] == [str(number) for number in range(9)]
    process.kill()
    await process.wait()
    delivered_before = {row.source for row in await stored(database) if row.status == "delivered"}
    assert delivered_before <= {"test:000"}

    clock.now = max(row.next_attempt_at for row in await stored(database)) - timedelta(seconds=CLAIM_SECONDS / 2)
    carrier = Carrier()
    async with running(database, clock, carrier) as outbox:
        # What the dead process had not begun goes now; what it had, when its claim is over.
        await until(lambda: {9, 10, 11} <= set(carrier.numbers))
        clock.move(seconds=CLAIM_SECONDS)
        outbox.wake()
        await until_status(database, *["delivered"] * 12)
    first = {0} if not delivered_before else set()
    assert sorted(carrier.numbers) == sorted({*range(1, 12)} | first)


async def test_two_backends_share_the_work_without_doing_it_twice(database: Database, clock: Clock) -> None:
    first, second = Carrier(), Carrier()
    waiting = Outbox(database, BOX, clock=clock, lanes=LANES)
    for number in range(20):
        await add(waiting, database, number)
    async with running(database, clock, first), running(database, clock, second):
        await until_status(database, *["delivered"] * 20)
    assert sorted(first.numbers + second.numbers) == list(range(20))


async def test_finished_rows_are_forgotten_in_time(database: Database, clock: Clock) -> None:
    carrier = Carrier()
    carrier.faults = [DeliveryRefused("never")]
    async with running(database, clock, carrier) as outbox:
        await add(outbox, database, 1)
        await add(outbox, database, 2)
        await until_status(database, "failed", "delivered")
    idle = Outbox(database, BOX, clock=clock, lanes=LANES)
    await add(idle, database, 3)
    clock.move(seconds=FINISHED_KEPT.total_seconds() + 1)
    await idle.start()
    await until_status(database, "pending")
    await idle.close()


async def test_closing_lets_an_attempt_end(database: Database, clock: Clock) -> None:
    carrier = Carrier()
    carrier.gate.clear()
    async with running(database, clock, carrier) as outbox:
        await add(outbox, database, 1)
        await until(lambda: carrier.at_once == 1)
        asyncio.get_running_loop().call_later(0.1, carrier.gate.set)
    (row,) = await stored(database)
    assert row.status == "delivered"
