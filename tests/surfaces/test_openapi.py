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


def _operations(text: str) -> set[str]:
    return set(text.strip().replace("\n", "|").split("|"))


DOCUMENTED = {
    "container-engine": _operations(_SHARED),
    "container-engine-snake": _operations(_SHARED) | _operations(_SNAKE),
}
HEADERS = {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}
surfaces = pytest.mark.parametrize("surface", list(DOCUMENTED))


@pytest.fixture(scope="module")
def description(backend: RunningBackend) -> Any:
    @cache
    def of(surface: str) -> dict[str, Any]:
        answer = httpx.get(f"http://127.0.0.1:{backend.port}/{surface}/openapi.json", trust_env=False)
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
        assert ("requestBody" in operation) <= ({"400", "413"} <= statuses), (method, path)
        assert (operation.get("security") != []) <= ("401" in statuses), (method, path)
        assert ("{" in path) <= ("404" in statuses), (method, path)
        for status, response in operation["responses"].items():
            assert set(response["headers"]) >= HEADERS, (method, path, status)
            assert response["content"], (method, path, status)
        assert "Retry-After" in operation["responses"]["429"]["headers"]


@surfaces
def test_examples_fit_their_schemas(description: Any, surface: str) -> None:
    found = description(surface)
    bodies = 0
    for _, _, operation in _each(found):
        contents = [operation["requestBody"]["content"]] if "requestBody" in operation else []
        contents += [response["content"] for response in operation["responses"].values()]
        for content in contents:
            media = content["application/json"]
            schema = {**media["schema"], "components": found["components"]}
            Draft202012Validator(schema).validate(media["example"])
            bodies += 1
        for parameter in operation.get("parameters", ()):
            if "example" in parameter:
                Draft202012Validator(parameter["schema"]).validate(parameter["example"])
    assert bodies > 150


@surfaces
def test_names_are_those_of_the_wire(description: Any, surface: str) -> None:
    properties = description(surface)["components"]["schemas"]["DeploymentDetailResponse"]["properties"]
    expected, foreign = ("appName", "app_name") if surface == "container-engine" else ("app_name", "appName")
    assert expected in properties
    assert foreign not in properties


@surfaces
def test_the_address_is_where_it_was_asked(backend: RunningBackend, description: Any, surface: str) -> None:
    assert description(surface)["servers"] == [{"url": f"/{surface}"}]
    port = backend.bind_port if surface == "container-engine" else backend.snake_port
    bound = httpx.get(f"http://127.0.0.1:{port}/openapi.json", trust_env=False).json()
    assert bound["servers"] == [{"url": "/"}]
    assert bound["paths"] == description(surface)["paths"]


@surfaces
def test_the_page_needs_nothing_from_elsewhere(backend: RunningBackend, description: Any, surface: str) -> None:
    answer = httpx.get(f"http://127.0.0.1:{backend.port}/{surface}/docs", trust_env=False)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    for forbidden in ("<script", "src=", "<link", "@import", "url("):
        assert forbidden not in answer.text
    for link in re.findall(r'href="([^"#]+)"', answer.text):
        assert link.startswith("/"), link
        assert httpx.get(f"http://127.0.0.1:{backend.port}{link}", trust_env=False).status_code == 200
    for _, path, operation in _each(description(surface)):
        assert f'id="{operation["operationId"]}"' in answer.text
        assert f"<code>{path}</code>" in answer.text


def test_the_root_lists_the_surfaces(backend: RunningBackend) -> None:
    page = httpx.get(f"http://127.0.0.1:{backend.port}/docs", trust_env=False).text
    links = set(re.findall(r'href="([^"]+)"', page))
    assert links == {f"/{surface}/{rest}" for surface in DOCUMENTED for rest in ("docs", "openapi.json")}
