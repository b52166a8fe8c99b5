"""Users of the snake_case surface, who know nothing but its base address."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import httpx
import pytest

from tests.backend.running_backend import RunningBackend
from tests.surfaces.container_engine_snake.client import Client


@pytest.fixture
def nobody(backend: RunningBackend) -> Iterator[httpx.Client]:
    """Without a credential."""
    with backend.snake() as client:
        yield client


@pytest.fixture
def user(backend: RunningBackend) -> Iterator[Client]:
    """A newly registered user; its deployments are deleted at the end."""
    with Client.registered(f"http://127.0.0.1:{backend.snake_port}", f"snake-{secrets.token_hex(4)}") as found:
        yield found


@pytest.fixture(scope="session")
def settler(backend: RunningBackend) -> Iterator[Client]:
    """One user for all tests that change nothing."""
    with Client.registered(f"http://127.0.0.1:{backend.snake_port}", "settler") as found:
        yield found


@pytest.fixture(scope="session")
def passer_by(backend: RunningBackend) -> Iterator[Client]:
    """Another one, who owns nothing."""
    with Client.registered(f"http://127.0.0.1:{backend.snake_port}", "passer-by") as found:
        yield found
