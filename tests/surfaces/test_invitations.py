"""Registration by invitation, over each surface that registers; no document knows of it, so the code is a header."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.backend.running_backend import RunningBackend, run_command

PASSWORD = "Correct-horse-7"


@pytest.fixture(scope="module")
def by_invitation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBackend]:
    running = RunningBackend(tmp_path_factory.mktemp("by-invitation"))
    running.extra_environment = {"PILOTHOUSE_REGISTRATION": "invite"}
    try:
        yield running.start()
    finally:
        running.remove_everything()


def invite(backend: RunningBackend, email: str) -> str:
    """The code, while the backend runs."""
    done = run_command(backend.data_dir, "admin", "invite", "--email", email)
    assert done.returncode == 0, done.stderr
    (code,) = re.findall(r"ce_invite_[0-9a-f]{64}", done.stdout)
    return str(code)


def entrance(backend: RunningBackend, surface: str, name: str) -> tuple[httpx.Client, str, dict[str, Any]]:
    """Where and with what to register there."""
    body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
    if surface == "devpocket":
        return backend.devpocket(), "/api/v1/auth/register", body
    if surface == "container-engine-snake":
        return backend.snake(), "/v1/auth/register", body | {"confirm_password": PASSWORD}
    return backend.tcp(), "/v1/auth/register", body | {"confirmPassword": PASSWORD}


@pytest.mark.parametrize("surface", ["container-engine", "container-engine-snake", "devpocket"])
def test_the_header_lets_in_whom_an_administrator_invited(by_invitation: RunningBackend, surface: str) -> None:
    name = f"ada-{surface}"
    client, path, body = entrance(by_invitation, surface, name)
    with client:
        refused = client.post(path, json=body)
        assert refused.status_code == 403
        assert "X-Invitation-Code" in refused.text
        code = invite(by_invitation, f"{name}@example.com")
        for wrong in (code[:-1], "é".encode(), "x" * 3000):
            assert client.post(path, json=body, headers={"X-Invitation-Code": wrong}).status_code == 403
        invited = {"X-Invitation-Code": code}
        assert client.post(path, json=body | {"email": "eve@example.com"}, headers=invited).status_code == 403
        made = client.post(path, json=body, headers=invited)
        assert made.status_code == 201, made.text
        assert client.post(path, json=body | {"username": "again"}, headers=invited).status_code == 403
    assert code not in by_invitation.log()


def test_the_command_says_what_is_wrong(by_invitation: RunningBackend) -> None:
    def asked(*more: str) -> tuple[int, str]:
        done = run_command(by_invitation.data_dir, "admin", "invite", *more)
        return done.returncode, done.stderr

    code, why = asked("--email", "nobody")
    assert (code, "not a valid address" in why) == (1, True)
    assert "days" in asked("--email", "ben@example.com", "--days", "0")[1]
    # This command's own settings do not ask for invitations: it says so.
    assert "PILOTHOUSE_REGISTRATION=invite" in asked("--email", "ben@example.com")[1]
    assert asked()[0] == 2
