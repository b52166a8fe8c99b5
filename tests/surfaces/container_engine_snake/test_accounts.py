"""Accounts, API keys and profile of the snake_case document: status, every field and type, every error."""

from __future__ import annotations

import re
import secrets
import uuid

import httpx

from tests.backend.running_backend import RunningBackend
from tests.surfaces.container_engine_snake.client import PASSWORD, Client, error_of
from tests.surfaces.shapes import fits

PAGINATION = {"page": "int", "limit": "int", "total": "int", "total_pages": "int"}
LOGIN = {
    "access_token": "text",
    "refresh_token": "text",
    "expires_at": "time",
    "user": {"id": "uuid", "username": "text", "email": "text"},
}
KEY = {
    "id": "uuid",
    "name": "text",
    "description": "text",
    "key_prefix": "=ce_dev_",
    "created_at": "time",
    "expires_at": "time?",
    "last_used": "time?",
}


def test_accounts(nobody: httpx.Client) -> None:
    name = f"ann-{secrets.token_hex(4)}"
    body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD, "confirm_password": PASSWORD}
    made = nobody.post("/v1/auth/register", json=body)
    assert made.status_code == 201
    fits(made.json(), LOGIN)
    assert set(made.json()) == set(LOGIN)
    assert made.json()["user"].keys() == {"id", "username", "email"}
    with_token = {"Authorization": f"Bearer {made.json()['access_token']}"}
    assert nobody.get("/v1/user/profile", headers=with_token).json()["username"] == name, "registering logs in"

    assert "username" in error_of(nobody.post("/v1/auth/register", json=body), 409)["details"]
    taken = error_of(nobody.post("/v1/auth/register", json=body | {"username": name + "-b"}), 409)
    assert "email" in taken["details"]
    differs = nobody.post("/v1/auth/register", json=body | {"username": name + "2", "confirm_password": "other"})
    assert "confirm_password" in error_of(differs, 400)["details"]

    login = nobody.post("/v1/auth/login", json={"email": body["email"], "password": PASSWORD})
    assert login.status_code == 200
    fits(login.json(), LOGIN)
    error_of(nobody.post("/v1/auth/login", json={"email": body["email"], "password": "not that one 1"}), 401)
    error_of(nobody.post("/v1/auth/login", json={"email": "nobody@example.com", "password": PASSWORD}), 404)
    error_of(nobody.post("/v1/auth/login", json={"email": body["email"]}), 400)

    fresh = nobody.post("/v1/auth/refresh", json={"refresh_token": login.json()["refresh_token"]})
    assert fresh.status_code == 200
    fits(fresh.json(), {"access_token": "text", "expires_at": "time"})
    assert "refresh_token" not in fresh.json()
    error_of(nobody.post("/v1/auth/refresh", json={"refresh_token": "forged"}), 401)

    bearer = {"Authorization": f"Bearer {fresh.json()['access_token']}"}
    out = nobody.post("/v1/auth/logout", headers=bearer)
    assert (out.status_code, out.json()) == (200, {"message": "Successfully logged out"})
    error_of(nobody.get("/v1/user/profile", headers=bearer), 401)
    error_of(nobody.post("/v1/auth/refresh", json={"refresh_token": login.json()["refresh_token"]}), 401)
    assert nobody.get("/v1/user/profile", headers=with_token).status_code == 200, "another session stays"


def test_a_forgotten_password(backend: RunningBackend, user: Client, nobody: httpx.Client) -> None:
    """Without a mail server the mail is a file in the data dir."""
    sent = {"message": "If an account with that email exists, a password reset link has been sent."}
    for email in (user.email, "nobody@example.com"):
        asked = nobody.post("/v1/auth/forgot-password", json={"email": email})
        assert (asked.status_code, asked.json()) == (200, sent)
    error_of(nobody.post("/v1/auth/forgot-password", json={"email": "no address"}), 400)

    def mails() -> list[str]:
        return [text for path in (backend.data_dir / "mail").glob("*.eml") if user.email in (text := path.read_text())]

    backend.until(lambda: bool(mails()))
    (mail,) = mails()
    tokens = set(re.findall(r"ce_reset_[A-Za-z0-9_-]{20,}|[A-Za-z0-9_-]{40,}", mail))
    new = "a completely new 9 password"
    answers = [nobody.post("/v1/auth/reset-password", json={"token": t, "new_password": new}) for t in tokens]
    done = [answer.json() for answer in answers if answer.status_code == 200]
    assert done == [{"message": "Password reset successfully"}]

    for token in tokens:
        error_of(nobody.post("/v1/auth/reset-password", json={"token": token, "new_password": new}), 400)
    error_of(nobody.post("/v1/auth/reset-password", json={"token": "forged"}), 400)
    error_of(user.account.get("/v1/user/profile"), 401)
    error_of(nobody.post("/v1/auth/login", json={"email": user.email, "password": PASSWORD}), 401)
    assert nobody.post("/v1/auth/login", json={"email": user.email, "password": new}).status_code == 200


def test_api_keys(user: Client, passer_by: Client, nobody: httpx.Client) -> None:
    made = user.account.post("/v1/api-keys", json={"name": "ci", "description": "for builds"})
    assert made.status_code == 201
    fits(made.json(), {"id": "uuid", "name": "=ci", "key": "devkey", "created_at": "time"})
    bearer = {"Authorization": f"Bearer {made.json()['key']}"}
    assert nobody.get("/v1/deployments", headers=bearer).status_code == 200

    listed = user.account.get("/v1/api-keys")
    assert listed.status_code == 200
    fits(listed.json(), {"api_keys": [KEY], "pagination": PAGINATION})
    assert listed.json()["pagination"] == {"page": 1, "limit": 10, "total": 2, "total_pages": 1}
    newest, first = listed.json()["api_keys"]
    assert (newest["id"], first["name"]) == (made.json()["id"], "client")
    assert "key" not in newest
    assert newest["last_used"] is not None
    assert newest["expires_at"] is None
    page = user.account.get("/v1/api-keys", params={"page": 2, "limit": 1}).json()
    assert [key["id"] for key in page["api_keys"]] == [first["id"]]
    for wrong in ({"page": 0}, {"limit": 0}, {"limit": 101}, {"page": "x"}):
        assert next(iter(wrong)) in error_of(user.account.get("/v1/api-keys", params=wrong), 400)["details"]
    error_of(user.account.post("/v1/api-keys", json={"description": "nameless"}), 400)

    child = {"name": "child"}
    change = {"current_password": PASSWORD, "new_password": "x" * 12, "confirm_new_password": "x" * 12}
    for method, path, body in (
        ("POST", "/v1/api-keys", child),
        ("POST", "/v1/auth/logout", None),
        ("PUT", "/v1/user/password", change),
    ):
        error_of(nobody.request(method, path, headers=bearer, json=body), 403)

    one = f"/v1/api-keys/{made.json()['id']}"
    error_of(passer_by.account.delete(one), 404)
    gone = user.account.delete(one)
    assert (gone.status_code, gone.json()) == (200, {"message": "API key revoked successfully"})
    error_of(user.account.delete(one), 404)
    error_of(user.account.delete(f"/v1/api-keys/{uuid.uuid4()}"), 404)
    error_of(nobody.get("/v1/deployments", headers=bearer), 401)


def test_profile(user: Client, passer_by: Client, nobody: httpx.Client) -> None:
    profile = user.account.get("/v1/user/profile")
    assert profile.status_code == 200
    shape = {
        "id": f"={user.registration['user']['id']}",
        "username": f"={user.username}",
        "email": f"={user.email}",
        "created_at": "time",
        "last_login": "time",
        "is_active": "bool",
    }
    fits(profile.json(), shape)
    assert profile.json()["is_active"] is True

    renamed = user.account.put("/v1/user/profile", json={"username": user.username + "-x"})
    assert renamed.status_code == 200
    fits(renamed.json(), {"id": "uuid", "username": f"={user.username}-x", "email": "text", "updated_at": "time"})
    assert user.account.put("/v1/user/profile", json={}).status_code == 200
    error_of(user.account.put("/v1/user/profile", json={"username": passer_by.username}), 409)
    error_of(user.account.put("/v1/user/profile", json={"email": "no address"}), 400)

    change = {"current_password": PASSWORD, "new_password": "another 8 password", "confirm_new_password": "x"}
    differs = error_of(user.account.put("/v1/user/password", json=change), 400)
    assert "confirm_new_password" in differs["details"]
    change["confirm_new_password"] = change["new_password"]
    wrong = error_of(user.account.put("/v1/user/password", json=change | {"current_password": "wrong 1"}), 400)
    assert "current_password" in wrong["details"]
    changed = user.account.put("/v1/user/password", json=change)
    assert (changed.status_code, changed.json()) == (200, {"message": "Password updated successfully"})
    error_of(nobody.post("/v1/auth/login", json={"email": user.email, "password": PASSWORD}), 401)
    login = {"email": user.email, "password": change["new_password"]}
    assert nobody.post("/v1/auth/login", json=login).status_code == 200
