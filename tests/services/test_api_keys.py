"""Making, listing, using and revoking API keys."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from backend.domain.accounts import CredentialKind, Principal
from backend.domain.errors import Forbidden, Invalid, NotFound, Unauthorized
from backend.domain.paging import PageRequest
from backend.services.accounts import AccountService


async def principal(accounts: AccountService, name: str) -> Principal:
    await accounts.register(name, f"{name}@example.com", "correct horse")
    return await accounts.authenticate((await accounts.login(f"{name}@example.com", "correct horse")).access_token)


@pytest.fixture
async def alice(accounts: AccountService) -> Principal:
    return await principal(accounts, "alice")


async def only_key(accounts: AccountService, who: Principal) -> Any:
    return (await accounts.api_keys(who, PageRequest())).items[0]


async def test_a_key_is_shown_once_and_works(accounts: AccountService, alice: Principal, clock: Any) -> None:
    made = await accounts.create_api_key(alice, " CI robot ", "deploys", clock() + timedelta(days=1))
    assert made.secret.startswith("ce_api_")
    assert len(made.secret) == len("ce_api_") + 64
    assert (made.key.name, made.key.description, made.key.last_used) == ("CI robot", "deploys", None)
    assert made.key.short_id.startswith("key-")
    who = await accounts.authenticate(made.secret)
    assert (who.user, who.credential, who.api_key_id) == (
        (await accounts.profile(alice)).user,
        CredentialKind.API_KEY,
        made.key.id,
    )
    assert (await accounts.create_api_key(alice, "pocket", prefix="ce_dev_")).secret.startswith("ce_dev_")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"description": "x" * 501}, "description"),
        ({"description": "\0"}, "description"),
        ({"expires_at": datetime(2025, 6, 1, 12, tzinfo=UTC)}, "expires_at"),
        ({"expires_at": datetime(2025, 6, 1, 11, 59)}, "expires_at"),
        ({"expires_at": datetime(2025, 6, 1, 13, tzinfo=timezone(timedelta(hours=2)))}, "expires_at"),
        ({"expires_at": datetime(9999, 12, 31, 23, tzinfo=timezone(-timedelta(hours=12)))}, "expires_at"),
        ({"prefix": "sk_"}, "prefix"),
    ],
)
async def test_each_fault_names_its_field(
    accounts: AccountService, alice: Principal, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        await accounts.create_api_key(alice, **{"name": "robot", **values})
    assert [fault.field for fault in caught.value.fields] == [field]
    assert (await accounts.api_keys(alice, PageRequest())).total == 0


async def test_a_key_cannot_make_keys_but_may_look(accounts: AccountService, alice: Principal) -> None:
    robot = await accounts.authenticate((await accounts.create_api_key(alice, "robot")).secret)
    with pytest.raises(Forbidden, match="log in"):
        await accounts.create_api_key(robot, "offspring")
    assert (await accounts.api_keys(robot, PageRequest())).total == 1
    assert (await accounts.profile(robot)).user.username == "alice"


async def test_pages_are_newest_first_and_ones_own(accounts: AccountService, alice: Principal, clock: Any) -> None:
    bob = await principal(accounts, "bob")
    await accounts.create_api_key(bob, "bob's")
    for number in range(5):
        clock.move(seconds=1)
        await accounts.create_api_key(alice, f"key {number}")
    page = await accounts.api_keys(alice, PageRequest(2, 2))
    assert [key.name for key in page.items] == ["key 2", "key 1"]
    assert (page.total, page.total_pages) == (5, 3)
    assert not (await accounts.api_keys(alice, PageRequest(10**9, 100))).items


@pytest.mark.parametrize("form", ["id", "short_id"])
async def test_a_revoked_key_stops_at_once(accounts: AccountService, alice: Principal, form: str) -> None:
    made = await accounts.create_api_key(alice, "robot")
    await accounts.authenticate(made.secret)
    await accounts.revoke_api_key(alice, getattr(made.key, form))
    with pytest.raises(Unauthorized, match="revoked"):
        await accounts.authenticate(made.secret)
    with pytest.raises(NotFound):
        await accounts.revoke_api_key(alice, getattr(made.key, form))


async def test_the_key_of_another_is_not_found(accounts: AccountService, alice: Principal) -> None:
    made = await accounts.create_api_key(alice, "robot")
    bob = await principal(accounts, "bob")
    for reference in (made.key.id, made.key.short_id, "key-nothing000", "", "\ud800", "a\0b", "'; --", "x" * 100):
        with pytest.raises(NotFound):
            await accounts.revoke_api_key(bob, reference)
    await accounts.authenticate(made.secret)


async def test_a_key_expires(accounts: AccountService, alice: Principal, clock: Any) -> None:
    made = await accounts.create_api_key(alice, "robot", expires_at=clock() + timedelta(minutes=5))
    await accounts.authenticate(made.secret)
    clock.move(minutes=5)
    with pytest.raises(Unauthorized, match="expired"):
        await accounts.authenticate(made.secret)


async def test_the_last_use_is_noted_at_most_once_a_minute(
    accounts: AccountService, alice: Principal, clock: Any
) -> None:
    made = await accounts.create_api_key(alice, "robot")
    first = clock()
    await asyncio.gather(*(accounts.authenticate(made.secret) for _ in range(20)))
    assert (await only_key(accounts, alice)).last_used == first
    clock.move(seconds=59)
    await accounts.authenticate(made.secret)
    assert (await only_key(accounts, alice)).last_used == first
    clock.move(seconds=1)
    await accounts.authenticate(made.secret)
    assert (await only_key(accounts, alice)).last_used == clock()
