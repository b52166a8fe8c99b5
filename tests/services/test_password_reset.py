"""Forgotten passwords: from the question to the mail, and from its token to a new password."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select, text

from backend.delivery.message import Sender
from backend.delivery.smtp import SmtpSender, SmtpServer
from backend.domain.accounts import User
from backend.domain.errors import Invalid, NotFound, Unauthorized, Unavailable
from backend.domain.outbox import DeliveryFailed, Mail
from backend.services.accounts import AccountService
from backend.services.mail import Mails
from backend.services.outbox import Outbox
from backend.services.passwords import Passwords
from backend.services.secrets import SecretBox
from backend.storage.database import Database
from backend.storage.tables import OutboxRow, PasswordResetRow
from tests.delivery.certificates import make_certificate, serving, trusting
from tests.delivery.mail_server import mail_server
from tests.services.conftest import JWT_SECRET, Clock
from tests.services.waiting import until

PASSWORD, NEW_PASSWORD = "correct horse", "battery staple"
EMAIL = "alice@example.com"
TOKEN = re.compile(r"ce_reset_[0-9a-f]{64}")


class Postbox:
    """Takes mails, in order."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.came = asyncio.Condition()
        self.closed = False

    async def send(self, mail: Mail, message_id: str, written_at: datetime) -> None:
        if self.closed:
            raise DeliveryFailed("closed")
        async with self.came:
            self.mails.append(mail)
            self.came.notify_all()

    async def until(self, count: int) -> list[Mail]:
        async with asyncio.timeout(20), self.came:
            await self.came.wait_for(lambda: len(self.mails) >= count)
        return self.mails

    async def token(self, number: int = 1) -> str:
        found = TOKEN.findall((await self.until(number))[number - 1].text)
        assert found
        return str(found[-1])


@pytest.fixture
async def postbox() -> Postbox:
    return Postbox()


@pytest.fixture
async def outbox(database: Database, clock: Clock) -> AsyncIterator[Outbox]:
    made = Outbox(database, SecretBox(b"k" * 32), clock=clock)
    yield made
    await made.close()


@pytest.fixture
async def people(
    database: Database, clock: Clock, quick_passwords: Passwords, outbox: Outbox, postbox: Postbox
) -> AccountService:
    """Accounts whose mails arrive at the postbox."""
    mails = Mails(outbox, postbox)
    await outbox.start()
    return AccountService(database, jwt_secret=JWT_SECRET, clock=clock, passwords=quick_passwords, mails=mails)


@pytest.fixture
async def alice(people: AccountService) -> User:
    return await people.register("alice", EMAIL, PASSWORD)


async def refused(people: AccountService, token: str, password: str = NEW_PASSWORD) -> Invalid:
    with pytest.raises(Invalid) as caught:
        await people.reset_password(token, password)
    return caught.value


async def sent(database: Database) -> int:
    async with database.session() as session:
        return len((await session.scalars(select(OutboxRow))).all())


async def test_a_token_by_mail_sets_a_new_password_and_ends_all_sessions(
    people: AccountService, alice: User, postbox: Postbox
) -> None:
    before = await people.login(EMAIL, PASSWORD)
    await people.forgot_password(" Alice@EXAMPLE.com ")
    token = await postbox.token()
    assert postbox.mails[0].to == EMAIL
    await people.authenticate(before.access_token)  # asking alone changes nothing
    await people.reset_password(token, NEW_PASSWORD)
    with pytest.raises(Unauthorized):
        await people.authenticate(before.access_token)
    with pytest.raises(Unauthorized):
        await people.refresh(before.refresh_token or "")
    with pytest.raises(Unauthorized):
        await people.login(EMAIL, PASSWORD)
    assert (await people.login(EMAIL, NEW_PASSWORD)).user.id == alice.id
    told = (await postbox.until(2))[1]
    assert (told.to, told.subject) == (EMAIL, "Your password was changed")
    assert not TOKEN.search(told.text)


async def test_a_token_works_once(people: AccountService, alice: User, postbox: Postbox) -> None:
    await people.forgot_password(EMAIL)
    token = await postbox.token()
    await people.reset_password(token, NEW_PASSWORD)
    error = await refused(people, token, "yet another one")
    assert [fault.field for fault in error.fields] == ["token"]
    assert "already used" in error.message
    await people.login(EMAIL, NEW_PASSWORD)


async def test_of_two_at_once_one_wins(people: AccountService, alice: User, postbox: Postbox) -> None:
    await people.forgot_password(EMAIL)
    token = await postbox.token()
    outcomes = await asyncio.gather(
        *(people.reset_password(token, f"new password {number}") for number in range(4)), return_exceptions=True
    )
    assert sum(outcome is None for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Invalid) for outcome in outcomes) == 3
    await people.login(EMAIL, f"new password {outcomes.index(None)}")


async def test_a_token_lives_an_hour(people: AccountService, alice: User, postbox: Postbox, clock: Clock) -> None:
    await people.forgot_password(EMAIL)
    token = await postbox.token()
    clock.move(minutes=60)
    assert "expired" in (await refused(people, token)).message
    await people.login(EMAIL, PASSWORD)


async def test_a_newer_token_ends_the_older(people: AccountService, alice: User, postbox: Postbox) -> None:
    await people.forgot_password(EMAIL)
    old = await postbox.token()
    await people.forgot_password(EMAIL)
    new = await postbox.token(2)
    assert "newer" in (await refused(people, old)).message
    await people.reset_password(new, NEW_PASSWORD)


async def test_a_changed_password_or_address_ends_the_token(
    people: AccountService, alice: User, postbox: Postbox
) -> None:
    who = await people.authenticate((await people.login(EMAIL, PASSWORD)).access_token)
    await people.forgot_password(EMAIL)
    await people.change_password(who, PASSWORD, NEW_PASSWORD)
    with pytest.raises(Invalid, match="took its place"):
        await people.reset_password(await postbox.token(), "a third password")
    await people.forgot_password(EMAIL)
    await people.update_profile(who, username="alice-2")
    await people.update_profile(who, email="alice@example.org")
    with pytest.raises(Invalid, match="took its place"):
        await people.reset_password(await postbox.token(2), "a third password")


async def test_a_reset_ends_what_was_asked_for_beside_it(
    people: AccountService, alice: User, postbox: Postbox, database: Database
) -> None:
    await people.forgot_password(EMAIL)
    await people.reset_password(await postbox.token(), NEW_PASSWORD)
    async with database.session() as session:
        (row,) = await session.scalars(select(PasswordResetRow))
    assert row.used_at is not None


@pytest.mark.parametrize("token", ["", "x", "ce_reset_", "ce_reset_" + "0" * 64, "\0", "\ud800", "x" * 100_000])
async def test_a_wrong_token_is_refused(people: AccountService, alice: User, token: str) -> None:
    error = await refused(people, token)
    assert [fault.field for fault in error.fields] == ["token"]


@pytest.mark.parametrize("password", ["", "short", "x" * 129, "\ud800" * 8])
async def test_a_weak_password_is_refused_and_the_token_stays(
    people: AccountService, alice: User, postbox: Postbox, password: str
) -> None:
    await people.forgot_password(EMAIL)
    token = await postbox.token()
    error = await refused(people, token, password)
    assert [fault.field for fault in error.fields] == ["new_password"]
    await people.reset_password(token, NEW_PASSWORD)


async def test_nobody_learns_which_addresses_have_accounts(
    people: AccountService, alice: User, database: Database
) -> None:
    """The answers are alike, and none comes before the others: each takes the same while."""
    loop = asyncio.get_running_loop()
    order: list[str] = []

    async def ask(email: str) -> None:
        await people.forgot_password(email)
        order.append(email)

    strangers = [f"stranger{number}@example.com" for number in range(3)]
    begun = loop.time()
    await asyncio.gather(*(ask(email) for email in [*strangers, EMAIL]))
    assert loop.time() - begun >= 0.25
    assert sorted(order) == sorted([*strangers, EMAIL])
    assert await sent(database) == 1


@pytest.mark.parametrize("email", ["", "alice", "alice@", "a\r\nBcc: eve@example.com", "\ud800@example.com"])
async def test_what_is_no_address_is_said_to_be_none(people: AccountService, email: str) -> None:
    with pytest.raises(Invalid) as caught:
        await people.forgot_password(email)
    assert [fault.field for fault in caught.value.fields] == ["email"]


async def test_an_account_is_not_flooded_with_mails(
    people: AccountService, alice: User, postbox: Postbox, database: Database, clock: Clock
) -> None:
    await asyncio.gather(*(people.forgot_password(EMAIL) for _ in range(6)))
    assert await sent(database) == 3
    await postbox.until(3)
    clock.move(minutes=61)
    await people.forgot_password(EMAIL)
    await people.reset_password(await postbox.token(4), NEW_PASSWORD)


async def test_who_cannot_log_in_is_sent_nothing(people: AccountService, alice: User, database: Database) -> None:
    owner = await people.local_owner_session()
    async with database.transaction() as session:
        await session.execute(text("UPDATE users SET is_active = false WHERE username = 'alice'"))
    await people.forgot_password(EMAIL)
    await people.forgot_password(owner.user.email)
    assert await sent(database) == 0


async def test_who_is_deactivated_meanwhile_resets_nothing(
    people: AccountService, alice: User, postbox: Postbox, database: Database
) -> None:
    await people.forgot_password(EMAIL)
    token = await postbox.token()
    async with database.transaction() as session:
        await session.execute(text("UPDATE users SET is_active = false"))
    assert "not valid" in (await refused(people, token)).message


async def test_the_token_is_nowhere_in_storage(
    people: AccountService, alice: User, postbox: Postbox, tmp_path: Path
) -> None:
    postbox.closed = True
    await people.forgot_password(EMAIL)
    files = [file.read_bytes() for file in stored_files(tmp_path)]
    assert files
    assert not any(b"ce_reset_" in content for content in files)


def stored_files(folder: Path) -> Iterator[Path]:
    yield from folder.glob("pilothouse.db*")


async def test_a_link_begins_with_the_public_address(
    database: Database, clock: Clock, quick_passwords: Passwords, outbox: Outbox, postbox: Postbox
) -> None:
    people = AccountService(
        database, jwt_secret=JWT_SECRET, clock=clock, passwords=quick_passwords,
        mails=Mails(outbox, postbox, public_url="https://apps.example.com/"),
    )  # fmt: skip
    await outbox.start()
    await people.register("alice", EMAIL, PASSWORD)
    await people.forgot_password(EMAIL)
    token = await postbox.token()
    assert f"https://apps.example.com/reset-password?token={token}\n" in postbox.mails[0].text
    assert "until 2025-06-01 13:00 UTC" in postbox.mails[0].text


async def test_a_process_that_sends_no_mails_says_so(accounts: AccountService) -> None:
    with pytest.raises(Unavailable):
        await accounts.forgot_password(EMAIL)
    with pytest.raises(NotFound):
        await accounts.login(EMAIL, PASSWORD)


async def test_by_a_real_mail_server_that_is_down_at_first(
    database: Database, clock: Clock, quick_passwords: Passwords, outbox: Outbox, tmp_path: Path
) -> None:
    file, login = make_certificate(tmp_path), ("user", "pass")
    async with mail_server() as placeholder:
        port = placeholder.port
    server = SmtpServer("127.0.0.1", port, *login)
    mails = Mails(outbox, SmtpSender(server, Sender("platform@example.com"), context=trusting(file)))
    people = AccountService(database, jwt_secret=JWT_SECRET, clock=clock, passwords=quick_passwords, mails=mails)
    await outbox.start()
    await people.register("alice", EMAIL, PASSWORD)
    await people.forgot_password(EMAIL)
    await until(lambda: has_failed(database))
    async with mail_server(serving(file), login=login, port=port) as up:
        clock.move(seconds=15)
        outbox.wake()
        async with asyncio.timeout(20):
            await up.arrived.wait()
        token = TOKEN.findall(up.taken[0].get_content())[0]
        await people.reset_password(token, NEW_PASSWORD)
    await people.login(EMAIL, NEW_PASSWORD)


async def has_failed(database: Database) -> bool:
    async with database.session() as session:
        return any(row.last_error for row in await session.scalars(select(OutboxRow)))
