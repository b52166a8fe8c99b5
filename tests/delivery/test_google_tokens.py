"""ID tokens of Google: real signatures, keys from a local server, and every way in which one does not hold."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from backend.delivery.google_tokens import GoogleIdTokens
from backend.domain.accounts import GoogleIdentity
from backend.domain.errors import Unauthorized, Unavailable
from tests.delivery.google import CLIENT_ID, Google, google, new_key


@pytest.fixture(scope="module")
def shared() -> Iterator[Google]:
    with google() as found:
        yield found


@pytest.fixture
def tokens(shared: Google) -> GoogleIdTokens:
    return GoogleIdTokens([CLIENT_ID, "another-app"], keys_url=shared.url)


async def test_a_token_that_holds(shared: Google, tokens: GoogleIdTokens) -> None:
    before = shared.asked
    for _ in range(3):
        assert await tokens.read(shared.token()) == GoogleIdentity(
            "110169484474386276334", "grace@example.com", "Grace Hopper", "https://lh3.googleusercontent.com/a/photo"
        )
    assert shared.asked == before + 1, "the keys are kept"
    assert (await tokens.read(shared.token(iss="accounts.google.com", aud="another-app"))).email == "grace@example.com"
    bare = await tokens.read(shared.token(name=None, picture=None))
    assert (bare.full_name, bare.avatar_url) == (None, None)
    odd = await tokens.read(shared.token(name="a\nb", picture="javascript:alert(1)"))
    assert (odd.full_name, odd.avatar_url) == (None, None)


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example.com"},
        {"iss": None},
        {"aud": "somebody-elses-app"},
        {"aud": None},
        {"exp": int(time.time()) - 3600},
        {"exp": None},
        {"exp": "soon"},
        {"iat": int(time.time()) + 3600},
        {"iat": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 256},
        {"email": None},
        {"email": 5},
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "false"},
    ],
    ids=lambda claims: next(iter(claims)),
)
async def test_claims_that_do_not_hold(shared: Google, tokens: GoogleIdTokens, claims: dict[str, Any]) -> None:
    with pytest.raises(Unauthorized):
        await tokens.read(shared.token(**claims))


async def test_signatures_that_do_not_hold(shared: Google, tokens: GoogleIdTokens) -> None:
    with pytest.raises(Unauthorized):
        await tokens.read(shared.token(signed_by=new_key()))
    head, claims, signature = shared.token().split(".")
    forged = json.loads(base64.urlsafe_b64decode(claims + "=="))
    forged["email"] = "victim@example.com"
    changed = base64.urlsafe_b64encode(json.dumps(forged).encode()).rstrip(b"=").decode()
    with pytest.raises(Unauthorized):
        await tokens.read(f"{head}.{changed}.{signature}")
    with pytest.raises(Unauthorized):
        await tokens.read(jwt.encode(forged, None, algorithm="none", headers={"kid": "first"}))
    # The public key taken as a secret, which libraries have fallen for.
    public = json.loads(shared.served())["keys"][0]["n"]
    with pytest.raises(Unauthorized):
        await tokens.read(jwt.encode(forged, public, algorithm="HS256", headers={"kid": "first"}))


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é.é.é", "x" * 20_000, "eyJhbGciOiJSUzI1NiJ9.e30.AAAA"])
async def test_what_is_no_token(tokens: GoogleIdTokens, token: str) -> None:
    with pytest.raises(Unauthorized):
        await tokens.read(token)


async def test_keys_change() -> None:
    now = [0.0]
    with google() as shared:
        tokens = GoogleIdTokens([CLIENT_ID], keys_url=shared.url, monotonic=lambda: now[0])
        await tokens.read(shared.token())
        shared.keys = {"second": new_key()}
        with pytest.raises(Unauthorized):
            await tokens.read(shared.token(key="second"))
        assert shared.asked == 1, "made-up key ids do not make us ask again and again"
        now[0] += 31
        await tokens.read(shared.token(key="second"))
        now[0] += 3601
        with pytest.raises(Unauthorized):
            await tokens.read(shared.token(key="first", signed_by=new_key()))
        assert shared.asked == 3


async def test_keys_that_cannot_be_had() -> None:
    now = [0.0]
    with google() as shared:
        token = shared.token()
        tokens = GoogleIdTokens([CLIENT_ID], keys_url=shared.url, monotonic=lambda: now[0])
        for body in (b"no json", b"[]", b'{"keys": 5}', b'{"keys": []}', b'{"keys": [{"kty": "RSA"}]}', b" " * 300_000):
            shared.body = body
            now[0] += 60
            with pytest.raises(Unavailable):
                await tokens.read(token)
        asked = shared.asked
        with pytest.raises(Unavailable):
            await tokens.read(token)
        assert shared.asked == asked, "nobody waits for another failure at once"
        shared.body = None
        now[0] += 60
        assert (await tokens.read(token)).email == "grace@example.com"
    gone = GoogleIdTokens([CLIENT_ID], keys_url=shared.url)
    with pytest.raises(Unavailable):
        await gone.read(token)
