"""How often the ingress is asked and loaded while many deployments change at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from backend.domain.ingress import Route
from backend.services.reconciler.routing import RouteBook

REPLICAS = 20


class CountingIngress:
    """Takes a moment for each load, as a real one does, and counts."""

    def __init__(self) -> None:
        self.loads: list[Sequence[Route]] = []
        self.looks = 0
        self.busy: dict[str, int] = {}

    async def apply(self, routes: Sequence[Route]) -> None:
        await asyncio.sleep(0.01)
        self.loads.append(routes)

    async def in_flight(self) -> dict[str, int]:
        self.looks += 1
        found = dict(self.busy)
        await asyncio.sleep(0.01)
        return found


async def opened() -> tuple[RouteBook, CountingIngress]:
    ingress = CountingIngress()
    book = RouteBook(ingress, drain_seconds=5.0)  # type: ignore[arg-type]
    await book.open()
    return book, ingress


async def test_changes_that_come_while_the_ingress_rests_are_one_load() -> None:
    book, ingress = await opened()

    async def change(number: int) -> None:
        await asyncio.sleep(0.001 * number)
        book.set(f"app-{number}", [f"app-{number}.localhost"], ["10.0.0.1:80"], "")
        await book.flush()
        assert f"app-{number}" in {route.id for route in ingress.loads[-1]}

    await asyncio.gather(*(change(number) for number in range(REPLICAS)))
    assert len(ingress.loads) < REPLICAS / 2


async def test_those_who_drain_share_looks() -> None:
    book, ingress = await opened()
    await asyncio.gather(*(book.drained(f"10.0.0.{number}:80") for number in range(REPLICAS)))
    assert ingress.looks <= 2


async def test_a_drain_begun_during_a_look_waits_for_the_next() -> None:
    book, ingress = await opened()
    first = asyncio.create_task(book.drained("10.0.0.1:80"))
    await asyncio.sleep(0.005)
    ingress.busy = {"10.0.0.2:80": 1}
    second = asyncio.create_task(book.drained("10.0.0.2:80"))
    await first
    await asyncio.sleep(0.03)
    assert not second.done()
    ingress.busy = {}
    await second
