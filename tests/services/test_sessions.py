"""Logging in and out, and tokens that are expired, forged or of an ended session."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from sqlalchemy import event, func, select

from backend.domain.errors import NotFound, Unauthorized
from backend.services.accounts import AccountService
from backend.services.tokens import REFRESH_PREFIX
from backend.storage.database import Database
from backend.storage.tables import SessionRow

EMAIL, PASSWORD = "alice@example.com", "correct horse"
SECRET = b"0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
async def alice(accounts: AccountService) -> None:
    await accounts.register("alice", EMAIL, PASSWORD)


async def test_a_login_gives_an_hour_and_a_refresh_token(accounts: AccountService, clock: Any) -> None:
    pair = await accounts.login(" ALICE@Example.com", PASSWORD)
    assert pair.expires_at == clock() + timedelta(hours=1)
    assert (pair.refresh_token or "").startswith(REFRESH_PREFIX)
    claims = jwt.decode(pair.access_token, SECRET, algorithms=["HS256"], options={"verify_exp": False})
    assert claims.keys() == {"sub", "sid", "iat", "exp", "jti"}
    assert claims["sub"] == pair.user.id
    who = await accounts.authenticate(pair.access_token)
    assert (who.user.username, who.session_id) == ("alice", claims["sid"])


async def test_wrong_logins_are_told_apart_unless_strict(
    accounts: AccountService, make_accounts: Callable[..., AccountService]
) -> None:
    for nobody in ("nobody@example.com", "nobody", "", "\ud800@x.org", "a\0@example.com"):
        with pytest.raises(NotFound):
            await accounts.login(nobody, PASSWORD)
    for wrong in ("wrong horse", "", "\ud800" * 8, "x" * 10_000):
        with pytest.raises(Unauthorized, match="password"):
            await accounts.login(EMAIL, wrong)
    strict = make_accounts(strict_login=True)
    messages = set()
    for email, password in ((EMAIL, "wrong horse"), ("nobody@example.com", PASSWORD), ("nobody", "")):
        with pytest.raises(Unauthorized) as caught:
            await strict.login(email, password)
        messages.add(caught.value.message)
    assert len(messages) == 1
    await strict.login(EMAIL, PASSWORD)


async def test_an_access_token_expires_and_is_refreshed_again_and_again(accounts: AccountService, clock: Any) -> None:
    pair = await accounts.login(EMAIL, PASSWORD)
    clock.move(minutes=61)
    with pytest.raises(Unauthorized, match="expired: refresh it"):
        await accounts.authenticate(pair.access_token)
    for _ in range(2):
        renewed = await accounts.refresh(pair.refresh_token or "")
        assert renewed.refresh_token is None
        assert renewed.expires_at == clock() + timedelta(hours=1)
        assert (await accounts.authenticate(renewed.access_token)).user.username == "alice"
        clock.move(days=1)


async def test_a_refresh_token_ends_after_thirty_days_and_no_access_token_outlives_it(
    accounts: AccountService, clock: Any
) -> None:
    pair = await accounts.login(EMAIL, PASSWORD)
    ends = clock() + timedelta(days=30)
    clock.move(days=29, hours=23, minutes=30)
    assert (await accounts.refresh(pair.refresh_token or "")).expires_at == ends
    clock.move(minutes=30)
    with pytest.raises(Unauthorized, match="expired"):
        await accounts.refresh(pair.refresh_token or "")


async def test_logout_ends_the_session_at_once_and_no_other(accounts: AccountService) -> None:
    first, second = await accounts.login(EMAIL, PASSWORD), await accounts.login(EMAIL, PASSWORD)
    await accounts.logout(await accounts.authenticate(first.access_token))
    with pytest.raises(Unauthorized, match="over"):
        await accounts.authenticate(first.access_token)
    with pytest.raises(Unauthorized, match="over"):
        await accounts.refresh(first.refresh_token or "")
    await accounts.authenticate(second.access_token)


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


async def test_forged_tokens_are_refused(accounts: AccountService, clock: Any) -> None:
    pair = await accounts.login(EMAIL, PASSWORD)
    claims = jwt.decode(pair.access_token, SECRET, algorithms=["HS256"], options={"verify_exp": False})
    header, body, signature = pair.access_token.split(".")
    forged = [
        f"{header}.{_part({**claims, 'sub': 'another'})}.{signature}",
        f"{_part({'alg': 'none', 'typ': 'JWT'})}.{body}.",
        jwt.encode(claims, b"another secret of thirty-two byte", algorithm="HS256"),
        jwt.encode(claims, SECRET + SECRET, algorithm="HS512"),
        jwt.encode({**claims, "sub": "another"}, SECRET, algorithm="HS256"),
        jwt.encode({**claims, "sid": "another"}, SECRET, algorithm="HS256"),
        jwt.encode({**claims, "sid": 1}, SECRET, algorithm="HS256"),
        jwt.encode({key: value for key, value in claims.items() if key != "exp"}, SECRET, algorithm="HS256"),
        jwt.encode({**claims, "exp": "never"}, SECRET, algorithm="HS256"),
        pair.access_token[:-4],
        "a.b.c",
        "nonsense",
        "\ud800",
        "é" * 20,
        "ce_api_",
        "ce_api_" + "0" * 64,
        pair.refresh_token or "",
        "",
    ]
    for token in forged:
        with pytest.raises(Unauthorized) as caught:
            await accounts.authenticate(token)
        assert not token or token not in caught.value.message
    for token in ("", "nonsense", pair.access_token, REFRESH_PREFIX + "0" * 64, "\ud800"):
        with pytest.raises(Unauthorized, match="refresh token is not valid"):
            await accounts.refresh(token)


async def test_no_token_is_stored_in_clear(accounts: AccountService, database: Database, tmp_path: Any) -> None:
    pair = await accounts.login(EMAIL, PASSWORD)
    key = await accounts.create_api_key(await accounts.authenticate(pair.access_token), "robot")
    await database.close()
    stored = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for secret in (pair.access_token, pair.refresh_token or "", key.secret, PASSWORD):
        assert secret.encode() not in stored


async def test_sessions_that_ended_are_forgotten_at_a_later_login(
    accounts: AccountService, database: Database, clock: Any
) -> None:
    for _ in range(3):
        await accounts.logout(await accounts.authenticate((await accounts.login(EMAIL, PASSWORD)).access_token))
    clock.move(days=2)
    await accounts.login(EMAIL, PASSWORD)
    async with database.session() as session:
        assert (await session.execute(select(func.count()).select_from(SessionRow))).scalar_one() == 1


async def test_authenticating_costs_one_statement(accounts: AccountService, database: Database) -> None:
    pair = await accounts.login(EMAIL, PASSWORD)
    key = await accounts.create_api_key(await accounts.authenticate(pair.access_token), "robot")
    await accounts.authenticate(key.secret)
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    for engine in (database._readers.sync_engine, database._writer.sync_engine, database._inline):
        event.listen(engine, "before_cursor_execute", note)
    for credential in (pair.access_token, key.secret):
        statements.clear()
        await accounts.authenticate(credential)
        assert len(statements) == 1
