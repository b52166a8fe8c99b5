"""The documented limits on a running server: who is counted as whom, the headers of every answer, and 429."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import redis
import websockets
import websockets.sync.client

from tests.backend.running_backend import RunningBackend, error_of
from tests.services.redis_server import RedisServer
from tests.surfaces.people import PASSWORD

HEADERS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
SURFACES = ("container-engine", "container-engine-snake")
ADDRESSES = (f"198.51.{high}.{low}" for high, low in itertools.product(range(256), range(1, 255)))


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBackend]:
    """A backend with the documented limits, behind a proxy that is trusted: this machine."""
    running = RunningBackend(tmp_path_factory.mktemp("limited"))
    running.extra_environment = {"PILOTHOUSE_RATE_LIMITS": "", "PILOTHOUSE_TRUSTED_PROXIES": "127.0.0.1"}
    try:
        yield running.start()
    finally:
        running.remove_everything()


def _client(backend: RunningBackend, surface: str = SURFACES[0], credential: str | None = None) -> httpx.Client:
    """From an address of its own."""
    headers = {"X-Forwarded-For": next(ADDRESSES)}
    if credential:
        headers["Authorization"] = f"Bearer {credential}"
    return httpx.Client(
        base_url=f"http://127.0.0.1:{backend.port}/{surface}", headers=headers, timeout=30, trust_env=False
    )


@pytest.fixture(scope="module")
def token(limited: RunningBackend) -> str:
    return _register(limited)


def _register(backend: RunningBackend) -> str:
    name = f"user-{secrets.token_hex(4)}"
    body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD, "confirmPassword": PASSWORD}
    with _client(backend) as client:
        assert client.post("/v1/auth/register", json=body).status_code == 201
        answer = client.post("/v1/auth/login", json={"email": body["email"], "password": PASSWORD})
    found: str = answer.json()["accessToken"]
    return found


def _limit(answer: httpx.Response) -> tuple[int, int]:
    """Limit and remaining; the reset is checked."""
    for name in HEADERS:
        assert len(answer.headers.get_list(name)) == 1, (answer.status_code, name, answer.headers)
    limit, remaining, reset = (int(answer.headers[name]) for name in HEADERS)
    assert 0 <= remaining <= limit
    assert time.time() - 1 < reset <= time.time() + 62
    return limit, remaining


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize(
    ("method", "path", "status", "limit"),
    [
        ("GET", "/v1/deployments", 200, 100),
        ("GET", "/v1/user/profile", 200, 100),
        ("GET", "/v1/deployments?page=0", 400, 100),
        ("GET", "/v1/deployments/dpl-0000000000", 404, 100),
        ("GET", "/v1/deployments/dpl-0000000000/status", 404, 100),
        ("GET", "/v1/deployments/dpl-0000000000/logs", 404, 60),
        ("GET", "/v1/deployments/dpl-0000000000/metrics", 404, 60),
        ("DELETE", "/v1/deployments/dpl-0000000000", 404, 30),
        ("PATCH", "/v1/deployments", 405, 30),
        ("POST", "/v1/api-keys", 400, 30),
        ("PUT", "/v1/user/profile", 400, 30),
        ("PUT", "/v1/user/password", 400, 10),
        ("POST", "/v1/auth/login", 400, 10),
        ("GET", "/v1/auth/login", 405, 10),
        ("GET", "/nowhere", 404, 100),
        ("POST", "/nowhere", 404, 30),
        ("GET", "/", 404, 100),
        ("GET", "/openapi.json", 200, 100),
        ("GET", "/docs", 200, 100),
    ],
)
def test_every_answer_has_the_headers(
    limited: RunningBackend, token: str, surface: str, method: str, path: str, status: int, limit: int
) -> None:
    with _client(limited, surface, token) as client:
        answer = client.request(method, path)
    assert answer.status_code == status
    assert _limit(answer)[0] == limit


def test_answers_to_nobody_and_to_too_much(limited: RunningBackend, token: str) -> None:
    with _client(limited) as client:
        nobody = client.get("/v1/deployments")
        assert nobody.status_code == 401
        assert _limit(nobody) == (100, 99)
        forged = client.get("/v1/deployments", headers={"Authorization": "Bearer ce_api_forged"})
        assert forged.status_code == 401
        assert _limit(forged) == (100, 98), "a credential that does not hold buys nothing"
    with _client(limited, credential=token) as client:
        large = client.post("/v1/api-keys", content=b" " * 2**21, headers={"Content-Type": "application/json"})
        assert large.status_code == 413
        assert _limit(large)[0] == 30


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [({"Host": "evil.example"}, 400, "INVALID_REQUEST"), ({"Origin": "http://evil.example"}, 403, "FORBIDDEN")],
)
def test_refused_hosts_and_pages_too(
    limited: RunningBackend, token: str, surface: str, headers: dict[str, str], status: int, code: str
) -> None:
    """In the surface's shape, and without using up what the visitor of such a page may ask."""
    with _client(limited, surface, token) as client:
        refused = [client.get("/v1/deployments", headers=headers) for _ in range(2)]
        assert [(answer.status_code, _limit(answer)) for answer in refused] == [
            (status, (100, 99)),
            (status, (100, 98)),
        ]
        error = refused[0].json()["error"]
        assert "evil.example" in error["message"]
        assert error.get("code") == (code if surface == "container-engine" else None)
        guessed = client.post("/v1/auth/login", json={}, headers=headers)
        assert (guessed.status_code, _limit(guessed)[0]) == (status, 10)
        assert _limit(client.post("/v1/auth/login", json={})) == (10, 9)
        url = f"ws://127.0.0.1:{limited.port}/{surface}/v1/events?token={token}"
        with (
            pytest.raises(websockets.InvalidStatus) as shut,
            websockets.sync.client.connect(url, proxy=None, additional_headers={"Origin": "http://evil.example"}),
        ):
            pass
    assert shut.value.response.status_code == 403
    assert "X-RateLimit-Limit" in shut.value.response.headers


def test_guessing_ends_at_ten_a_minute(limited: RunningBackend, token: str) -> None:
    body = {"email": "nobody@example.com", "password": "wrong 1 password"}
    with _client(limited) as client:
        for left in range(9, -1, -1):
            answer = client.post("/v1/auth/login", json=body)
            assert answer.status_code == 404
            assert _limit(answer) == (10, left)
        refused = client.post("/v1/auth/login", json=body)
        assert (refused.status_code, error_of(refused)["code"]) == (429, "RATE_LIMITED")
        assert _limit(refused) == (10, 0)
        wait = int(refused.headers["retry-after"])
        assert 1 <= wait <= 60
        assert abs(time.time() + wait - int(refused.headers["x-ratelimit-reset"])) < 3, "both name the same moment"
        for spelt in ("//v1/auth/login", "/v1//auth/login", "/v1/auth//login/"):
            other = httpx.post(
                f"http://127.0.0.1:{limited.port}/container-engine{spelt}",
                json=body,
                headers=dict(client.headers) | {"Authorization": f"Bearer {token}"},
                timeout=30,
            )
            assert other.status_code == 429, f"{spelt} is the same operation"
        with_token = client.post("/v1/auth/login", json=body, headers={"Authorization": f"Bearer {token}"})
        assert with_token.status_code == 429, "a valid credential buys no further guesses"
        assert client.get("/v1/deployments").status_code == 401, "reading is counted apart"
    with _client(limited) as elsewhere:
        assert elsewhere.post("/v1/auth/login", json=body).status_code == 404, "another address is not concerned"
    with _client(limited, "container-engine-snake") as snake:
        snake.headers["X-Forwarded-For"] = client.headers["X-Forwarded-For"]
        assert _limit(snake.post("/v1/auth/login", json=body)) == (10, 9), "surfaces are counted apart"


def test_refusals_of_the_snake_surface(limited: RunningBackend) -> None:
    with _client(limited, "container-engine-snake") as client:
        answers = [client.post("/v1/auth/login", json={}) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [400] * 10 + [429]
    error = answers[-1].json()["error"]
    assert set(error) <= {"message", "details"}
    assert "retry-after" in answers[-1].headers
    assert _limit(answers[-1]) == (10, 0)


def test_keys_are_counted_by_key_and_tokens_by_user(limited: RunningBackend) -> None:
    token = _register(limited)
    with _client(limited, credential=token) as client:
        keys = [client.post("/v1/api-keys", json={"name": f"key {n}"}).json()["apiKey"] for n in range(2)]
        first = _limit(client.get("/v1/deployments"))
    with _client(limited, credential=token) as client:
        assert _limit(client.get("/v1/deployments")) == (first[0], first[1] - 1), "wherever the user is"
    for key in keys:
        with _client(limited, credential=key) as client:
            assert _limit(client.get("/v1/deployments")) == (100, 99)
        with _client(limited, credential=key) as client:
            assert _limit(client.get("/v1/deployments")) == (100, 98)


def test_no_more_than_a_hundred_at_once(limited: RunningBackend) -> None:
    with _client(limited, credential=_register(limited)) as client:
        answers = [client.get("/v1/deployments") for _ in range(103)]
    assert [answer.status_code for answer in answers] == [200] * 100 + [429] * 3
    assert [_limit(answer)[1] for answer in answers] == [*range(99, -1, -1), 0, 0, 0]


def test_opening_a_socket_counts_as_reading(limited: RunningBackend) -> None:
    token = _register(limited)
    url = f"ws://127.0.0.1:{limited.port}/container-engine/v1/events?token={token}"

    def opened() -> Any:
        with websockets.sync.client.connect(url, proxy=None) as socket:
            return socket.response

    assert int(opened().headers["X-RateLimit-Remaining"]) == 99
    with _client(limited, credential=token) as client:
        assert _limit(client.get("/v1/deployments")) == (100, 98)
        for _ in range(98):
            client.get("/v1/deployments")
    with pytest.raises(websockets.InvalidStatus) as refused:
        opened()
    assert refused.value.response.status_code == 429
    assert "RATE_LIMITED" in refused.value.response.body.decode()
    assert int(refused.value.response.headers["Retry-After"]) >= 1


def test_who_is_not_counted(limited: RunningBackend) -> None:
    token = limited.owner_token()
    with limited.owner() as owner:
        for _ in range(130):
            answer = owner.get("/container-engine/v1/deployments", headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 200
    with _client(limited, "container-engine-snake") as probe:
        for _ in range(130):
            assert _limit(probe.get("/health")) == (100, 100)


def test_forwarded_addresses_of_strangers_do_not_count(backend: RunningBackend) -> None:
    with backend.tcp() as client:
        first = _limit(client.get("/v1/nowhere", headers={"X-Forwarded-For": "198.51.100.1"}))
        second = _limit(client.get("/v1/nowhere", headers={"X-Forwarded-For": "198.51.100.2"}))
    assert second[1] < first[1]


def test_backends_share_their_limits_in_redis(tmp_path_factory: pytest.TempPathFactory) -> None:
    server = RedisServer()
    server.start()
    backends = [RunningBackend(tmp_path_factory.mktemp("sharing")) for _ in range(2)]
    body = {"email": "nobody@example.com", "password": "wrong 1 password"}
    try:
        for backend in backends:
            backend.extra_environment = {"PILOTHOUSE_RATE_LIMITS": "", "REDIS_URL": server.url}
            backend.start().until_ready()
        clients = [backend.tcp() for backend in backends]
        left = [_limit(clients[turn % 2].post("/v1/auth/login", json=body))[1] for turn in range(10)]
        assert left == list(range(9, -1, -1))
        assert [client.post("/v1/auth/login", json=body).status_code for client in clients] == [429, 429]
        with redis.Redis(port=server.port) as store:
            assert [key for key in store.scan_iter() if b"authentication:address" in key]
        server.stop()
        assert [_limit(client.post("/v1/auth/login", json=body)) for client in clients] == [(10, 9)] * 2
        assert backends[0].log().count("counted by this process alone") == 1
        for client in clients:
            client.close()
    finally:
        server.stop()
        for backend in backends:
            backend.remove_everything()
