"""Environments and templates as the document has them, on a real engine."""

from __future__ import annotations

import secrets
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import docker
import httpx
import pytest

from tests.surfaces.devpocket.client import PATIENCE_SECONDS, Client, error_of
from tests.surfaces.shapes import fits

RESOURCES = {"cpu": "text", "memory": "text", "storage": "text"}
ENVIRONMENT = {
    "id": "uuid",
    "name": "text",
    "description": "text?",
    "template_id": "uuid",
    "template_name": "text",
    "status": "text",
    "docker_image": "text",
    "port": "int",
    "resources": RESOURCES,
    "environment_variables": "texts",
    "installation_completed": "bool",
    "created_at": "time",
    "updated_at": "time",
    "last_activity": "time?",
}
TEMPLATE = {
    "id": "uuid",
    "name": "text",
    "display_name": "text",
    "description": "text",
    "category": "text",
    "tags": ["text"],
    "docker_image": "text",
    "default_port": "int",
    "default_resources": RESOURCES,
    "environment_variables": "texts",
    "startup_commands": ["text"],
    "documentation_url": "text?",
    "icon_url": "text?",
    "status": "text",
    "version": "text",
    "created_at": "time",
    "updated_at": "time",
    "usage_count": "int",
}
DEFAULTS = {
    "Python 3.11": ("python:3.11-slim", 8080, "500m", "1Gi", "10Gi"),
    "Node.js 18 LTS": ("node:18-slim", 3000, "500m", "1Gi", "10Gi"),
    "Go 1.21": ("golang:1.21-alpine", 8080, "500m", "1Gi", "10Gi"),
    "Rust Latest": ("rust:latest", 8080, "1000m", "2Gi", "15Gi"),
    "Ubuntu 22.04 LTS": ("ubuntu:22.04", 8080, "500m", "1Gi", "10Gi"),
}
ENVIRONMENTS, TEMPLATES = "/api/v1/environments", "/api/v1/templates"


def test_a_life(user: Client, outsider: Client, shell: str) -> None:
    body = {
        "name": "my machine",
        "template_id": shell,
        "description": "for the course",
        "resources": {"memory": "96Mi"},
        "environment_variables": {"EDITOR": "vi", "COUNT": 3, "DEBUG": True},
    }
    made = user.http.post(ENVIRONMENTS, json=body)
    assert made.status_code == 201
    fits(made.json(), ENVIRONMENT | {"name": "=my machine", "description": "=for the course"})
    assert made.json()["status"] in ("creating", "installing")
    assert made.json()["resources"] == {"cpu": "200m", "memory": "96Mi", "storage": "1Gi"}
    assert made.json()["environment_variables"] == {"EDITOR": "vi", "COUNT": "3", "DEBUG": "true"}
    assert made.json()["installation_completed"] is False
    error_of(user.http.post(ENVIRONMENTS, json=body), 400, "name")
    one = f"{ENVIRONMENTS}/{made.json()['id']}"

    running = user.until(made.json()["id"], "running")
    fits(running, ENVIRONMENT)
    assert running["installation_completed"] is True
    error_of(user.http.post(f"{one}/start"), 400)
    listed = user.http.get(ENVIRONMENTS)
    assert listed.status_code == 200
    fits(listed.json(), [ENVIRONMENT])
    assert [found["id"] for found in listed.json()] == [running["id"]]
    for query, count in (
        ({"status": "running"}, 1),
        ({"status": "stopped"}, 0),
        ({"template_id": shell}, 1),
        ({"template_id": "00000000-0000-4000-8000-000000000000"}, 0),
        ({"status": "running", "template_id": shell}, 1),
    ):
        assert len(user.http.get(ENVIRONMENTS, params=query).json()) == count, query
    assert outsider.http.get(ENVIRONMENTS).json() == []

    stopped = user.http.post(f"{one}/stop")
    assert stopped.status_code == 200
    fits(stopped.json(), {"message": "text"})
    user.until(running["id"], "stopped")
    error_of(user.http.post(f"{one}/stop"), 400)
    resting = user.http.get(f"{one}/metrics").json()
    assert (resting["cpu"]["usage"], resting["memory"]["usage"]) == (0, 0)
    started = user.http.post(f"{one}/start")
    assert started.status_code == 200
    fits(started.json(), {"message": "text"})
    user.until(running["id"], "running")
    restarted = user.http.post(f"{one}/restart")
    assert restarted.status_code == 200
    fits(restarted.json(), {"message": "text"})
    user.until(running["id"], "running")

    changed = user.http.put(one, json={"name": "renamed", "description": "shorter", "resources": {"cpu": "100m"}})
    assert changed.status_code == 200
    fits(changed.json(), ENVIRONMENT | {"name": "=renamed", "description": "=shorter"})
    assert changed.json()["resources"] == {"cpu": "100m", "memory": "96Mi", "storage": "1Gi"}

    gone = user.http.delete(one)
    assert (gone.status_code, gone.content) == (204, b"")
    assert user.http.get(ENVIRONMENTS).json() == []
    user.until_gone(running["id"])
    error_of(user.http.delete(one), 404)


def test_limits_reach_the_engine(dweller: Client, home: str) -> None:
    client = docker.from_env()
    try:
        (container,) = client.containers.list(filters={"label": f"pilothouse.id={home}"})
        assert container.attrs["HostConfig"]["Memory"] == 64 * 2**20
        assert container.attrs["HostConfig"]["NanoCpus"] == 200_000_000
    finally:
        client.close()


def test_what_it_uses(dweller: Client, home: str) -> None:
    used = dweller.http.get(f"{ENVIRONMENTS}/{home}/metrics")
    assert used.status_code == 200
    numbers = {"usage": "number", "limit": "text", "percent": "number"}
    shape = {
        "environment_id": f"={home}",
        "environment_name": "text",
        "cpu": numbers | {"limit": "=200m"},
        "memory": numbers | {"limit": "=64Mi"},
        "storage": numbers | {"limit": "=1Gi", "enforced": "bool"},
        "timestamp": "time",
    }
    fits(used.json(), shape)
    assert 0 < used.json()["memory"]["usage"] < 64 * 2**20
    assert 0 < used.json()["memory"]["percent"] < 100


def test_logs(dweller: Client, home: str) -> None:
    path = f"{ENVIRONMENTS}/{home}/logs"
    found = dweller.http.get(path)
    assert found.status_code == 200
    line = {"timestamp": "time", "level": "text", "message": "text", "source": "text"}
    shape: dict[str, Any] = {"environment_id": f"={home}", "environment_name": "text", "logs": [line]}
    fits(found.json(), shape | {"total_lines": "int", "has_more": "bool"})
    assert "hello from the installation" in [one["message"] for one in found.json()["logs"]]
    assert found.json()["total_lines"] == len(found.json()["logs"])
    assert found.json()["has_more"] is False
    last = dweller.http.get(path, params={"lines": 1}).json()
    assert (len(last["logs"]), last["has_more"]) == (1, True)
    assert last["logs"] == found.json()["logs"][-1:]
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert dweller.http.get(path, params={"since": later}).json()["logs"] == []
    assert dweller.http.get(path, params={"since": "2024-01-01T12:00:00Z", "lines": 1000}).json()["total_lines"] > 1
    for name, value in (("lines", 0), ("lines", 1001), ("lines", "x"), ("since", "yesterday")):
        error_of(dweller.http.get(path, params={name: value}), 422, name)


def test_others_see_nothing(outsider: Client, nobody: httpx.Client, home: str) -> None:
    one = f"{ENVIRONMENTS}/{home}"
    for path, methods in (("", "GET PUT DELETE"), ("/metrics", "GET"), ("/logs", "GET")):
        for method in methods.split():
            body = {} if method == "PUT" else None
            error_of(outsider.http.request(method, one + path, json=body), 404)
            error_of(nobody.request(method, one + path, json=body), 401)
            error_of(outsider.http.request(method, f"{ENVIRONMENTS}/{uuid.uuid4()}{path}", json=body), 404)
    for path in ("/start", "/stop", "/restart"):
        error_of(outsider.http.post(one + path), 404)
        error_of(nobody.post(one + path), 401)
    error_of(nobody.get(ENVIRONMENTS), 401)
    error_of(nobody.post(ENVIRONMENTS, json={}), 401)


def test_what_is_no_environment(user: Client, shell: str) -> None:
    body = {"name": "x1", "template_id": shell}
    error_of(user.http.post(ENVIRONMENTS, json={}), 422, "name", "template_id")
    error_of(user.http.post(ENVIRONMENTS, json=body | {"template_id": "no-such-template"}), 404)
    error_of(user.http.post(ENVIRONMENTS, json=body | {"name": ""}), 422, "name")
    error_of(user.http.post(ENVIRONMENTS, json=body | {"colour": "red"}), 422, "colour")
    wrong = {"cpu": "much", "memory": "-1", "storage": "9"}
    fields = [f"resources.{name}" for name in ("cpu", "memory")]
    answer = user.http.post(ENVIRONMENTS, json=body | {"resources": wrong})
    assert answer.status_code == 422
    assert {item["field"] for item in answer.json()["errors"]} >= set(fields)
    too_much = {"cpu": "64000", "memory": "10Ti", "storage": "10Pi"}
    answer = user.http.post(ENVIRONMENTS, json=body | {"resources": too_much})
    assert answer.status_code == 422
    assert {item["field"].split(".")[0] for item in answer.json()["errors"]} == {"resources"}
    error_of(user.http.post(ENVIRONMENTS, json=body | {"environment_variables": ["A=1"]}), 422, "environment_variables")
    named = body | {"environment_variables": {"not a name": "x"}}
    error_of(user.http.post(ENVIRONMENTS, json=named), 422, "environment_variables.not a name")
    error_of(user.http.post(ENVIRONMENTS, json=body | {"port": 70000}), 422, "port")
    error_of(user.http.post(ENVIRONMENTS, json=body | {"cluster_id": "cls-0000000000"}), 404)
    error_of(user.http.get(ENVIRONMENTS, params={"status": "asleep"}), 422, "status")
    assert user.http.get(ENVIRONMENTS).json() == [], "nothing was made"


def test_an_installation_that_fails_and_is_tried_again(user: Client, admin: Client) -> None:
    body = {
        "name": f"failing-{secrets.token_hex(4)}",
        "display_name": "Fails at first",
        "description": "",
        "category": "devops",
        "docker_image": "busybox:latest",
        "default_resources": {"cpu": "100m", "memory": "32Mi", "storage": "1Gi"},
        "startup_commands": ["test -e ~/tried || { touch ~/tried; echo no; exit 7; }"],
    }
    template = admin.http.post(TEMPLATES, json=body).json()["id"]
    made = user.environment(template)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := user.http.get(f"{ENVIRONMENTS}/{made}").json())["status"] != "error":
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    assert found["installation_completed"] is False
    assert found["error_message"]
    error_of(user.http.post(f"{ENVIRONMENTS}/{made}/start"), 400)
    error_of(user.http.post(f"{ENVIRONMENTS}/{made}/stop"), 400)
    assert user.http.post(f"{ENVIRONMENTS}/{made}/restart").status_code == 200
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := user.http.get(f"{ENVIRONMENTS}/{made}").json())["status"] != "running":
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def test_the_default_templates(user: Client, admin: Client) -> None:
    again = admin.http.post(f"{TEMPLATES}/initialize")
    assert (again.status_code, again.json()) == (200, {"message": "Default templates initialized successfully"})
    listed = user.http.get(TEMPLATES)
    assert listed.status_code == 200
    fits(listed.json(), [TEMPLATE])
    found = {}
    for one in listed.json():
        resources = one["default_resources"]
        figures = (resources["cpu"], resources["memory"], resources["storage"])
        found[one["display_name"]] = (one["docker_image"], one["default_port"], *figures)
    assert {name: found[name] for name in DEFAULTS} == DEFAULTS
    assert len([one for one in listed.json() if one["display_name"] in DEFAULTS]) == len(DEFAULTS), "each once"
    systems = user.http.get(TEMPLATES, params={"category": "operating_system", "status": "active"}).json()
    assert "Ubuntu 22.04 LTS" in [one["display_name"] for one in systems]
    assert {one["category"] for one in systems} == {"operating_system"}
    error_of(user.http.get(TEMPLATES, params={"category": "toys"}), 422, "category")
    error_of(user.http.get(TEMPLATES, params={"status": "old"}), 422, "status")


def test_templates(user: Client, admin: Client, nobody: httpx.Client) -> None:
    name = f"data-{secrets.token_hex(4)}"
    body = {
        "name": name,
        "display_name": "Data work",
        "description": "for tables",
        "category": "database",
        "tags": ["sql", "small"],
        "docker_image": "busybox:latest",
        "default_port": 5432,
        "default_resources": {"cpu": "250m", "memory": "64Mi", "storage": "2Gi"},
        "environment_variables": {"LANG": "C.UTF-8"},
        "startup_commands": ["true"],
        "documentation_url": "https://example.com/docs",
        "icon_url": "https://example.com/icon.png",
        "status": "beta",
        "version": "2.1.0",
    }
    made = admin.http.post(TEMPLATES, json=body)
    assert made.status_code == 201
    fits(made.json(), TEMPLATE)
    assert {field: made.json()[field] for field in body} == body
    assert made.json()["usage_count"] == 0
    one = f"{TEMPLATES}/{made.json()['id']}"
    error_of(admin.http.post(TEMPLATES, json=body), 400, "name")

    for path in (one, f"{TEMPLATES}/{name}"):
        found = user.http.get(path)
        assert (found.status_code, found.json()) == (200, made.json())
    error_of(user.http.get(f"{TEMPLATES}/{uuid.uuid4()}"), 404)

    environment = user.environment(made.json()["id"])
    assert user.http.get(one).json()["usage_count"] == 1
    shown = user.http.get(f"{ENVIRONMENTS}/{environment}").json()
    assert (shown["template_name"], shown["port"]) == ("Data work", 5432)
    assert shown["environment_variables"] == {"LANG": "C.UTF-8"}

    changed = admin.http.put(one, json={"display_name": "Tables", "tags": [], "default_resources": {"cpu": "100m"}})
    assert changed.status_code == 200
    fits(changed.json(), TEMPLATE | {"display_name": "=Tables", "description": "=for tables"})
    assert changed.json()["tags"] == []
    assert changed.json()["default_resources"] == {"cpu": "100m", "memory": "64Mi", "storage": "2Gi"}
    error_of(admin.http.put(one, json={"category": "toys"}), 422, "category")
    error_of(admin.http.put(one, json={"docker_image": "Not An Image"}), 422, "docker_image")
    error_of(admin.http.put(f"{TEMPLATES}/{uuid.uuid4()}", json={}), 404)
    required = ("name", "display_name", "docker_image", "category")
    error_of(admin.http.post(TEMPLATES, json={}), 422, *required)

    gone = admin.http.delete(one)
    assert (gone.status_code, gone.json()) == (200, {"message": "Template deleted successfully"})
    assert user.http.get(one).json()["status"] == "deprecated"
    deprecated = user.http.get(TEMPLATES, params={"status": "deprecated"}).json()
    assert made.json()["id"] in [found["id"] for found in deprecated]
    error_of(user.http.post(ENVIRONMENTS, json={"name": "late", "template_id": name}), 422, "template_id")
    error_of(admin.http.delete(f"{TEMPLATES}/{uuid.uuid4()}"), 404)

    for method, path in (("POST", TEMPLATES), ("PUT", one), ("DELETE", one), ("POST", f"{TEMPLATES}/initialize")):
        json_body = {"name": ""} if method in ("POST", "PUT") else None
        error_of(user.http.request(method, path, json=json_body), 403)
        error_of(nobody.request(method, path, json=json_body), 401)
    error_of(nobody.get(TEMPLATES), 401)
    error_of(nobody.get(one), 401)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "-1.5e400"])
def test_numbers_that_json_does_not_have(user: Client, value: str) -> None:
    body = f'{{"name": "never-made", "template_id": "x", "environment_variables": {{"A": {value}}}}}'
    answer = user.http.post(ENVIRONMENTS, content=body.encode(), headers={"Content-Type": "application/json"})
    assert "not valid JSON" in error_of(answer, 422, "body")


def test_names_given_twice(user: Client) -> None:
    body = b'{"name": "never-made", "template_id": "x", "environment_variables": {"A": "1", "A": "2"}}'
    answer = user.http.post(ENVIRONMENTS, content=body, headers={"Content-Type": "application/json"})
    assert "A is given twice" in error_of(answer, 422, "A")
