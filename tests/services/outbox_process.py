"""A process that begins to deliver and is killed in the middle: `python outbox_process.py <database> <count>`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from backend.domain.outbox import Channel, Delivery
from backend.services.outbox import Outbox
from backend.services.secrets import SecretBox
from backend.storage.database import Database

KEY = b"0123456789abcdef0123456789abcdef"


async def main(file: str, count: int) -> None:
    database = Database.at(Path(file))
    await database.start()
    outbox = Outbox(database, SecretBox(KEY))

    async def deliver(delivery: Delivery) -> None:
        number = delivery.content["number"]
        print(f"{'delivered' if number == 0 else 'began'} {number}", flush=True)
        if number > 0:
            await asyncio.sleep(3600)

    outbox.carry(Channel.WEBHOOK, deliver)
    async with database.transaction() as session:
        for number in range(count):
            await outbox.add(
                session,
                Channel.WEBHOOK,
                tenant_id="tenant",
                recipient="http://receiver",
                source=f"test:{number:03d}",
                content={"number": number},
            )
    await outbox.start()
    await asyncio.sleep(3600)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
