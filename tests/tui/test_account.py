"""The account screen, by keys and mouse, against a real backend."""

from __future__ import annotations

from typing import Any

import httpx

from tests.backend.running_backend import RunningBackend
from tests.tui.driving import text_of, type_text, until, until_gone, until_shown
from tui.app import PilothouseApp

PASSWORD = "correct-horse"


def keys_of(backend: RunningBackend) -> list[dict[str, Any]]:
    with backend.tcp(backend.owner_token()) as api:
        return list(api.get("/v1/api-keys").json()["apiKeys"])


async def test_keys_are_made_shown_once_and_revoked(app: PilothouseApp, backend: RunningBackend) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_shown(pilot, "No deployments yet")
        await pilot.press("A")
        await until_shown(pilot, "User", "E-mail", "No API keys", "on this machine")
        await pilot.press("n")
        await until_shown(pilot, "New API key")
        await pilot.press("ctrl+s")
        await until_shown(pilot, "Name is needed")
        await type_text(pilot, "pipeline")
        await pilot.press("ctrl+s")
        await until_shown(pilot, "This is shown only now", "API key pipeline")
        secret = next(
            word for line in text_of(pilot).splitlines() for word in line.split() if word.startswith("ce_api")
        )
        with backend.tcp(secret) as api:
            assert api.get("/v1/user/profile").status_code == 200
        await pilot.press("escape")
        await until_shown(pilot, "has not been copied")
        await pilot.press("c")
        await until(pilot, lambda: app.clipboard == secret, "the secret")
        await pilot.press("escape")
        await until_gone(pilot, secret)
        await pilot.press("r")
        await until_shown(pilot, "pipeline", "ce_api_…", "in 29d", "s ago")
        assert [key["name"] for key in keys_of(backend)] == ["pipeline"]
        await pilot.press("D")
        await until_shown(pilot, "Revoke the API key pipeline?", "refused at once")
        await pilot.press("n")
        await until_gone(pilot, "Revoke the API key")
        assert len(keys_of(backend)) == 1
        await pilot.press("D", "y")
        await until_shown(pilot, "No API keys")
        with backend.tcp(secret) as api:
            assert api.get("/v1/user/profile").status_code == 401
        await pilot.press("escape")
        await until_gone(pilot, "API keys (")


async def test_the_profile_and_a_first_password(app: PilothouseApp, backend: RunningBackend) -> None:
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until_shown(pilot, "No deployments yet")
        await pilot.press("colon")
        await pilot.pause()
        await type_text(pilot, "account")
        await pilot.press("enter")
        await until_shown(pilot, "User", "E-mail")
        await pilot.press("e")
        await until_shown(pilot, "Edit the profile")
        form = app.screen.query_one("Form")
        form.set_value("username", "x")  # type: ignore[attr-defined]
        form.set_value("email", "ann@example.com")  # type: ignore[attr-defined]
        await pilot.press("ctrl+s")
        await until_shown(pilot, "3 to 50 of")
        form.set_value("username", "ann")  # type: ignore[attr-defined]
        await pilot.press("ctrl+s")
        await until_shown(pilot, "ann@example.com", "The profile is changed")
        await until(pilot, lambda: type(app.screen).__name__ == "AccountScreen", "the account")

        await pilot.click("#account-hints", offset=(8, 0))
        await until_shown(pilot, "Once more", "Empty if this account has no password yet")
        await pilot.press("tab")
        await type_text(pilot, PASSWORD)
        await pilot.press("tab")
        await type_text(pilot, "else")
        await pilot.press("ctrl+s")
        await until_shown(pilot, "not the same password")
        await type_text(pilot, "x")
        app.screen.query_one("Form").set_value("again", PASSWORD)  # type: ignore[attr-defined]
        await pilot.press("ctrl+s")
        await until_shown(pilot, "The password is changed")
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            login = await client.post(
                f"http://127.0.0.1:{backend.port}/container-engine/v1/auth/login",
                json={"email": "ann@example.com", "password": PASSWORD},
            )
        assert login.status_code == 200

        await pilot.press("p")
        await until_shown(pilot, "Once more")
        form = app.screen.query_one("Form")
        for key, value in (("current", "wrong-one"), ("password", "another-horse"), ("again", "another-horse")):
            form.set_value(key, value)  # type: ignore[attr-defined]
        await pilot.press("ctrl+s")
        await until_shown(pilot, "the current password is wrong")
        assert list(form.errors) == ["current"]  # type: ignore[attr-defined]
