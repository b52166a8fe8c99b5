"""What errors say: in the surface's spelling, each name once, with what would be right."""

from __future__ import annotations

from typing import Any

import pytest

from tests.backend.running_backend import error_of
from tests.surfaces.people import Person

GOOD: dict[str, Any] = {"appName": "never-made", "image": "busybox:latest", "port": 80}


@pytest.mark.parametrize(
    ("method", "path", "body", "message", "field"),
    [
        ("GET", "deployments?page=9999999999", None, "page must be from 1 to 1000000000, not 9999999999", "page"),
        (
            "GET",
            "deployments/{mine}/metrics?from=9999-01-01T00:00:00Z",
            None,
            "from must not lie in the future",
            "from",
        ),
        ("POST", "deployments", GOOD | {"port": 0}, "port must be from 1 to 65535, not 0", "port"),
        (
            "POST",
            "deployments",
            GOOD | {"healthCheck": {"path": "/", "periodSeconds": 0}},
            "healthCheck.periodSeconds must be from 1 to 3600, not 0",
            "healthCheck.periodSeconds",
        ),
        (
            "POST",
            "api-keys",
            {"name": "a", "expiresAt": "2001-01-01T00:00:00Z"},
            "expiresAt must lie in the future; leave it out for a key that does not expire",
            "expiresAt",
        ),
        (
            "POST",
            "deployments/{mine}/domains",
            {"domain": "*.example.com"},
            "'*.example.com' is a wildcard: add each name by itself",
            "domain",
        ),
    ],
    ids=["page", "from", "port", "period", "expiry", "domain"],
)
def test_words(resident: Person, method: str, path: str, body: Any, message: str, field: str) -> None:
    where = path.format(mine=resident.idle_deployment)
    error = error_of(resident.client.request(method, f"/v1/{where}", json=body))
    assert error["message"] == message
    told = error["details"]["fields"][field]
    assert message.endswith(told)
    assert "_" not in told
    with resident.backend.snake(resident.token) as snake:
        answer = snake.request(method, f"/v1/{where}", json=_in_snake(body))
    details = answer.json()["error"]["details"]
    name, _, rest = details.partition(": ")
    assert name.replace("_", "") == field.lower()
    assert not rest.startswith((name, name.rpartition(".")[2]))


def _in_snake(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {
        "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name): _in_snake(inner)
        for name, inner in value.items()
    }


def test_every_fault_of_a_row_is_spelled(resident: Person) -> None:
    body = {"name": "", "expiresAt": "2001-01-01T00:00:00Z"}
    error = error_of(resident.client.post("/v1/api-keys", json=body))
    assert "; expiresAt must lie" in error["message"]


def test_an_image_id_is_no_name(resident: Person) -> None:
    answer = resident.client.post("/v1/deployments", json=GOOD | {"image": f"sha256:{'0' * 64}"})
    error = error_of(answer)
    assert (answer.status_code, error["details"]["reason"]) == (422, "not_found")
    assert "is the id of an image" in error["message"]
