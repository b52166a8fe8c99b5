"""The served descriptions: valid OpenAPI 3.1, complete, with examples that fit, and readable without a network."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.backend.running_backend import RunningBackend

_SHARED = """
POST /v1/auth/register|POST /v1/auth/login|POST /v1/auth/refresh|POST /v1/auth/logout
POST /v1/api-keys|GET /v1/api-keys|DELETE /v1/api-keys/{}
GET /v1/user/profile|PUT /v1/user/profile|PUT /v1/user/password
POST /v1/deployments|GET /v1/deployments|GET /v1/deployments/{}|PUT /v1/deployments/{}|DELETE /v1/deployments/{}
PATCH /v1/deployments/{}/scale|POST /v1/deployments/{}/stop|POST /v1/deployments/{}/start
GET /v1/deployments/{}/logs|GET /v1/deployments/{}/metrics|GET /v1/deployments/{}/status
POST /v1/deployments/{}/domains|GET /v1/deployments/{}/domains|DELETE /v1/deployments/{}/domains/{}
"""
_SNAKE = """
POST /v1/auth/forgot-password|POST /v1/auth/reset-password
GET /health|GET /v1/ws/health|GET /v1/notifications/test|GET /v1/notifications/stats
"""
_DEVPOCKET = """
GET /health|GET /health/ready|GET /health/live|GET /api/v1/info
POST /api/v1/auth/register|POST /api/v1/auth/login|POST /api/v1/auth/google|GET /api/v1/auth/me
POST /api/v1/auth/logout|POST /api/v1/auth/refresh|POST /api/v1/auth/verify-email|POST /api/v1/auth/resend-verification
POST /api/v1/environments|GET /api/v1/environments|GET /api/v1/environments/{}|PUT /api/v1/environments/{}
DELETE /api/v1/environments/{}|POST /api/v1/environments/{}/start|POST /api/v1/environments/{}/stop
POST /api/v1/environments/{}/restart|GET /api/v1/environments/{}/metrics|GET /api/v1/environments/{}/logs
GET /api/v1/templates|GET /api/v1/templates/{}|POST /api/v1/templates|PUT /api/v1/templates/{}
DELETE /api/v1/templates/{}|POST /api/v1/templates/initialize
POST /api/v1/clusters|GET /api/v1/clusters|GET /api/v1/clusters/regions|GET /api/v1/clusters/{}
PUT /api/v1/clusters/{}|DELETE /api/v1/clusters/{}|GET /api/v1/clusters/{}/health
"""


def _operations(text: str) -> set[str]:
    return set(text.strip().replace("\n", "|").split("|"))


DOCUMENTED = {
    "container-engine": _operations(_SHARED),
    "container-engine-snake": _operations(_SHARED) | _operations(_SNAKE),
    "devpocket": _operations(_DEVPOCKET),
}
# A wrong body, or field, is this.
INVALID = {"container-engine": "400", "container-engine-snake": "400", "devpocket": "422"}
HEADERS = {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}
surfaces = pytest.mark.parametrize("surface", list(DOCUMENTED))


@pytest.fixture(scope="module")
def description(backend: RunningBackend) -> Any:
    @cache
    def of(surface: str) -> dict[str, Any]:
        answer = httpx.get(f"http://127.0.0.1:{backend.port}/{surface}/openapi.json", trust_env=False, timeout=30)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        found: dict[str, Any] = answer.json()
        return found

    return of


def _each(found: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(method, path, one) for path, item in found["paths"].items() for method, one in item.items()]


@surfaces
def test_it_is_valid(description: Any, surface: str) -> None:
    found = description(surface)
    assert found["openapi"].startswith("3.1")
    assert list(OpenAPIV31SpecValidator(found).iter_errors()) == []


@surfaces
def test_every_documented_operation_is_there(description: Any, surface: str) -> None:
    each = _each(description(surface))
    assert {f"{method.upper()} {re.sub('{[^}]+}', '{}', path)}" for method, path, _ in each} == DOCUMENTED[surface]
    ids = [operation["operationId"] for _, _, operation in each]
    assert len(set(ids)) == len(ids)
    for _, _, operation in each:
        assert operation["summary"]
        assert operation["description"], operation["operationId"]


@surfaces
def test_every_answer_is_described(description: Any, surface: str) -> None:
    found = description(surface)
    for method, path, operation in _each(found):
        statuses = set(operation["responses"])
        assert {"429", "500"} <= statuses, (method, path)
        assert ("requestBody" in operation) <= ({INVALID[surface], "413"} <= statuses), (method, path)
        assert (operation.get("security") != []) <= ("401" in statuses), (method, path)
        assert ("{" in path) <= ("404" in statuses), (method, path)
        for status, response in operation["responses"].items():
            assert set(response["headers"]) >= HEADERS, (method, path, status)
            assert ("content" in response) == (status != "204"), (method, path, status)
        assert "Retry-After" in operation["responses"]["429"]["headers"]


@surfaces
def test_examples_fit_their_schemas(description: Any, surface: str) -> None:
    found = description(surface)
    bodies = 0
    for _, _, operation in _each(found):
        contents = [operation["requestBody"]["content"]] if "requestBody" in operation else []
        contents += [one["content"] for one in operation["responses"].values() if "content" in one]
        for content in contents:
            media = content["application/json"]
            schema = {**media["schema"], "components": found["components"]}
            Draft202012Validator(schema).validate(media["example"])
            bodies += 1
        for parameter in operation.get("parameters", ()):
            if "example" in parameter:
                Draft202012Validator(parameter["schema"]).validate(parameter["example"])
    assert bodies > 150


@pytest.mark.parametrize(
    ("surface", "model", "expected", "foreign"),
    [
        ("container-engine", "DeploymentDetailResponse", "appName", "app_name"),
        ("container-engine-snake", "DeploymentDetailResponse", "app_name", "appName"),
        ("devpocket", "EnvironmentResponse", "environment_variables", "env"),
    ],
)
def test_names_are_those_of_the_wire(description: Any, surface: str, model: str, expected: str, foreign: str) -> None:
    properties = description(surface)["components"]["schemas"][model]["properties"]
    assert expected in properties
    assert foreign not in properties


@surfaces
def test_the_address_is_where_it_was_asked(backend: RunningBackend, description: Any, surface: str) -> None:
    assert description(surface)["servers"] == [{"url": f"/{surface}"}]
    ports = {"container-engine": backend.bind_port, "container-engine-snake": backend.snake_port}
    port = ports.get(surface, backend.devpocket_port)
    bound = httpx.get(f"http://127.0.0.1:{port}/openapi.json", trust_env=False, timeout=30).json()
    assert bound["servers"] == [{"url": "/"}]
    assert bound["paths"] == description(surface)["paths"]


@surfaces
def test_the_page_needs_nothing_from_elsewhere(backend: RunningBackend, description: Any, surface: str) -> None:
    answer = httpx.get(f"http://127.0.0.1:{backend.port}/{surface}/docs", trust_env=False, timeout=30)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    for forbidden in ("<script", "src=", "<link", "@import", "url("):
        assert forbidden not in answer.text
    for link in re.findall(r'href="([^"#]+)"', answer.text):
        assert link.startswith("/"), link
        assert httpx.get(f"http://127.0.0.1:{backend.port}{link}", trust_env=False, timeout=30).status_code == 200
    for _, path, operation in _each(description(surface)):
        assert f'id="{operation["operationId"]}"' in answer.text
        assert f"<code>{path}</code>" in answer.text


def test_the_root_lists_the_surfaces(backend: RunningBackend) -> None:
    page = httpx.get(f"http://127.0.0.1:{backend.port}/docs", trust_env=False, timeout=30).text
    links = set(re.findall(r'href="([^"]+)"', page))
    assert links == {f"/{surface}/{rest}" for surface in DOCUMENTED for rest in ("docs", "openapi.json")}
