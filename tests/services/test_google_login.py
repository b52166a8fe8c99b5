"""Login with Google: accounts that are made, found and linked, and whose may not be taken over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from backend.domain.accounts import GoogleIdentity
from backend.domain.errors import Conflict, Forbidden, Unauthorized, Unavailable
from backend.services.accounts import AccountService
from backend.storage import account_details
from backend.storage.database import Database

GRACE = GoogleIdentity("subject-1", "grace@example.com", "Grace Hopper", "https://example.com/grace.png")
PASSWORD = "correct horse"


class Tokens:
    """Tokens whose verification is told elsewhere: a name stands for whom a token speaks of."""

    def __init__(self) -> None:
        self.people = {"grace": GRACE}

    async def read(self, token: str) -> GoogleIdentity:
        try:
            return self.people[token]
        except KeyError:
            raise Unauthorized("does not hold") from None


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
def accounts(make_accounts: Callable[..., AccountService], tokens: Tokens) -> AccountService:
    return make_accounts(google=tokens)


async def _verify(database: Database, user_id: str) -> None:
    async with database.transaction() as session:
        await account_details.set_verified(session, user_id, True)


async def test_the_first_login_makes_the_account(accounts: AccountService, tokens: Tokens) -> None:
    first = await accounts.login_with_google("grace")
    account = await accounts.account(await accounts.authenticate(first.access_token))
    assert (account.user.username, account.user.email) == ("grace", "grace@example.com")
    details = account.details
    assert (details.full_name, details.avatar_url, details.is_verified) == (
        "Grace Hopper",
        "https://example.com/grace.png",
        True,
    )
    assert first.refresh_token
    tokens.people["grace"] = replace(GRACE, email="hopper@example.com")
    second = await accounts.login_with_google("grace")
    assert second.user.id == first.user.id, "Google's id counts, not the address"
    with pytest.raises(Unauthorized):
        await accounts.login("grace@example.com", "")
    with pytest.raises(Unauthorized):
        await accounts.login_with_google("nobody")


async def test_names_that_are_taken_or_none(accounts: AccountService, tokens: Tokens) -> None:
    await accounts.register("grace", "other@example.com", PASSWORD)
    made = await accounts.login_with_google("grace")
    assert made.user.username.startswith("grace-")
    tokens.people["short"] = replace(GRACE, subject="subject-2", email="é@example.com")
    assert (await accounts.login_with_google("short")).user.username.startswith("user")
    tokens.people["long"] = replace(GRACE, subject="subject-3", email=f"{'x' * 64}@example.com")
    assert len((await accounts.login_with_google("long")).user.username) <= 50


async def test_an_account_whose_address_is_verified_is_linked(accounts: AccountService, database: Database) -> None:
    user = await accounts.register("ghopper", "Grace@example.com", PASSWORD)
    await _verify(database, user.id)
    assert (await accounts.login_with_google("grace")).user.id == user.id
    assert (await accounts.login("grace@example.com", PASSWORD)).user.id == user.id, "the password stays"


async def test_an_account_whose_address_is_not_verified_is_not_taken(accounts: AccountService) -> None:
    """Who registered somebody else's address in advance would share the account with its owner."""
    await accounts.register("mallory", "grace@example.com", PASSWORD)
    with pytest.raises(Conflict, match="never verified"):
        await accounts.login_with_google("grace")


async def test_another_google_account_with_the_address_is_refused(accounts: AccountService, tokens: Tokens) -> None:
    await accounts.login_with_google("grace")
    tokens.people["other"] = replace(GRACE, subject="subject-2")
    with pytest.raises(Conflict, match="another Google account"):
        await accounts.login_with_google("other")


async def test_another_address_is_not_verified_any_more(accounts: AccountService) -> None:
    pair = await accounts.login_with_google("grace")
    who = await accounts.authenticate(pair.access_token)
    await accounts.update_profile(who, email="new@example.com")
    assert (await accounts.account(who)).details.is_verified is False


async def test_who_may_not_enter(
    make_accounts: Callable[..., AccountService], accounts: AccountService, tokens: Tokens
) -> None:
    closed = make_accounts(google=tokens, registration="closed")
    with pytest.raises(Forbidden):
        await closed.login_with_google("grace")
    await accounts.login_with_google("grace")
    assert (await closed.login_with_google("grace")).user.email == "grace@example.com", "known ones may"
    await accounts.set_active("grace@example.com", False)
    with pytest.raises(Unauthorized):
        await accounts.login_with_google("grace")
    tokens.people["odd"] = replace(GRACE, subject="s", email="no address")
    with pytest.raises(Unauthorized):
        await accounts.login_with_google("odd")
    with pytest.raises(Unavailable, match="google_client_id"):
        await make_accounts().login_with_google("grace")
