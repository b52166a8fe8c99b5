"""Login with Google through the API, its keys served by a stand-in on this machine."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.backend.running_backend import RunningBackend
from tests.delivery.google import CLIENT_ID, Google, google
from tests.surfaces.devpocket.client import PASSWORD, error_of
from tests.surfaces.devpocket.test_accounts import AUTH, TOKENS, USER
from tests.surfaces.shapes import fits


@pytest.fixture(scope="module")
def sign_in() -> Iterator[Google]:
    with google() as found:
        yield found


@pytest.fixture(scope="module")
def with_google(tmp_path_factory: pytest.TempPathFactory, sign_in: Google) -> Iterator[RunningBackend]:
    running = RunningBackend(tmp_path_factory.mktemp("google"))
    running.extra_environment = {"GOOGLE_CLIENT_ID": CLIENT_ID, "PILOTHOUSE_GOOGLE_JWKS_URL": sign_in.url}
    try:
        yield running.start()
    finally:
        running.remove_everything()


def test_login_with_google(with_google: RunningBackend, sign_in: Google) -> None:
    with with_google.devpocket() as client:
        login = client.post(f"{AUTH}/google", json={"token": sign_in.token()})
        assert login.status_code == 200, login.text
        fits(login.json(), TOKENS)
        again = client.post(f"{AUTH}/google", json={"id_token": sign_in.token()})
        assert again.json()["user"] == login.json()["user"]
        me = client.get(f"{AUTH}/me", headers={"Authorization": f"Bearer {login.json()['access_token']}"})
        fits(me.json(), USER | {"email": "=grace@example.com", "full_name": "=Grace Hopper", "avatar_url": "text"})
        assert me.json()["is_verified"] is True
        error_of(client.post(f"{AUTH}/google", json={"token": sign_in.token(aud="another")}), 401)
        error_of(client.post(f"{AUTH}/google", json={"token": sign_in.token(email_verified=False)}), 401)
        error_of(client.post(f"{AUTH}/google", json={"token": "no token"}), 401)
        error_of(client.post(f"{AUTH}/google", json={}), 422, "token")


def test_an_unproved_address_is_not_taken_over(with_google: RunningBackend, sign_in: Google) -> None:
    name = f"mallory-{secrets.token_hex(4)}"
    with with_google.devpocket() as client:
        body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
        assert client.post(f"{AUTH}/register", json=body).status_code == 201
        owner = sign_in.token(sub=name, email=body["email"])
        assert "never verified" in error_of(client.post(f"{AUTH}/google", json={"token": owner}), 400)
