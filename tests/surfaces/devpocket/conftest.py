"""Users of the DevPocket surface, who know nothing but its base address, and templates that install in no time."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import httpx
import pytest

from tests.backend.running_backend import RunningBackend
from tests.surfaces.devpocket.client import Client


def _base(backend: RunningBackend) -> str:
    return f"http://127.0.0.1:{backend.devpocket_port}"


@pytest.fixture
def nobody(backend: RunningBackend) -> Iterator[httpx.Client]:
    """Without a credential."""
    with backend.devpocket() as client:
        yield client


@pytest.fixture
def user(backend: RunningBackend) -> Iterator[Client]:
    """A newly registered user; its environments are deleted at the end."""
    with Client.registered(_base(backend), f"dev-{secrets.token_hex(4)}") as found:
        yield found


@pytest.fixture(scope="session")
def dweller(backend: RunningBackend) -> Iterator[Client]:
    """One user for all tests that share what they make."""
    with Client.registered(_base(backend), "dweller") as found:
        yield found


@pytest.fixture(scope="session")
def outsider(backend: RunningBackend) -> Iterator[Client]:
    """Another one, who owns nothing."""
    with Client.registered(_base(backend), "outsider") as found:
        yield found


@pytest.fixture(scope="session")
def admin(backend: RunningBackend) -> Iterator[Client]:
    """The installation's owner."""
    with Client(_base(backend), backend.owner_token()) as found:
        yield found


@pytest.fixture(scope="session")
def shell(admin: Client) -> str:
    """The id of a template whose installation writes a line."""
    body = {
        "name": f"shell-{secrets.token_hex(4)}",
        "display_name": "A shell",
        "description": "busybox, and nothing more",
        "category": "operating_system",
        "docker_image": "busybox:latest",
        "default_resources": {"cpu": "200m", "memory": "64Mi", "storage": "1Gi"},
        "startup_commands": ["echo installed > /tmp/installed; echo hello from the installation"],
    }
    made = admin.http.post("/api/v1/templates", json=body)
    assert made.status_code == 201, made.text
    found: str = made.json()["id"]
    return found


@pytest.fixture(scope="session")
def home(dweller: Client, shell: str) -> str:
    """The id of an environment that runs, for tests that leave it running."""
    found = dweller.environment(shell)
    dweller.until(found, "running")
    return found
