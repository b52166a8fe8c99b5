"""Bad input gets 400 in the document's shape, and `details` names the fields as they were sent."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.surfaces.container_engine_snake.client import Client, error_of

GOOD: dict[str, Any] = {"app_name": "never-made", "image": "busybox:latest", "port": 80}


def _fields(answer: httpx.Response) -> set[str]:
    """The names before the colons in `details`."""
    details = error_of(answer, 400).get("details", "")
    return {part.partition(": ")[0] for part in details.split("; ")} if details else set()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"app_name": "Not A Label"}, "app_name"),
        ({"app_name": None}, "app_name"),
        ({"app_name": "a\0b"}, "app_name"),
        ({"image": "UPPER//case"}, "image"),
        ({"port": 65536}, "port"),
        ({"port": "80"}, "port"),
        ({"replicas": 101}, "replicas"),
        ({"env_vars": {"A": 1}}, "env_vars.A"),
        ({"env_vars": {"A B": "x"}}, "env_vars.A B"),
        ({"env_vars": {"some_name": "a\0"}}, "env_vars.some_name"),
        ({"resources": {"cpu": "lots"}}, "resources.cpu"),
        ({"resources": {"memory": "128MiB"}}, "resources.memory"),
        ({"health_check": {"path": "health"}}, "health_check.path"),
        ({"health_check": {}}, "health_check.path"),
        ({"health_check": {"path": "/", "period_seconds": 0}}, "health_check.period_seconds"),
        ({"health_check": {"path": "/", "periodSeconds": 1}}, "health_check.periodSeconds"),
        ({"registry_auth": {"username": "a"}}, "registry_auth.password"),
        ({"registry_auth": {"username": "", "password": "x"}}, "registry_auth.username"),
        ({"appName": "x"}, "appName"),
    ],
)
def test_fields_of_a_new_deployment(settler: Client, change: dict[str, Any], field: str) -> None:
    assert field in _fields(settler.api.post("/v1/deployments", json=GOOD | change))


def test_all_faults_at_once(settler: Client) -> None:
    body = {"app_name": "Bad", "image": "Bad", "port": 0, "replicas": 101, "resources": {"cpu": "x", "memory": "y"}}
    wanted = {"app_name", "image", "port", "replicas", "resources.cpu", "resources.memory"}
    assert _fields(settler.api.post("/v1/deployments", json=body)) == wanted


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/v1/auth/register", {"username": "x"}, "confirm_password"),
        ("POST", "/v1/auth/login", {"email": 1, "password": "x"}, "email"),
        ("POST", "/v1/auth/refresh", {"refreshToken": "x"}, "refresh_token"),
        ("POST", "/v1/auth/forgot-password", {}, "email"),
        ("POST", "/v1/auth/reset-password", {"token": "x"}, "new_password"),
        ("POST", "/v1/auth/reset-password", {"token": "x", "new_password": "short"}, "new_password"),
        ("POST", "/v1/api-keys", {"name": ""}, "name"),
        ("POST", "/v1/api-keys", {"name": "a", "expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ("POST", "/v1/api-keys", {"name": "a", "expires_at": "9999-12-31T23:59:59-23:59"}, "expires_at"),
        ("POST", "/v1/api-keys", {"name": "a", "expires_at": "0001-01-01T00:00:00+23:59"}, "expires_at"),
        ("PUT", "/v1/user/profile", {"email": "no"}, "email"),
        ("PUT", "/v1/user/password", {"current_password": "x"}, "new_password"),
        ("PUT", "/v1/deployments/{mine}", {"env_vars": {"1A": "x"}}, "env_vars.1A"),
        ("PUT", "/v1/deployments/{mine}", {"port": 81}, "port"),
        ("PATCH", "/v1/deployments/{mine}/scale", {}, "replicas"),
        ("PATCH", "/v1/deployments/{mine}/scale", {"replicas": -1}, "replicas"),
        ("POST", "/v1/deployments/{mine}/domains", {}, "domain"),
        ("POST", "/v1/deployments/{mine}/domains", {"domain": 7}, "domain"),
    ],
)
def test_other_bodies(settler: Client, method: str, path: str, body: dict[str, Any], field: str) -> None:
    mine = settler.idle_deployment
    assert field in _fields(settler.account.request(method, path.format(mine=mine), json=body))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("deployments?page=0", "page"),
        ("deployments?limit=101", "limit"),
        ("deployments?status=updating", "status"),
        ("api-keys?page=x", "page"),
        ("deployments/{mine}/logs?tail=-1", "tail"),
        ("deployments/{mine}/logs?follow=maybe", "follow"),
        ("deployments/{mine}/metrics?resolution=2m", "resolution"),
        ("deployments/{mine}/metrics?from=yesterday", "from"),
    ],
)
def test_queries(settler: Client, query: str, field: str) -> None:
    path = query.format(mine=settler.idle_deployment)
    assert _fields(settler.account.get(f"/v1/{path}")) == {field}


def test_images_that_cannot_be_had(settler: Client) -> None:
    refused = settler.api.post("/v1/deployments", json=GOOD | {"image": "no-such-image-anywhere:1"})
    assert error_of(refused, 422)["details"].startswith("image: ")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"app_name": "\xff"}'])
def test_bodies_that_are_no_json_object(settler: Client, body: bytes) -> None:
    answer = settler.api.post("/v1/deployments", content=body, headers={"Content-Type": "application/json"})
    assert "details" not in error_of(answer, 400), "left out where there is nothing more to say"


def test_paths_and_methods_that_are_not_there(settler: Client) -> None:
    error_of(settler.api.get("/v1/nothing"), 404)
    error_of(settler.api.get("/container-engine-snake/v1/deployments"), 404)
    refused = settler.api.patch("/v1/deployments", json={})
    error_of(refused, 405)
    assert "GET" in refused.headers["allow"]


def test_the_served_description_has_every_operation(settler: Client) -> None:
    paths = settler.api.get("/openapi.json").json()["paths"]
    served = {(method.upper(), path) for path, item in paths.items() for method in item}
    one, domains = "/v1/deployments/{deployment_id}", "/v1/deployments/{deployment_id}/domains"
    assert served == {
        *(("POST", f"/v1/auth/{name}") for name in ("register", "login", "refresh", "logout")),
        *(("POST", f"/v1/auth/{name}-password") for name in ("forgot", "reset")),
        *((method, "/v1/api-keys") for method in ("GET", "POST")),
        ("DELETE", "/v1/api-keys/{key_id}"),
        *((method, "/v1/user/profile") for method in ("GET", "PUT")),
        ("PUT", "/v1/user/password"),
        *((method, "/v1/deployments") for method in ("GET", "POST")),
        *((method, one) for method in ("GET", "PUT", "DELETE")),
        ("PATCH", f"{one}/scale"),
        *(("POST", f"{one}/{name}") for name in ("stop", "start")),
        *((method, domains) for method in ("GET", "POST")),
        ("DELETE", f"{domains}/{{domain_id}}"),
        *(("GET", f"{one}/{name}") for name in ("logs", "metrics", "status")),
        *(("GET", f"/v1/notifications/{name}") for name in ("test", "stats")),
        ("GET", "/health"),
        ("GET", "/v1/ws/health"),
    }
    assert len(served) == 29 + 1, "the document's, and health asked where the socket is"
