"""Registration by invitation: for one address, once, for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import text

from backend.domain.accounts import GoogleIdentity, User
from backend.domain.errors import Conflict, Forbidden, Invalid, Unauthorized
from backend.services.accounts import AccountService
from backend.services.registration import Invitation
from backend.storage.database import Database
from tests.services.conftest import Clock

PASSWORD = "correct horse"


@pytest.fixture
def accounts(make_accounts: Callable[..., AccountService]) -> AccountService:
    return make_accounts(registration="invite")


async def invited(accounts: AccountService, email: str = "ada@example.com", days: int = 7) -> Invitation:
    return await accounts.registration.invite(email, days)


async def register(accounts: AccountService, code: str, name: str = "ada", email: str = "ada@example.com") -> User:
    return await accounts.register(name, email, PASSWORD, invitation=code)


async def test_an_invitation_lets_its_address_in_once(accounts: AccountService) -> None:
    invitation = await invited(accounts)
    made = await register(accounts, invitation.code, email="Ada@Example.com")
    assert (made.username, made.role.value) == ("ada", "user")
    with pytest.raises(Forbidden, match="used, has expired"):
        await register(accounts, invitation.code, "other", "ada@example.com")


async def test_all_three_ways_to_register_take_it(accounts: AccountService) -> None:
    for name, enter in (
        ("ann", lambda code: accounts.register("ann", "ann@example.com", PASSWORD, invitation=code)),
        ("ben", lambda code: accounts.sign_up("ben", "ben@example.com", PASSWORD, invitation=code)),
        ("cat", lambda code: accounts.register_to_verify("cat", "cat@example.com", PASSWORD, None, invitation=code)),
    ):
        for wrong in ("", "ce_invite_0"):
            with pytest.raises(Forbidden):
                await enter(wrong)
        await enter((await invited(accounts, f"{name}@example.com")).code)
        assert (await accounts.login(f"{name}@example.com", PASSWORD)).user.username == name


async def test_it_is_for_one_address_and_the_uninvited_learn_of_no_names(accounts: AccountService) -> None:
    await register(accounts, (await invited(accounts)).code)
    invitation = await invited(accounts, "ben@example.com")
    for name, email in (("eve", "eve@example.com"), ("ada", "ada@example.com")):
        with pytest.raises(Forbidden, match="not good for this address"):
            await register(accounts, invitation.code, name, email)
    # A name that is taken does not use it up.
    with pytest.raises(Conflict, match="already taken"):
        await register(accounts, invitation.code, "ada", "ben@example.com")
    await register(accounts, invitation.code, "ben", "ben@example.com")


async def test_it_expires_and_a_newer_one_ends_it(accounts: AccountService, clock: Clock) -> None:
    first = await invited(accounts)
    second = await invited(accounts, days=2)
    with pytest.raises(Forbidden):
        await register(accounts, first.code)
    clock.move(days=2)
    with pytest.raises(Forbidden, match="expired"):
        await register(accounts, second.code)
    await register(accounts, (await invited(accounts)).code)


async def test_of_many_who_use_one_at_once_one_gets_in(accounts: AccountService) -> None:
    code = (await invited(accounts)).code
    tries = [register(accounts, code, f"ada{number}") for number in range(8)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(outcome, User) for outcome in outcomes) == 1
    assert {type(outcome) for outcome in outcomes} <= {User, Forbidden, Conflict}


async def test_only_its_hash_is_kept(accounts: AccountService, database: Database) -> None:
    invitation = await invited(accounts)
    async with database.session() as session:
        (row,) = (await session.execute(text("SELECT * FROM invitations"))).all()
    assert invitation.code not in str(row)


async def test_old_ones_are_forgotten(accounts: AccountService, database: Database, clock: Clock) -> None:
    await invited(accounts, "ann@example.com")
    clock.move(days=60)
    await invited(accounts, "ben@example.com")
    async with database.session() as session:
        assert (await session.execute(text("SELECT email_key FROM invitations"))).scalars().all() == ["ben@example.com"]


async def test_what_cannot_be_invited_is_said(accounts: AccountService) -> None:
    with pytest.raises(Invalid, match="not a valid address"):
        await invited(accounts, "nobody")
    for days in (0, 91):
        with pytest.raises(Invalid, match="from 1 to 90"):
            await invited(accounts, days=days)
    await accounts.create_admin("root", "root@example.com", PASSWORD)
    with pytest.raises(Conflict, match="already registered"):
        await invited(accounts, "root@example.com")


async def test_a_closed_platform_lets_no_invitation_in_and_an_open_one_needs_none(
    make_accounts: Callable[..., AccountService],
) -> None:
    closed, open_to_all = make_accounts(registration="closed"), make_accounts()
    code = (await invited(closed)).code
    with pytest.raises(Forbidden, match="closed"):
        await register(closed, code)
    await register(open_to_all, "")


class OnePerson:
    """Any token speaks of her."""

    async def read(self, token: str) -> GoogleIdentity:
        if token != "hers":
            raise Unauthorized("does not hold")
        return GoogleIdentity("subject", "ada@example.com", "Ada", None)


async def test_whose_address_google_proves_needs_no_code(make_accounts: Callable[..., AccountService]) -> None:
    accounts = make_accounts(registration="invite", google=OnePerson())
    with pytest.raises(Forbidden, match="nobody has invited 'ada@"):
        await accounts.login_with_google("hers")
    code = (await invited(accounts)).code
    assert (await accounts.login_with_google("hers")).user.email == "ada@example.com"
    with pytest.raises(Forbidden):
        await register(accounts, code, "second")
