"""Bad input gets 400 in the document's shape, names the field as it was sent, and leaves nothing behind."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.backend.running_backend import error_of
from tests.surfaces.people import Person

GOOD: dict[str, Any] = {"appName": "never-made", "image": "busybox:latest", "port": 80}


def _fields(answer: httpx.Response) -> set[str]:
    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (400, "INVALID_REQUEST"), answer.text
    return set(error.get("details", {}).get("fields", {}))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"appName": "Not A Label"}, "appName"),
        ({"appName": ""}, "appName"),
        ({"appName": "a" * 64}, "appName"),
        ({"appName": "-a"}, "appName"),
        ({"appName": None}, "appName"),
        ({"appName": 7}, "appName"),
        ({"appName": "a\0b"}, "appName"),
        ({"image": "UPPER//case"}, "image"),
        ({"image": ""}, "image"),
        ({"port": 0}, "port"),
        ({"port": 65536}, "port"),
        ({"port": 10**30}, "port"),
        ({"port": "80"}, "port"),
        ({"port": 80.5}, "port"),
        ({"port": True}, "port"),
        ({"replicas": -1}, "replicas"),
        ({"replicas": 101}, "replicas"),
        ({"replicas": None}, "replicas"),
        ({"envVars": {"A": 1}}, "envVars.A"),
        ({"envVars": {"A B": "x"}}, "envVars.A B"),
        ({"envVars": {"some_name": "a\0"}}, "envVars.some_name"),
        ({"envVars": []}, "envVars"),
        ({"resources": {"cpu": "lots"}}, "resources.cpu"),
        ({"resources": {"cpu": "1000"}}, "resources.cpu"),
        ({"resources": {"memory": "16Ti"}}, "resources.memory"),
        ({"resources": {"memory": "128MiB"}}, "resources.memory"),
        ({"resources": {"memory": 128}}, "resources.memory"),
        ({"resources": {"memory": "\u0661\u0662\u0668Mi"}}, "resources.memory"),
        ({"resources": {"cpu": "\uff11"}}, "resources.cpu"),
        ({"resources": {"disk": "1Gi"}}, "resources.disk"),
        ({"healthCheck": {"path": "health"}}, "healthCheck.path"),
        ({"healthCheck": {}}, "healthCheck.path"),
        ({"healthCheck": {"path": "/", "periodSeconds": 0}}, "healthCheck.periodSeconds"),
        ({"healthCheck": {"path": "/", "initial_delay_seconds": 1}}, "healthCheck.initial_delay_seconds"),
        ({"registryAuth": {"username": "a"}}, "registryAuth.password"),
        ({"registryAuth": {"username": "", "password": "x"}}, "registryAuth.username"),
        ({"app_name": "x"}, "app_name"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_fields_of_a_new_deployment(resident: Person, change: dict[str, Any], field: str) -> None:
    assert field in _fields(resident.client.post("/v1/deployments", json=GOOD | change))


@pytest.mark.parametrize("missing", ["appName", "image", "port"])
def test_missing_fields(resident: Person, missing: str) -> None:
    body = {name: value for name, value in GOOD.items() if name != missing}
    assert _fields(resident.client.post("/v1/deployments", json=body)) == {missing}


def test_all_faults_at_once(resident: Person) -> None:
    body = {"appName": "Bad", "image": "Bad", "port": 0, "replicas": 101, "resources": {"cpu": "x", "memory": "y"}}
    wanted = {"appName", "image", "port", "replicas", "resources.cpu", "resources.memory"}
    assert _fields(resident.client.post("/v1/deployments", json=body)) == wanted


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"{",
        b"nonsense",
        b'{"appName": "a",}',
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"appName": "\xff\xfe"}',
        b'{"appName": "\\ud800", "image": "a", "port": 1}',
        b'{"appName": "a\x01"}',
        b'{"port": 1' + b"0" * 10_000 + b"}",
        b'{"port": NaN}',
        b'{"port": Infinity}',
        b"[]",
        b'"text"',
        b"null",
        b"1",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_bodies_that_are_no_json_object(resident: Person, body: bytes) -> None:
    answer = resident.client.post("/v1/deployments", content=body, headers={"Content-Type": "application/json"})
    _fields(answer)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b'{"name": "a", "name": "b"}', "name"),
        (b'{"name": "a", "description": "x", "na\\u006de": "a"}', "name"),
    ],
    ids=["plain", "escaped"],
)
def test_names_given_twice(resident: Person, body: bytes, name: str) -> None:
    answer = resident.client.post("/v1/api-keys", content=body, headers={"Content-Type": "application/json"})
    assert _fields(answer) == {name}
    nested = json.dumps(GOOD).encode()[:-1] + b', "envVars": {"A": "1", "B": "2", "A": "1"}}'
    answer = resident.client.post("/v1/deployments", content=nested, headers={"Content-Type": "application/json"})
    assert _fields(answer) == {"A"}


@pytest.mark.parametrize(
    "media_type", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x"]
)
def test_other_media_types(resident: Person, media_type: str | None) -> None:
    headers = {"Content-Type": media_type} if media_type else {}
    answer = resident.client.post("/v1/deployments", content=json.dumps(GOOD).encode(), headers=headers)
    assert _fields(answer) == set()
    assert "application/json" in error_of(answer)["message"]


def test_json_with_a_character_set(resident: Person) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert resident.client.put("/v1/user/profile", content=b"{}", headers=headers).status_code == 200


def test_a_body_that_is_too_large(resident: Person) -> None:
    body = b'{"appName": "' + b"a" * (2 * 2**20) + b'"}'
    announced = resident.client.post("/v1/deployments", content=body, headers={"Content-Type": "application/json"})
    assert (announced.status_code, error_of(announced)["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert "at most 1048576 bytes" in error_of(announced)["message"]
    pieces = iter([body[: 2**20], body[2**20 :]])
    streamed = resident.client.post("/v1/deployments", content=pieces, headers={"Content-Type": "application/json"})
    assert (streamed.status_code, error_of(streamed)["code"]) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=x", "page"),
        ("page=1.5", "page"),
        ("page=99999999999999999999999", "page"),
        ("page=", "page"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=%00", "limit"),
        ("status=updating", "status"),
        ("status=", "status"),
        ("status=RUNNING", "status"),
    ],
)
def test_queries_of_the_list(resident: Person, query: str, field: str) -> None:
    assert _fields(resident.client.get(f"/v1/deployments?{query}")) == {field}


@pytest.mark.parametrize(
    ("rest", "field"),
    [
        ("logs?tail=-1", "tail"),
        ("logs?tail=many", "tail"),
        ("logs?tail=10001", "tail"),
        ("logs?follow=maybe", "follow"),
        ("logs?since=yesterday", "since"),
        ("logs?until=2025-13-01T00:00:00Z", "until"),
        ("logs?since=2025-01-02T00:00:00Z&until=2025-01-01T00:00:00Z", "since"),
        ("logs?since=0001-01-01T00:00:00%2B14:00", "since"),
        ("metrics?from=1", "from"),
        ("metrics?to=x", "to"),
        ("metrics?from=2025-01-02T00:00:00Z&to=2025-01-01T00:00:00Z", "from"),
        ("metrics?resolution=2m", "resolution"),
        ("metrics?resolution=", "resolution"),
    ],
)
def test_queries_of_logs_and_metrics(resident: Person, rest: str, field: str) -> None:
    deployment = resident.idle_deployment
    assert _fields(resident.client.get(f"/v1/deployments/{deployment}/{rest}")) == {field}


def test_metrics_at_the_ends_of_time(resident: Person) -> None:
    for rest in ("to=0001-01-01T00:00:00Z", "to=0001-01-01T00:30:00Z&resolution=1d", "from=9999-12-31T23:59:59Z"):
        answer = resident.client.get(f"/v1/deployments/{resident.idle_deployment}/metrics?{rest}")
        assert answer.status_code in (200, 400), rest


@pytest.mark.parametrize(
    "when", ["2025-01-01T00:00:00Z", "2025-01-01", "2025-01-01T02:00:00+02:00", "2025-01-01T00:00"]
)
def test_times_in_iso_8601(resident: Person, when: str) -> None:
    deployment = resident.idle_deployment
    assert resident.client.get(f"/v1/deployments/{deployment}/logs", params={"since": when}).status_code == 200
    assert resident.client.get(f"/v1/deployments/{deployment}/logs?since={when}").status_code == 200, "an unescaped +"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"replicas": 101}, "replicas"),
        ({"image": "Bad Image"}, "image"),
        ({"envVars": {"1A": "x"}}, "envVars.1A"),
        ({"resources": {"cpu": "0"}}, "resources.cpu"),
        ({"appName": "other"}, "appName"),
        ({"port": 81}, "port"),
    ],
)
def test_updates(resident: Person, body: dict[str, Any], field: str) -> None:
    deployment = resident.idle_deployment
    assert field in _fields(resident.client.put(f"/v1/deployments/{deployment}", json=body))


@pytest.mark.parametrize("body", [{}, {"replicas": "2"}, {"replicas": -1}, {"replicas": 101}, {"replicas": None}])
def test_scaling(resident: Person, body: dict[str, Any]) -> None:
    deployment = resident.idle_deployment
    assert _fields(resident.client.patch(f"/v1/deployments/{deployment}/scale", json=body)) == {"replicas"}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/auth/register", {"username": "x"}, "email"),
        ("/v1/auth/register", {"username": "", "email": "no", "password": "1", "confirmPassword": "2"}, "email"),
        ("/v1/auth/login", {"email": "a@example.com"}, "password"),
        ("/v1/auth/login", {"email": 1, "password": "x"}, "email"),
        ("/v1/auth/refresh", {"refresh_token": "x"}, "refreshToken"),
        ("/v1/api-keys", {"name": ""}, "name"),
        ("/v1/api-keys", {"name": "a", "expiresAt": "soon"}, "expiresAt"),
        ("/v1/api-keys", {"name": "a", "expiresAt": "2001-01-01T00:00:00Z"}, "expiresAt"),
        ("/v1/api-keys", {"name": "a", "expiresAt": 4102444800}, "expiresAt"),
        ("/v1/api-keys", {"name": "a", "expiresAt": "4102444800"}, "expiresAt"),
        ("/v1/api-keys", {"name": "a", "expiresAt": "4102444800.5"}, "expiresAt"),
        ("/v1/api-keys", {"name": "a", "expiresAt": "9999-12-31T23:59:59-23:59"}, "expiresAt"),
        ("/v1/api-keys", {"name": "a", "expiresAt": "0001-01-01T00:00:00+23:59"}, "expiresAt"),
    ],
)
def test_accounts_and_keys(resident: Person, path: str, body: dict[str, Any], field: str) -> None:
    assert field in _fields(resident.client.post(path, json=body))


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/deployments", GOOD | {"resources": {"cpu": "1" * 100_000, "memory": "x" * 100_000}}),
        ("POST", "/v1/deployments", GOOD | {"resources": {"cpu": "0." + "0" * 100_000}}),
        ("POST", "/v1/auth/login", {"email": "a" * 900_000, "password": "x"}),
        ("POST", "/v1/auth/login", {"email": f"{'a' * 900_000}@example.com", "password": "x"}),
        (
            "POST",
            "/v1/auth/register",
            {
                "username": "x",
                "email": "".join(map(chr, range(0x4E00, 0x9000))) + "@",
                "password": "",
                "confirmPassword": "",
            },
        ),
        ("GET", f"/v1/{'n' * 20_000}", None),
        ("DELETE", f"/v1/deployments/{'n' * 20_000}", None),
        ("PUT", f"/v1/deployments/{'n' * 20_000}", {"replicas": 1}),
        ("DELETE", f"/v1/api-keys/{'n' * 20_000}", None),
    ],
    ids=["digits", "zeros", "name", "email", "letters", "path", "deployment", "update", "key"],
)
def test_errors_do_not_repeat_all_that_was_sent(
    resident: Person, method: str, path: str, body: dict[str, Any] | None
) -> None:
    answer = resident.client.request(method, path, json=body)
    assert answer.status_code in (400, 404)
    assert len(answer.content) < 2000


def test_images_that_cannot_be_had(resident: Person) -> None:
    before = resident.client.get("/v1/deployments").json()["pagination"]["total"]
    answer = resident.client.post("/v1/deployments", json=GOOD | {"image": "no-such-image-anywhere:1"})
    assert (answer.status_code, error_of(answer)["code"]) == (422, "UNPROCESSABLE_ENTITY")
    assert "image" in error_of(answer)["details"]["fields"]
    assert resident.client.get("/v1/deployments").json()["pagination"]["total"] == before


def test_a_change_to_an_image_that_needs_other_credentials(resident: Person) -> None:
    """A change has no place for credentials, which its refusal must not ask for."""
    path = f"/v1/deployments/{resident.idle_deployment}"
    answer = resident.client.put(path, json={"image": "127.0.0.1:5001/team/app:1"})
    assert (answer.status_code, error_of(answer)["code"]) == (422, "UNPROCESSABLE_ENTITY")
    assert error_of(answer)["details"]["reason"] == "denied"
    assert "credentials that were given at creation, and there were none" in error_of(answer)["message"]
    made = resident.client.post("/v1/deployments", json=GOOD | {"image": "127.0.0.1:5001/team/app:1"})
    assert "Give the registry's username and password" in error_of(made)["message"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "NOT_FOUND"),
        ("GET", "/", 404, "NOT_FOUND"),
        ("GET", "/v1/deployments/dpl-0000000000/domains", 404, "NOT_FOUND"),
        ("PATCH", "/v1/deployments", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/v1/auth/login", 405, "METHOD_NOT_ALLOWED"),
    ],
)
def test_paths_and_methods_that_are_not_there(resident: Person, method: str, path: str, status: int, code: str) -> None:
    answer = resident.client.request(method, path)
    assert (answer.status_code, error_of(answer)["code"]) == (status, code)
