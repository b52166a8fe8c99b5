"""A client that reads nothing, when its credential ends."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from backend.domain.errors import Unauthorized
from backend.surfaces import sockets
from backend.surfaces.devpocket.sockets import run


class _Blocked:
    """The transport's buffer is full, so a send waits."""

    closed: list[tuple[int, str]]

    def __init__(self) -> None:
        self.closed = []

    async def send(self, _: object) -> None:
        await asyncio.Event().wait()

    async def close(self, code: int, reason: str) -> None:
        self.closed.append((code, reason))


class _Accounts:
    revocations = SimpleNamespace(notice=lambda _: asyncio.Event())

    async def authenticate(self, _: str) -> None:
        raise Unauthorized("the access token has expired")


async def test_it_can_type_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "LAST_WORDS_SECONDS", 0.3)
    taken = 0

    async def take_input() -> None:
        nonlocal taken
        while True:
            await asyncio.sleep(0.01)
            taken += 1

    socket: Any = _Blocked()
    services: Any = SimpleNamespace(accounts=_Accounts())
    who: Any = SimpleNamespace(user=SimpleNamespace(id="u"), expires_at=None, session_id="s")
    async with asyncio.timeout(20):
        await run(socket, services, who, "token", take_input())
    assert taken == 0
    assert socket.closed == [(1008, "the access token has expired")]
