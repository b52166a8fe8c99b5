"""One backend for all tests of the surfaces, and users made through its API."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import httpx
import pytest

from tests.backend.running_backend import RunningBackend
from tests.surfaces.people import Person


@pytest.fixture(scope="session")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBackend]:
    running = RunningBackend(tmp_path_factory.mktemp("backend"))
    try:
        yield running.start().until_ready()
    finally:
        running.remove_everything()


@pytest.fixture
def anyone(backend: RunningBackend) -> Iterator[httpx.Client]:
    """Without a credential."""
    with backend.tcp() as client:
        yield client


@pytest.fixture
def person(backend: RunningBackend, anyone: httpx.Client) -> Iterator[Person]:
    """A newly registered user, logged in; its deployments are deleted at the end."""
    found = Person.register(backend, anyone, f"user-{secrets.token_hex(4)}")
    try:
        yield found
    finally:
        found.leave()


@pytest.fixture
def other(backend: RunningBackend, anyone: httpx.Client) -> Iterator[Person]:
    """Another one."""
    found = Person.register(backend, anyone, f"other-{secrets.token_hex(4)}")
    try:
        yield found
    finally:
        found.leave()


@pytest.fixture(scope="session")
def resident(backend: RunningBackend) -> Iterator[Person]:
    """One user for all tests that change nothing: registering costs two password hashes."""
    with backend.tcp() as client:
        found = Person.register(backend, client, "resident")
    try:
        yield found
    finally:
        found.leave()


@pytest.fixture(scope="session")
def stranger(backend: RunningBackend) -> Iterator[Person]:
    """Another one, who owns nothing."""
    with backend.tcp() as client:
        found = Person.register(backend, client, "stranger")
    try:
        yield found
    finally:
        found.leave()
