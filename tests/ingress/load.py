"""Requests to an ingress, again and again, while something happens to it."""

from __future__ import annotations

import asyncio
from collections import Counter

import httpx

from tests.ingress.ingress_site import Site, eventually


class Load:
    """Clients that ask the whole time, with kept connections and without, by GET and by POST."""

    def __init__(self, site: Site, host: str, clients: int = 6) -> None:
        self._url = f"http://127.0.0.1:{site.port}/"
        self._host = host
        self._clients = clients
        self._done = asyncio.Event()
        self.outcomes: Counter[str] = Counter()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Load:
        self._tasks = [asyncio.create_task(self._ask(number)) for number in range(self._clients)]
        await self.answered(self._clients)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._done.set()
        await asyncio.gather(*self._tasks)

    async def answered(self, more: int) -> None:
        """Wait for that many more answers."""
        until = self.outcomes.total() + more

        async def reached() -> bool:
            return self.outcomes.total() >= until

        await eventually(reached)

    async def _ask(self, number: int) -> None:
        kept = None if number % 3 else httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(timeout=20, limits=kept or httpx.Limits()) as client:
            while not self._done.is_set():
                try:
                    if number % 2:
                        answer = await client.post(self._url, headers={"Host": self._host}, content=b"x" * 100)
                    else:
                        answer = await client.get(self._url, headers={"Host": self._host})
                    self.outcomes[str(answer.status_code)] += 1
                except httpx.HTTPError as error:
                    self.outcomes[repr(error)] += 1
