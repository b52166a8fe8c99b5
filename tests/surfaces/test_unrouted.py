"""What is asked where there is nothing, or of a path as such."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.backend.running_backend import RunningBackend
from tests.surfaces.people import Person

PATHS = {
    "container-engine": ("/v1/nope", "/v1/deployments", "/"),
    "container-engine-snake": ("/v1/nope", "/v1/deployments", "/", "/health"),
    "devpocket": ("/api/v1/nope", "/api/v1/environments", "/", "/health"),
    "pilothouse": ("/v1/nope", "/v1/system", "/"),
}


def _refusal(backend: RunningBackend, path: str) -> InvalidStatus:
    with pytest.raises(InvalidStatus) as refused, connect(f"ws://127.0.0.1:{backend.port}{path}", proxy=None):
        pass
    return refused.value


@pytest.mark.parametrize("surface", PATHS)
def test_sockets_that_are_not_there(backend: RunningBackend, surface: str) -> None:
    for path in PATHS[surface]:
        answer = _refusal(backend, f"/{surface}{path}").response
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/json"
        assert ("X-RateLimit-Limit" in answer.headers) == (surface != "pilothouse")
        body = json.loads(answer.body)
        said = body["detail"] if surface == "devpocket" else body["error"]["message"]
        assert said == f"There is no socket at {path}"


@pytest.mark.parametrize("path", ["/", "/nope", "/health/live"])
def test_sockets_beside_the_surfaces(backend: RunningBackend, path: str) -> None:
    answer = _refusal(backend, path).response
    assert (answer.status_code, json.loads(answer.body)["error"]["code"]) == (404, "NOT_FOUND")


def _surfaces(person: Person) -> AbstractContextManager[httpx.Client]:
    return httpx.Client(
        base_url=f"http://127.0.0.1:{person.backend.port}",
        headers={"Authorization": f"Bearer {person.token}"},
        trust_env=False,
        timeout=30,
    )


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/container-engine/v1/deployments", {"GET", "POST"}),
        ("/container-engine/v1/deployments/dpl-0000000000", {"GET", "PUT", "DELETE"}),
        ("/container-engine-snake/v1/api-keys", {"GET", "POST"}),
        ("/devpocket/api/v1/environments", {"GET", "POST"}),
        ("/health/live", {"GET", "HEAD"}),
    ],
)
def test_options_name_every_method(resident: Person, path: str, methods: set[str]) -> None:
    with _surfaces(resident) as client:
        answer = client.options(path)
        assert answer.status_code == 204
        assert set(answer.headers.get_list("allow", split_commas=True)) == methods | {"OPTIONS"}
        refused = client.patch(path)
        assert refused.status_code == 405
        assert set(refused.headers.get_list("allow", split_commas=True)) == methods | {"OPTIONS"}


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_probes_may_ask_for_the_head_alone(resident: Person, path: str) -> None:
    with _surfaces(resident) as client:
        whole, head = client.get(path), client.head(path)
        assert head.status_code == whole.status_code == 200
        assert head.content == b""
        assert head.headers["content-type"] == whole.headers["content-type"]
