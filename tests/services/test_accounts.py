"""Registering, profiles, passwords, administrators and the local owner."""

from __future__ import annotations

import asyncio
import getpass
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from backend.domain.accounts import CredentialKind, Principal, Role, User
from backend.domain.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorized
from backend.services.accounts import AccountService
from backend.services.passwords import Passwords
from backend.storage.database import Database
from backend.storage.tables import DeploymentRow, SessionRow, TenantRow, UserRow

PASSWORD = "correct horse"


async def registered(accounts: AccountService, name: str = "alice") -> User:
    return await accounts.register(name, f"{name}@example.com", PASSWORD)


async def signed_in(accounts: AccountService, email: str = "alice@example.com", password: str = PASSWORD) -> Principal:
    return await accounts.authenticate((await accounts.login(email, password)).access_token)


def fields_of(error: pytest.ExceptionInfo[Invalid]) -> list[str]:
    return [fault.field for fault in error.value.fields]


async def test_a_registered_user_has_a_tenant_of_its_own(accounts: AccountService, database: Database) -> None:
    alice = await accounts.register("alice", " Alice@EXAMPLE.com ", PASSWORD, PASSWORD)
    bob = await registered(accounts, "bob")
    assert (alice.username, alice.email, alice.role, alice.is_active) == ("alice", "Alice@example.com", Role.USER, True)
    assert alice.short_id.startswith("usr-")
    assert alice.tenant_id != bob.tenant_id
    async with database.session() as session:
        assert (await session.execute(select(func.count()).select_from(TenantRow))).scalar_one() == 2
        stored = (await session.execute(select(UserRow).where(UserRow.username == "alice"))).scalars().one()
    assert stored.password_hash is not None
    assert stored.password_hash.startswith("$argon2id$")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"username": "al"}, "username"),
        ({"username": "a" * 51}, "username"),
        ({"username": "al ice"}, "username"),
        ({"username": "alíce"}, "username"),
        ({"username": "alice\n"}, "username"),
        ({"email": "alice"}, "email"),
        ({"email": "alice@"}, "email"),
        ({"email": "@example.com"}, "email"),
        ({"email": "a b@example.com"}, "email"),
        ({"email": "alice@localhost"}, "email"),
        ({"email": f"{'a' * 250}@example.com"}, "email"),
        ({"email": "\ud800@example.com"}, "email"),
        ({"email": "a\0b@example.com"}, "email"),
        ({"password": "short12"}, "password"),
        ({"password": "x" * 129}, "password"),
        ({"password": "\ud800" * 8}, "password"),
        ({"confirm_password": "another one"}, "confirm_password"),
        ({"confirm_password": ""}, "confirm_password"),
    ],
)
async def test_each_fault_names_its_field(
    accounts: AccountService, database: Database, change: dict[str, str], field: str
) -> None:
    values: dict[str, Any] = {"username": "alice", "email": "alice@example.com", "password": PASSWORD, **change}
    with pytest.raises(Invalid) as caught:
        await accounts.register(**values)
    assert fields_of(caught) == [field]
    caught.value.message.encode()
    assert values["password"] not in caught.value.message
    async with database.session() as session:
        assert (await session.execute(select(func.count()).select_from(TenantRow))).scalar_one() == 0


async def test_all_faults_are_told_at_once(accounts: AccountService) -> None:
    with pytest.raises(Invalid) as caught:
        await accounts.register("a", "b", "c", "d")
    assert fields_of(caught) == ["username", "email", "password", "confirm_password"]


@pytest.mark.parametrize(
    "email", ["dev@lab.local", "dev@box.test", "dev+tag@example.co.uk", "döv@exämple.com", "dev@intranet.corp"]
)
async def test_addresses_of_private_networks_are_taken(accounts: AccountService, email: str) -> None:
    assert (await accounts.register("dev", email, PASSWORD)).email == email


async def test_names_and_addresses_are_unique_whatever_their_case(accounts: AccountService) -> None:
    await registered(accounts)
    with pytest.raises(Conflict, match="username 'ALICE' is already taken") as caught:
        await accounts.register("ALICE", "other@example.com", PASSWORD)
    assert caught.value.details == {"field": "username"}
    with pytest.raises(Conflict, match="already registered") as caught:
        await accounts.register("other", "ALICE@Example.com", PASSWORD)
    assert caught.value.details == {"field": "email"}


async def test_of_many_who_want_one_name_one_gets_it(accounts: AccountService) -> None:
    outcomes = await asyncio.gather(
        *(accounts.register("alice", f"alice{number}@example.com", PASSWORD) for number in range(10)),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, User) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 9


@pytest.mark.parametrize("registration", ["closed", "invite"])
async def test_registration_can_be_closed_but_not_to_administrators(
    make_accounts: Callable[..., AccountService], registration: str
) -> None:
    accounts = make_accounts(registration=registration)
    with pytest.raises(Forbidden, match="registration"):
        await registered(accounts)
    assert (await accounts.create_admin("root", "root@example.com", PASSWORD)).role is Role.ADMIN


def test_settings_that_make_no_sense_are_refused(make_accounts: Callable[..., AccountService]) -> None:
    with pytest.raises(Invalid, match="open, invite, closed"):
        make_accounts(registration="ajar")
    with pytest.raises(Invalid, match="at least 32 bytes"):
        make_accounts(jwt_secret=b"short")


# --- profile ----------------------------------------------------------------------------------------------


async def deployment(database: Database, user: User, name: str, desired: str, clock: Callable[[], Any]) -> None:
    async with database.transaction() as session:
        session.add(
            DeploymentRow(
                id=name,
                short_id=f"dpl-{name}",
                tenant_id=user.tenant_id,
                created_by=user.id,
                app_name=name,
                desired=desired,
                replicas=1,
                generation=1,
                status="running",
                created_at=clock(),
                updated_at=clock(),
            )
        )


async def test_the_profile_counts_what_is_there_now(
    accounts: AccountService, database: Database, clock: Callable[[], Any]
) -> None:
    alice, bob = await registered(accounts), await registered(accounts, "bob")
    who = await signed_in(accounts)
    assert (await accounts.profile(who)).deployment_count == 0
    for name, desired in (("one", "running"), ("two", "stopped"), ("three", "deleted")):
        await deployment(database, alice, name, desired, clock)
    await deployment(database, bob, "four", "running", clock)
    await accounts.create_api_key(who, "stays")
    await accounts.create_api_key(who, "expires", expires_at=clock() + timedelta(minutes=5))
    gone = await accounts.create_api_key(who, "revoked")
    await accounts.revoke_api_key(who, gone.key.id)
    profile = await accounts.profile(who)
    assert (profile.deployment_count, profile.api_key_count) == (2, 2)
    assert profile.user.last_login == clock()
    clock.move(minutes=6)  # type: ignore[attr-defined]
    assert (await accounts.profile(who)).api_key_count == 1


async def test_the_profile_changes_in_part(accounts: AccountService, clock: Any) -> None:
    await registered(accounts)
    await registered(accounts, "bob")
    who = await signed_in(accounts)
    clock.move(hours=0.5)
    renamed = await accounts.update_profile(who, username="Alice-2")
    assert (renamed.username, renamed.email, renamed.updated_at) == ("Alice-2", "alice@example.com", clock())
    moved = await accounts.update_profile(who, email="alice@Example.ORG")
    assert (moved.username, moved.email) == ("Alice-2", "alice@example.org")
    assert (await accounts.update_profile(who, username="ALICE-2")).username == "ALICE-2"
    assert await accounts.update_profile(who) == (await accounts.profile(who)).user
    with pytest.raises(Conflict, match="username 'BOB' is already taken"):
        await accounts.update_profile(who, username="BOB")
    with pytest.raises(Conflict, match="email"):
        await accounts.update_profile(who, email="BOB@example.com")
    with pytest.raises(Invalid) as caught:
        await accounts.update_profile(who, username="", email="")
    assert fields_of(caught) == ["username", "email"]
    await accounts.login("alice@example.org", PASSWORD)
    with pytest.raises(NotFound):
        await accounts.login("alice@example.com", PASSWORD)


# --- password ---------------------------------------------------------------------------------------------


async def test_a_new_password_ends_the_other_sessions(accounts: AccountService) -> None:
    await registered(accounts)
    other_pair = await accounts.login("alice@example.com", PASSWORD)
    who = await signed_in(accounts)
    mine = await accounts.login("alice@example.com", PASSWORD)
    who = await accounts.authenticate(mine.access_token)
    await accounts.change_password(who, PASSWORD, "battery staple", "battery staple")
    await accounts.authenticate(mine.access_token)
    with pytest.raises(Unauthorized, match="over"):
        await accounts.authenticate(other_pair.access_token)
    with pytest.raises(Unauthorized, match="over"):
        await accounts.refresh(other_pair.refresh_token or "")
    with pytest.raises(Unauthorized):
        await accounts.login("alice@example.com", PASSWORD)
    await accounts.login("alice@example.com", "battery staple")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        (("wrong one", "battery staple", None), "current_password"),
        (("", "battery staple", None), "current_password"),
        ((PASSWORD, "short", None), "new_password"),
        ((PASSWORD, "x" * 129, None), "new_password"),
        ((PASSWORD, "battery staple", "something else"), "confirm_new_password"),
    ],
)
async def test_a_refused_password_changes_nothing(
    accounts: AccountService, values: tuple[str, str, str | None], field: str
) -> None:
    await registered(accounts)
    who = await signed_in(accounts)
    with pytest.raises(Invalid) as caught:
        await accounts.change_password(who, *values)
    assert fields_of(caught) == [field]
    await accounts.login("alice@example.com", PASSWORD)


async def test_an_api_key_cannot_change_the_password_or_log_out(accounts: AccountService) -> None:
    await registered(accounts)
    key = await accounts.create_api_key(await signed_in(accounts), "robot")
    robot = await accounts.authenticate(key.secret)
    with pytest.raises(Forbidden, match="log in"):
        await accounts.change_password(robot, PASSWORD, "battery staple")
    with pytest.raises(Forbidden, match="no session"):
        await accounts.logout(robot)


# --- administrators and the local owner -------------------------------------------------------------------

_CREATE_ADMIN = """
import asyncio, sys
from pathlib import Path
from backend.services.accounts import AccountService
from backend.storage.database import Database

async def main() -> None:
    database = Database.at(Path(sys.argv[1]))
    await database.start()
    accounts = AccountService(database, jwt_secret=b"x" * 32)
    user = await accounts.create_admin("boss", "boss@example.com", "correct horse")
    await database.close()
    print(user.id)

asyncio.run(main())
"""


async def test_an_api_key_cannot_move_the_account_to_another_address(accounts: AccountService) -> None:
    """Who gets the mails can reset the password, which a key must not."""
    await registered(accounts)
    alice = await signed_in(accounts)
    robot = await accounts.authenticate((await accounts.create_api_key(alice, "robot")).secret)
    with pytest.raises(Forbidden, match="email"):
        await accounts.update_profile(robot, email="mallory@example.com")
    changed = await accounts.update_profile(robot, username="alice-2", email="alice@example.com")
    assert (changed.username, changed.email) == ("alice-2", "alice@example.com")


async def test_an_administrator_made_by_another_process_can_log_in(accounts: AccountService, tmp_path: Path) -> None:
    await registered(accounts)
    command = (sys.executable, "-c", _CREATE_ADMIN, str(tmp_path / "pilothouse.db"))
    other = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    names = [f"user{number}" for number in range(20)]
    await asyncio.gather(*(registered(accounts, name) for name in names))
    output, errors = await other.communicate()
    assert other.returncode == 0, errors.decode()
    boss = await signed_in(accounts, "boss@example.com")
    assert (boss.user.id, boss.user.role) == (output.decode().strip(), Role.ADMIN)
    with pytest.raises(Conflict, match="'boss'"):
        await accounts.create_admin("boss", "chief@example.com", PASSWORD)


async def test_the_local_owner_is_one_account_without_a_password(accounts: AccountService) -> None:
    pairs = await asyncio.gather(*(accounts.local_owner_session() for _ in range(5)))
    assert len({pair.user.id for pair in pairs}) == 1
    assert len({pair.refresh_token for pair in pairs}) == 5
    owner = pairs[0].user
    assert owner.role is Role.ADMIN
    assert getpass.getuser() in owner.username
    with pytest.raises(Unauthorized):
        await accounts.login(owner.email, "")
    with pytest.raises(Unauthorized):
        await accounts.login(owner.email, PASSWORD)


async def test_the_local_owner_can_set_a_password(accounts: AccountService) -> None:
    pair = await accounts.local_owner_session()
    who = await accounts.authenticate(pair.access_token)
    with pytest.raises(Invalid):
        await accounts.change_password(who, "a guess", PASSWORD)
    await accounts.change_password(who, "", PASSWORD)
    assert (await signed_in(accounts, pair.user.email)).user.id == pair.user.id
    with pytest.raises(Invalid):
        await accounts.change_password(who, "", "battery staple")


async def test_nobody_becomes_the_local_owner_by_its_name_or_address(accounts: AccountService) -> None:
    intruder = await accounts.register(f"{getpass.getuser():_<3}", "owner@pilothouse.local", PASSWORD)
    admin = await accounts.create_admin("boss", "boss@example.com", PASSWORD)
    owner = (await accounts.local_owner_session()).user
    assert owner.id not in {intruder.id, admin.id}
    assert owner.email == "owner-2@pilothouse.local"


async def test_the_local_owner_stays_the_same_under_another_name(accounts: AccountService) -> None:
    pair = await accounts.local_owner_session()
    who = await accounts.authenticate(pair.access_token)
    await accounts.update_profile(who, username="captain", email="captain@example.com")
    again = (await accounts.local_owner_session()).user
    assert (again.id, again.username) == (pair.user.id, "captain")


async def test_a_deactivated_account_is_shut_out_at_once(accounts: AccountService, database: Database) -> None:
    await registered(accounts)
    pair = await accounts.login("alice@example.com", PASSWORD)
    who = await accounts.authenticate(pair.access_token)
    key = await accounts.create_api_key(who, "robot")
    owner = await accounts.local_owner_session()
    async with database.transaction() as session:
        await session.execute(text("UPDATE users SET is_active = false"))
    for credential in (pair.access_token, key.secret, owner.access_token):
        with pytest.raises(Unauthorized, match="deactivated"):
            await accounts.authenticate(credential)
    with pytest.raises(Unauthorized, match="deactivated"):
        await accounts.refresh(pair.refresh_token or "")
    with pytest.raises(Unauthorized, match="deactivated"):
        await accounts.login("alice@example.com", PASSWORD)
    with pytest.raises(Unauthorized, match="password is wrong"):
        await accounts.login("alice@example.com", "a guess at it")
    with pytest.raises(Unauthorized, match="deactivated"):
        await accounts.local_owner_session()


async def test_a_hash_of_old_parameters_is_renewed_at_login(database: Database, clock: Any) -> None:
    from argon2 import PasswordHasher

    settings: dict[str, Any] = {"jwt_secret": b"x" * 32, "clock": clock}
    weak = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    stronger = Passwords(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    await registered(AccountService(database, passwords=weak, **settings))
    accounts = AccountService(database, passwords=stronger, **settings)

    async def stored() -> str:
        async with database.session() as session:
            return (await session.execute(select(UserRow.password_hash))).scalar_one() or ""

    assert "m=8,t=1" in await stored()
    await asyncio.gather(*(accounts.login("alice@example.com", PASSWORD) for _ in range(4)))
    assert "m=16,t=2" in await stored()
    async with database.session() as session:
        assert (await session.execute(select(func.count()).select_from(SessionRow))).scalar_one() == 4
    accounts.close()
    weak.close()


async def test_a_principal_says_what_it_came_with(accounts: AccountService) -> None:
    await registered(accounts)
    who = await signed_in(accounts)
    assert (who.credential, who.api_key_id) == (CredentialKind.SESSION, None)
    assert who.tenant_id == who.user.tenant_id
