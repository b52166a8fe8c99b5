"""Accounts and health as the document has them: every operation's answer, its fields, and its errors."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

import httpx

from tests.backend.running_backend import RunningBackend
from tests.surfaces.devpocket.client import PASSWORD, Client, error_of
from tests.surfaces.shapes import fits

USER = {
    "id": "uuid",
    "username": "text",
    "email": "text",
    "full_name": "text?",
    "is_active": "bool",
    "is_verified": "bool",
    "avatar_url": "text?",
    "subscription_plan": "=free",
    "created_at": "time",
    "last_login": "time?",
}
TOKENS = {
    "access_token": "text",
    "refresh_token": "text",
    "token_type": "=bearer",
    "expires_in": "int",
    "user": {"id": "uuid", "username": "text", "email": "text"},
}
AUTH = "/api/v1/auth"


def _person() -> dict[str, str]:
    name = f"dev-{secrets.token_hex(4)}"
    return {"username": name, "email": f"{name}@example.com", "password": PASSWORD, "full_name": "Ada Lovelace"}


def _mails(backend: RunningBackend, address: str) -> list[str]:
    return [text for path in sorted((backend.data_dir / "mail").glob("*.eml")) if address in (text := _read(path))]


def _read(path: Path) -> str:
    return path.read_text().replace("=\n", "")


def test_health(backend: RunningBackend, nobody: httpx.Client) -> None:
    # On a busy machine the engine may be late for one look; one answer lasts for a second.
    backend.until(lambda: nobody.get("/health/ready").status_code == 200, "never ready")
    health = nobody.get("/health")
    assert health.status_code == 200
    shape = {"status": "=healthy", "service": "=devpocket", "version": "text", "environment": "=development"}
    fits(health.json(), shape | {"timestamp": "time"})
    ready = nobody.get("/health/ready")
    assert ready.status_code == 200
    checks = {"database": "=healthy", "engine": "=healthy"}
    fits(ready.json(), {"status": "=ready", "checks": checks, "timestamp": "time"})
    live = nobody.get("/health/live")
    assert live.status_code == 200
    fits(live.json(), {"status": "=alive", "timestamp": "time"})
    info = nobody.get("/api/v1/info")
    assert info.status_code == 200
    fits(
        info.json(),
        {"name": "text", "version": "text", "api_version": "=v1", "description": "text", "environment": "text"},
    )
    for answer in (health, ready, live, info):
        assert answer.headers["x-ratelimit-limit"]
    error_of(nobody.get("/nowhere"), 404)
    error_of(nobody.post("/health"), 405)


def test_registering(nobody: httpx.Client) -> None:
    body = _person()
    made = nobody.post(f"{AUTH}/register", json=body)
    assert made.status_code == 201
    fits(made.json(), USER | {"username": f"={body['username']}", "full_name": "=Ada Lovelace"})
    assert made.json()["is_verified"] is False
    assert made.json()["last_login"] is None
    assert "password" not in made.text
    error_of(nobody.post(f"{AUTH}/register", json=body), 400, "username")
    error_of(nobody.post(f"{AUTH}/register", json=body | {"username": _person()["username"]}), 400, "email")
    bare = _person()
    del bare["full_name"]
    nameless = nobody.post(f"{AUTH}/register", json=bare)
    assert (nameless.status_code, nameless.json()["full_name"]) == (201, None)


def test_what_is_no_registration(nobody: httpx.Client) -> None:
    body = _person()
    error_of(nobody.post(f"{AUTH}/register", json={}), 422, "username", "email", "password")
    error_of(nobody.post(f"{AUTH}/register", json=body | {"role": "admin"}), 422, "role")
    error_of(nobody.post(f"{AUTH}/register", json=body | {"password": 12345678}), 422, "password")
    error_of(nobody.post(f"{AUTH}/register", json=body | {"full_name": "two\nlines"}), 422, "full_name")
    wrong = {"username": "x", "email": "no address", "password": "short"}
    error_of(nobody.post(f"{AUTH}/register", json=wrong), 422, "username", "email", "password")
    typed = nobody.post(f"{AUTH}/register", json={"username": body["username"]}).json()["errors"]
    assert {item["type"] for item in typed} == {"missing"}
    json_headers = {"Content-Type": "application/json"}
    error_of(nobody.post(f"{AUTH}/register", content=b"{", headers=json_headers), 422, "body")
    error_of(nobody.post(f"{AUTH}/register", content=b"[]", headers=json_headers), 422, "body")
    error_of(nobody.post(f"{AUTH}/register", data={"username": "x"}), 422, "body")
    error_of(nobody.post(f"{AUTH}/register", content=b" " * 2**21, headers=json_headers), 413)


def test_a_session(nobody: httpx.Client) -> None:
    body = _person()
    made = nobody.post(f"{AUTH}/register", json=body).json()
    login = nobody.post(f"{AUTH}/login", json={"email": body["email"], "password": PASSWORD})
    assert login.status_code == 200
    fits(login.json(), TOKENS)
    assert 3590 <= login.json()["expires_in"] <= 3600
    assert login.json()["user"] == {name: made[name] for name in ("id", "username", "email")}

    unknown = error_of(nobody.post(f"{AUTH}/login", json={"email": "a@example.com", "password": PASSWORD}), 401)
    wrong = error_of(nobody.post(f"{AUTH}/login", json={"email": body["email"], "password": "wrong 1 wrong"}), 401)
    assert unknown == wrong, "nobody learns which addresses have accounts"
    error_of(nobody.post(f"{AUTH}/login", json={"email": body["email"]}), 422, "password")

    bearer = {"Authorization": f"Bearer {login.json()['access_token']}"}
    me = nobody.get(f"{AUTH}/me", headers=bearer)
    assert me.status_code == 200
    fits(me.json(), USER | {"last_login": "time"})
    assert me.json()["id"] == made["id"]
    error_of(nobody.get(f"{AUTH}/me"), 401)
    error_of(nobody.get(f"{AUTH}/me", headers={"Authorization": "Bearer forged"}), 401)
    refresh_token = login.json()["refresh_token"]
    error_of(nobody.get(f"{AUTH}/me", headers={"Authorization": f"Bearer {refresh_token}"}), 401)

    fresh = nobody.post(f"{AUTH}/refresh", json={"refresh_token": refresh_token})
    assert fresh.status_code == 200
    fits(fresh.json(), {"access_token": "text", "token_type": "=bearer", "expires_in": "int"})
    assert set(fresh.json()) == {"access_token", "token_type", "expires_in"}
    again = nobody.post(f"{AUTH}/refresh", headers={"Authorization": f"Bearer {refresh_token}"})
    assert again.status_code == 200, "without a body the header is the refresh token"
    error_of(nobody.post(f"{AUTH}/refresh", json={"refresh_token": "forged"}), 401)
    error_of(nobody.post(f"{AUTH}/refresh"), 401)
    error_of(nobody.post(f"{AUTH}/refresh", json={}), 422, "refresh_token")

    fresh_bearer = {"Authorization": f"Bearer {fresh.json()['access_token']}"}
    out = nobody.post(f"{AUTH}/logout", headers=fresh_bearer)
    assert (out.status_code, out.json()) == (200, {"message": "Successfully logged out"})
    for header in (bearer, fresh_bearer):
        error_of(nobody.get(f"{AUTH}/me", headers=header), 401)
    error_of(nobody.post(f"{AUTH}/refresh", json={"refresh_token": refresh_token}), 401)
    error_of(nobody.post(f"{AUTH}/logout"), 401)


def test_verifying_an_address(backend: RunningBackend, nobody: httpx.Client) -> None:
    """Without a mail server the mails are files in the data dir."""
    body = _person()
    nobody.post(f"{AUTH}/register", json=body)
    token = nobody.post(f"{AUTH}/login", json={"email": body["email"], "password": PASSWORD}).json()["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    backend.until(lambda: len(_mails(backend, body["email"])) == 1)
    resent = nobody.post(f"{AUTH}/resend-verification", headers=bearer)
    assert (resent.status_code, resent.json()) == (200, {"message": "Verification email sent"})
    backend.until(lambda: len(_mails(backend, body["email"])) == 2)
    tokens = {found for mail in _mails(backend, body["email"]) for found in re.findall("ce_verify_[0-9a-f]{64}", mail)}
    assert len(tokens) == 2
    assert all("/api/v1/auth/verify-email" in mail for mail in _mails(backend, body["email"]))

    answers = [nobody.post(f"{AUTH}/verify-email", json={"token": one}) for one in tokens]
    done = [answer for answer in answers if answer.status_code == 200]
    assert [answer.json() for answer in done] == [{"message": "Email verified successfully"}], "the newest alone works"
    for one in tokens:
        error_of(nobody.post(f"{AUTH}/verify-email", json={"token": one}), 400, "token")
    error_of(nobody.post(f"{AUTH}/verify-email", json={"token": "forged"}), 400, "token")
    error_of(nobody.post(f"{AUTH}/verify-email", json={}), 422, "token")
    assert nobody.get(f"{AUTH}/me", headers=bearer).json()["is_verified"] is True
    error_of(nobody.post(f"{AUTH}/resend-verification", headers=bearer), 400)
    error_of(nobody.post(f"{AUTH}/resend-verification"), 401)


def test_mails_are_bounded(user: Client) -> None:
    for _ in range(2):
        assert user.http.post(f"{AUTH}/resend-verification").status_code == 200
    refused = user.http.post(f"{AUTH}/resend-verification")
    error_of(refused, 429)
    assert 0 < int(refused.headers["retry-after"]) <= 3600


def test_google_is_not_set_up(nobody: httpx.Client) -> None:
    assert "google_client_id" in error_of(nobody.post(f"{AUTH}/google", json={"token": "x"}), 503)
    error_of(nobody.post(f"{AUTH}/google", json={}), 422, "token")


def test_an_api_key_is_a_credential_too(backend: RunningBackend, user: Client, nobody: httpx.Client) -> None:
    with backend.tcp(user.token) as elsewhere:
        key = elsewhere.post("/v1/api-keys", json={"name": "ci"}).json()["apiKey"]
    bearer = {"Authorization": f"Bearer {key}"}
    assert nobody.get(f"{AUTH}/me", headers=bearer).status_code == 200
    error_of(nobody.post(f"{AUTH}/logout", headers=bearer), 403)
