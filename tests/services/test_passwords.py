"""Hashing with the real parameters."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from backend.domain.errors import TooMany
from backend.services.passwords import Passwords


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords()
    yield made
    made.close()


async def test_a_hash_verifies_its_password_only(passwords: Passwords) -> None:
    hashed = await passwords.hash("correct horse")
    assert hashed.startswith("$argon2id$")
    assert len(hashed) < 255
    assert hashed != await passwords.hash("correct horse")
    verdict = await passwords.verify(hashed, "correct horse")
    assert (verdict.right, verdict.outdated) == (True, False)
    assert not (await passwords.verify(hashed, "wrong horse")).right


@pytest.mark.parametrize("hashed", [None, "", "garbage", "$argon2id$v=19$m=8,t=1,p=1$bad"])
async def test_no_usable_hash_is_a_no(passwords: Passwords, hashed: str | None) -> None:
    assert not (await passwords.verify(hashed, "correct horse")).right


async def test_the_loop_goes_on_while_hashes_are_made(passwords: Passwords) -> None:
    hashing = asyncio.create_task(passwords.hash("correct horse"))
    turns = 0
    while not hashing.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10


async def test_a_flood_is_turned_away(quick_passwords: Passwords) -> None:
    outcomes = await asyncio.gather(*(quick_passwords.hash("x") for _ in range(100)), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, TooMany)]
    assert refused
    assert len(outcomes) - len(refused) == 64
    assert await quick_passwords.hash("x")
