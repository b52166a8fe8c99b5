"""The document's limits on a running server: 5 a minute for authentication, 100 for the rest, and their headers."""

from __future__ import annotations

import itertools
import json
import secrets
import time
from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.backend.running_backend import RunningBackend
from tests.surfaces.devpocket.client import LIMIT_HEADERS, PASSWORD, error_of

ADDRESSES = (f"198.51.100.{number}" for number in itertools.count(1))
AUTH = "/api/v1/auth"


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBackend]:
    """A backend with the documented limits, behind a proxy that is trusted: this machine."""
    running = RunningBackend(tmp_path_factory.mktemp("limited"))
    running.extra_environment = {"PILOTHOUSE_RATE_LIMITS": "", "PILOTHOUSE_TRUSTED_PROXIES": "127.0.0.1"}
    try:
        yield running.start().until_ready()
    finally:
        running.remove_everything()


def _client(backend: RunningBackend, token: str | None = None) -> httpx.Client:
    """From an address of its own."""
    client = backend.devpocket(token)
    client.headers["X-Forwarded-For"] = next(ADDRESSES)
    return client


def _token(backend: RunningBackend) -> str:
    name = f"user-{secrets.token_hex(4)}"
    body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
    with _client(backend) as client:
        assert client.post(f"{AUTH}/register", json=body).status_code == 201
        answer = client.post(f"{AUTH}/login", json={"email": body["email"], "password": PASSWORD})
    found: str = answer.json()["access_token"]
    return found


def _limit(answer: httpx.Response) -> tuple[int, int]:
    """Limit and remaining; the reset is checked."""
    for name in LIMIT_HEADERS:
        assert len(answer.headers.get_list(name)) == 1, (answer.status_code, name)
    limit, remaining, reset = (int(answer.headers[name]) for name in LIMIT_HEADERS)
    assert 0 <= remaining <= limit
    assert time.time() - 1 < reset <= time.time() + 62
    return limit, remaining


@pytest.fixture(scope="module")
def token(limited: RunningBackend) -> str:
    return _token(limited)


@pytest.mark.parametrize(
    ("method", "path", "status", "limit"),
    [
        ("GET", "/health", 200, 100),
        ("GET", "/health/ready", 200, 100),
        ("GET", "/health/live", 200, 100),
        ("GET", "/api/v1/info", 200, 100),
        ("GET", f"{AUTH}/me", 200, 100),
        ("POST", f"{AUTH}/register", 422, 5),
        ("POST", f"{AUTH}/login", 422, 5),
        ("POST", f"{AUTH}/google", 422, 5),
        ("POST", f"{AUTH}/refresh", 401, 5),
        ("POST", f"{AUTH}/verify-email", 422, 5),
        ("POST", f"{AUTH}/resend-verification", 200, 5),
        ("GET", "/api/v1/environments", 200, 100),
        ("POST", "/api/v1/environments", 422, 100),
        ("GET", "/api/v1/environments/none", 404, 100),
        ("DELETE", "/api/v1/environments/none", 404, 100),
        ("GET", "/api/v1/templates", 200, 100),
        ("GET", "/api/v1/clusters", 403, 100),
        ("PATCH", "/api/v1/templates", 405, 100),
        ("GET", "/nowhere", 404, 100),
        ("GET", "/openapi.json", 200, 100),
        ("GET", "/docs", 200, 100),
    ],
)
def test_every_answer_has_the_headers(
    limited: RunningBackend, token: str, method: str, path: str, status: int, limit: int
) -> None:
    with _client(limited, token) as client:
        answer = client.request(method, path)
    assert answer.status_code == status, answer.text
    assert _limit(answer)[0] == limit


def test_guessing_ends_at_five_a_minute(limited: RunningBackend, token: str) -> None:
    body = {"email": "nobody@example.com", "password": "wrong 1 password"}
    with _client(limited) as client:
        for left in range(4, -1, -1):
            answer = client.post(f"{AUTH}/login", json=body)
            assert (answer.status_code, _limit(answer)) == (401, (5, left))
        refused = client.post(f"{AUTH}/login", json=body)
        error_of(refused, 429)
        assert _limit(refused) == (5, 0)
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        error_of(client.post(f"{AUTH}/verify-email", json={"token": "x"}), 429)
        with_token = client.post(f"{AUTH}/login", json=body, headers={"Authorization": f"Bearer {token}"})
        assert with_token.status_code == 429, "a valid credential buys no further guesses"
        assert client.get("/api/v1/info").status_code == 200, "the rest is counted apart"
    with _client(limited) as elsewhere:
        assert elsewhere.post(f"{AUTH}/login", json=body).status_code == 401, "another address is not concerned"


def test_a_hundred_a_minute_for_a_user_wherever_it_is(limited: RunningBackend) -> None:
    token = _token(limited)
    with _client(limited, token) as here, _client(limited, token) as there:
        answers = [(here, there)[turn % 2].get("/api/v1/templates") for turn in range(101)]
        assert [answer.status_code for answer in answers] == [200] * 100 + [429]
        assert [_limit(answer)[1] for answer in answers] == [*range(99, -1, -1), 0]
        error_of(answers[-1], 429)
        url = f"ws://127.0.0.1:{limited.devpocket_port}/api/v1/ws/logs/none?token={token}"
        with pytest.raises(InvalidStatus) as shut, connect(url, proxy=None):
            pass
        assert shut.value.response.status_code == 429
        assert set(json.loads(shut.value.response.body)) == {"detail", "errors"}
    with _client(limited) as nobody:
        assert _limit(nobody.get("/api/v1/templates")) == (100, 99), "who has no token is counted by address"


def test_foreign_hosts_and_pages_are_refused(limited: RunningBackend, token: str) -> None:
    with _client(limited, token) as client:
        for headers, status in (({"Host": "evil.example"}, 400), ({"Origin": "http://evil.example"}, 403)):
            refused = client.get("/api/v1/templates", headers=headers)
            assert "evil.example" in error_of(refused, status)
            assert _limit(refused)[0] == 100


def test_probes_are_not_counted(limited: RunningBackend) -> None:
    with _client(limited) as probe:
        for _ in range(110):
            assert _limit(probe.get("/health/live")) == (100, 100)
        assert probe.get("/health/ready").status_code == 200
