"""Whether an address is its user's: tokens by mail, once, in time, and for that address alone."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from datetime import datetime

import pytest

from backend.domain.accounts import Principal
from backend.domain.errors import Conflict, Invalid, TooMany, Unavailable
from backend.domain.outbox import Mail
from backend.services.accounts import AccountService
from backend.services.mail import Mails
from backend.services.outbox import Outbox
from backend.services.secrets import SecretBox
from backend.storage.database import Database
from tests.services.conftest import Clock

PASSWORD, EMAIL = "correct horse", "alice@example.com"
TOKEN = re.compile(r"ce_verify_[0-9a-f]{64}")


class Postbox:
    """Takes mails, in order."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.came = asyncio.Condition()

    async def send(self, mail: Mail, message_id: str, written_at: datetime) -> None:
        async with self.came:
            self.mails.append(mail)
            self.came.notify_all()

    async def token(self, number: int) -> str:
        async with asyncio.timeout(20), self.came:
            await self.came.wait_for(lambda: len(self.mails) >= number)
        return TOKEN.findall(self.mails[number - 1].text)[-1]  # type: ignore[no-any-return]


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()


@pytest.fixture
async def mails(database: Database, postbox: Postbox, clock: Clock) -> AsyncIterator[Mails]:
    outbox = Outbox(database, SecretBox(b"k" * 32), clock=clock)
    made = Mails(outbox, postbox, public_url="https://apps.example.com/")
    await outbox.start()
    yield made
    await outbox.close()


@pytest.fixture
def accounts(make_accounts: Callable[..., AccountService], mails: Mails) -> AccountService:
    return make_accounts(mails=mails)


async def _alice(accounts: AccountService) -> Principal:
    await accounts.register_to_verify("alice", EMAIL, PASSWORD, "Alice")
    return await accounts.authenticate((await accounts.login(EMAIL, PASSWORD)).access_token)


async def _verified(accounts: AccountService, who: Principal) -> bool:
    return (await accounts.account(who)).details.is_verified


async def test_a_token_works_once(accounts: AccountService, postbox: Postbox) -> None:
    who = await _alice(accounts)
    token = await postbox.token(1)
    assert f"https://apps.example.com/verify-email?token={token}" in postbox.mails[0].text
    assert postbox.mails[0].to == EMAIL
    assert not await _verified(accounts, who)
    await accounts.verify_email(token)
    assert await _verified(accounts, who)
    with pytest.raises(Conflict, match="already used"):
        await accounts.verify_email(token)
    with pytest.raises(Conflict, match="verified already"):
        await accounts.resend_verification(who)


@pytest.mark.parametrize("token", ["", "x", "ce_verify_" + "0" * 64, "\ud800"])
async def test_what_is_no_token(accounts: AccountService, token: str) -> None:
    with pytest.raises(Conflict, match="not valid"):
        await accounts.verify_email(token)


async def test_a_token_lives_a_day(accounts: AccountService, postbox: Postbox, clock: Clock) -> None:
    who = await _alice(accounts)
    token = await postbox.token(1)
    clock.move(hours=24)
    with pytest.raises(Conflict, match="expired"):
        await accounts.verify_email(token)
    assert not await _verified(accounts, who)


async def test_a_newer_mail_ends_the_older(accounts: AccountService, postbox: Postbox, clock: Clock) -> None:
    who = await _alice(accounts)
    first = await postbox.token(1)
    clock.move(seconds=1)
    await accounts.resend_verification(who)
    second = await postbox.token(2)
    with pytest.raises(Conflict, match="newer one"):
        await accounts.verify_email(first)
    await accounts.verify_email(second)


async def test_another_address_is_not_proved_by_the_old_ones_mail(accounts: AccountService, postbox: Postbox) -> None:
    who = await _alice(accounts)
    token = await postbox.token(1)
    await accounts.update_profile(who, email="mallory@example.com")
    with pytest.raises(Conflict):
        await accounts.verify_email(token)
    assert not await _verified(accounts, who)


async def test_three_mails_an_hour(accounts: AccountService, clock: Clock) -> None:
    who = await _alice(accounts)
    for _ in range(2):
        clock.move(minutes=10)
        await accounts.resend_verification(who)
    with pytest.raises(TooMany) as caught:
        await accounts.resend_verification(who)
    assert caught.value.retry_after == 40 * 60
    clock.move(minutes=41)
    await accounts.resend_verification(who)


async def test_without_mails(make_accounts: Callable[..., AccountService]) -> None:
    accounts = make_accounts()
    who = await _alice(accounts)
    with pytest.raises(Unavailable):
        await accounts.resend_verification(who)


@pytest.mark.parametrize("name", ["x" * 201, "a\nb", "a\x00b"])
async def test_full_names_that_cannot_be(accounts: AccountService, name: str) -> None:
    with pytest.raises(Invalid) as caught:
        await accounts.register_to_verify("x", EMAIL, PASSWORD, name)
    assert [fault.field for fault in caught.value.fields] == ["full_name", "username"]
