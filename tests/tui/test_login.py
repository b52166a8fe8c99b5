"""Remote backends: log in, stay logged in, register, log out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backend.running_backend import RunningBackend, run_command
from tests.tui.driving import text_of, type_text, until, until_gone, until_shown
from tui.app import Options, PilothouseApp

PASSWORD = "correct-horse"


@pytest.fixture(autouse=True)
def no_desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Logins of tests never reach the keyring of whoever runs them."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "PILOTHOUSE_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def remote(backend: RunningBackend, folder: Path) -> PilothouseApp:
    url = f"http://127.0.0.1:{backend.port}"
    return PilothouseApp(Options(context=url, preferences_path=folder / "tui.toml"))


def register(backend: RunningBackend, name: str) -> None:
    with backend.tcp() as api:
        answer = api.post(
            "/v1/auth/register",
            json={
                "username": name,
                "email": f"{name}@example.com",
                "password": PASSWORD,
                "confirmPassword": PASSWORD,
            },
        )
    assert answer.status_code == 201, answer.text


async def test_log_in_come_back_and_log_out(backend: RunningBackend, tmp_path: Path) -> None:
    register(backend, "berta")
    kept = tmp_path / "logins.json"
    app = remote(backend, tmp_path)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_shown(pilot, "Log in at 127.0.0.1", "ctrl+n new account")
        form = app.screen.query_one("Form")
        form.set_value("email", "nobody@example.com")  # type: ignore[attr-defined]
        form.set_value("password", "wrong-horse")  # type: ignore[attr-defined]
        await pilot.press("ctrl+s")
        await until(pilot, lambda: list(form.errors) == ["email"], "a fault at the address")  # type: ignore[attr-defined]
        form.set_value("email", "berta@example.com")  # type: ignore[attr-defined]
        await pilot.press("ctrl+s")
        await until(pilot, lambda: list(form.errors) == ["password"], "a fault at the password")  # type: ignore[attr-defined]
        form.set_value("password", PASSWORD)  # type: ignore[attr-defined]
        await pilot.press("ctrl+s")
        await until_shown(pilot, "No deployments yet", "● live", "kept in")
        assert kept.stat().st_mode & 0o777 == 0o600

    (login,) = json.loads(kept.read_text()).values()
    # An access token that has ended is renewed without a word.
    kept.write_text(json.dumps({f"http://127.0.0.1:{backend.port}": login | {"access_token": "ended"}}))
    app = remote(backend, tmp_path)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_shown(pilot, "No deployments yet", "● live")
        await pilot.press("A")
        await until_shown(pilot, "berta@example.com", "with a login", "L Log out")
        await pilot.press("L")
        await until_shown(pilot, "Log in at 127.0.0.1", "berta@example.com")
        assert json.loads(kept.read_text()) == {}
        with backend.tcp() as api:
            renewed = api.post("/v1/auth/refresh", json={"refreshToken": login["refresh_token"]})
        assert renewed.status_code == 401
        app.screen.query_one("Form").set_value("password", PASSWORD)  # type: ignore[attr-defined]
        await pilot.press("ctrl+s")
        await until_shown(pilot, "● live")


async def test_register_from_the_login(backend: RunningBackend, tmp_path: Path) -> None:
    app = remote(backend, tmp_path)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_shown(pilot, "Log in at")
        await pilot.press("ctrl+n")
        await until_shown(pilot, "New account at")
        await type_text(pilot, "carla")
        form = app.screen.query_one("Form")
        for key, value in (("email", "carla@example.com"), ("password", PASSWORD), ("again", PASSWORD)):
            form.set_value(key, value)  # type: ignore[attr-defined]
        await pilot.press("ctrl+s")
        await until_shown(pilot, "No deployments yet", "● live")
        assert app.backend is not None
        assert app.backend.session.username == "carla"


@pytest.fixture
def by_invitation(tmp_path: Path) -> Iterator[RunningBackend]:
    running = RunningBackend(tmp_path / "by-invitation")
    running.extra_environment = {"PILOTHOUSE_REGISTRATION": "invite"}
    try:
        yield running.start()
    finally:
        running.remove_everything()


async def test_register_by_invitation(by_invitation: RunningBackend, tmp_path: Path) -> None:
    invited = run_command(by_invitation.data_dir, "admin", "invite", "--email", "dora@example.com").stdout
    (code,) = re.findall(r"ce_invite_[0-9a-f]+", invited)
    app = remote(by_invitation, tmp_path)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_shown(pilot, "Log in at")
        await pilot.press("ctrl+n")
        await until_shown(pilot, "New account at", "Invitation")
        form = app.screen.query_one("Form")
        values = {"username": "dora", "email": "dora@example.com", "password": PASSWORD, "again": PASSWORD}
        for key, value in values.items():
            form.set_value(key, value)  # type: ignore[attr-defined]
        await pilot.press("ctrl+s")
        await until(pilot, lambda: list(form.errors) == ["invitation"], "a fault at the invitation")  # type: ignore[attr-defined]
        form.set_value("invitation", f" {code} ")  # type: ignore[attr-defined]
        await pilot.press("ctrl+s")
        await until_shown(pilot, "No deployments yet", "● live")


async def test_who_leaves_the_login_is_told_and_can_come_again(backend: RunningBackend, tmp_path: Path) -> None:
    app = remote(backend, tmp_path)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_shown(pilot, "Log in at")
        await pilot.press("escape")
        await until_shown(pilot, "You are not logged in at 127.0.0.1", "ctrl+r")
        await pilot.press("ctrl+r")
        await until_shown(pilot, "Log in at")
        await pilot.press("escape")
        await until_gone(pilot, "Log in at")
        assert "Traceback" not in text_of(pilot)
