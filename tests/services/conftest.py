"""A started database in a file of its own, and accounts over it with a clock that the test turns."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from backend.services.accounts import AccountService
from backend.services.passwords import Passwords
from backend.storage.database import Database

JWT_SECRET = b"0123456789abcdef0123456789abcdef"


@dataclass
class Clock:
    """The time, standing still until it is moved."""

    now: datetime = datetime(2025, 6, 1, 12, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database.at(tmp_path / "pilothouse.db")
    await opened.start()
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def quick_passwords() -> Iterator[Passwords]:
    """Argon2id with the least work, for tests about something else."""
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    yield passwords
    passwords.close()


@pytest.fixture
def make_accounts(database: Database, clock: Clock, quick_passwords: Passwords) -> Callable[..., AccountService]:
    def make(**settings: object) -> AccountService:
        chosen = {"jwt_secret": JWT_SECRET, "registration": "open", "strict_login": False, **settings}
        return AccountService(database, clock=clock, passwords=quick_passwords, **chosen)  # type: ignore[arg-type]

    return make


@pytest.fixture
def accounts(make_accounts: Callable[..., AccountService]) -> AccountService:
    return make_accounts()
