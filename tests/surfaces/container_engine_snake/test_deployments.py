"""Deployments, domains, logs, metrics, status and health of the snake_case document: status, every field and type,
every error, and that what is waited for has come true when the answer comes."""

from __future__ import annotations

import json
import secrets
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import docker
import httpx
import pytest

from tests.backend.running_backend import RunningBackend
from tests.surfaces.container_engine_snake.client import PORT, Client, error_of
from tests.surfaces.shapes import fits

PAGINATION = {"page": "int", "limit": "int", "total": "int", "total_pages": "int"}
ITEM = {
    "id": "uuid",
    "app_name": "text",
    "image": "text",
    "status": "word",
    "url": "url?",
    "replicas": "int",
    "created_at": "time",
    "updated_at": "time",
}
DETAIL = ITEM | {
    "user_id": "uuid",
    "port": "int",
    "env_vars": "texts",
    "resources": {"cpu": "text", "memory": "text"},
    "deployed_at": "time?",
    "error_message": "text?",
}
HEALTH_CHECK = {
    "path": "text",
    "initial_delay_seconds": "int",
    "period_seconds": "int",
    "timeout_seconds": "int",
    "failure_threshold": "int",
}
STATUS = {
    "status": "word",
    "health": "text",
    "replicas": {"desired": "int", "ready": "int", "available": "int"},
    "last_health_check": "time?",
    "uptime": "uptime",
    "restart_count": "int",
}
POINTS = [{"timestamp": "time", "value": "number"}]
HEALTH = {"status": "healthy", "service": "container-engine", "version": "0.1.0"}


def test_a_deployment_from_create_to_delete(backend: RunningBackend, user: Client, app_image: str) -> None:
    name = f"walk-{secrets.token_hex(4)}"
    # A slow boot is no failure here.
    check = {"path": "/health", "initial_delay_seconds": 0, "period_seconds": 1, "failure_threshold": 20}
    body = {
        "app_name": name,
        "image": app_image,
        "port": PORT,
        "env_vars": {"VERSION": "1", "some_name": "x"},
        "replicas": 1,
        "resources": {"cpu": "100m", "memory": "64Mi"},
        "health_check": check,
    }
    made = user.api.post("/v1/deployments", json=body)
    assert made.status_code == 201
    shape = {
        "id": "uuid",
        "app_name": f"={name}",
        "image": f"={app_image}",
        "status": "=pending",
        "created_at": "time",
        "message": "=Deployment is being processed",
    }
    fits(made.json(), shape)
    assert made.json()["url"] is None
    found = made.json()["id"]
    one = f"/v1/deployments/{found}"
    error_of(user.api.post("/v1/deployments", json=body), 409)

    detail = user.until(found, "running")
    fits(detail, DETAIL | {"url": "url", "deployed_at": "time", "health_check": HEALTH_CHECK})
    assert detail["user_id"] == user.registration["user"]["id"]
    assert detail["env_vars"] == body["env_vars"]
    assert detail["health_check"] == check | {"timeout_seconds": 5}
    assert detail["error_message"] is None

    def served() -> httpx.Response:
        url = f"http://127.0.0.1:{backend.ingress_port}/"
        return httpx.get(url, headers={"Host": f"{name}.localhost"}, trust_env=False, timeout=30)

    assert served().text.startswith("1 ")

    listed = user.api.get("/v1/deployments", params={"status": "running"})
    assert listed.status_code == 200
    fits(listed.json(), {"deployments": [ITEM], "pagination": PAGINATION})
    assert [item["id"] for item in listed.json()["deployments"]] == [found]
    assert user.api.get("/v1/deployments", params={"status": "failed"}).json()["deployments"] == []

    status = user.api.get(f"{one}/status")
    assert status.status_code == 200
    fits(status.json(), STATUS | {"status": "=running", "health": "=healthy", "last_health_check": "time"})
    assert status.json()["replicas"] == {"desired": 1, "ready": 1, "available": 1}

    logs = user.api.get(f"{one}/logs", params={"tail": 1})
    assert logs.status_code == 200
    fits(logs.json(), {"logs": [{"timestamp": "instant", "level": "level", "message": "text", "source": "=app"}]})
    assert len(logs.json()["logs"]) == 1

    metrics = user.api.get(f"{one}/metrics", params={"resolution": "1d", "from": "2025-01-01T00:00:00Z"})
    assert metrics.status_code == 200
    fits(metrics.json(), {"metrics": {"cpu": POINTS, "memory": POINTS, "requests": POINTS}})

    scaled = user.api.patch(f"{one}/scale", json={"replicas": 3})
    assert scaled.status_code == 200
    assert scaled.json() == {
        "id": found,
        "replicas": 3,
        "status": "running",
        "message": "Deployment scaled successfully",
    }
    counts = user.api.get(f"{one}/status").json()["replicas"]
    assert counts == {"desired": 3, "ready": 3, "available": 3}, "the answer came when it was true"

    updated = user.api.put(one, json={"env_vars": {"VERSION": "2"}, "replicas": 1, "resources": {"cpu": "150m"}})
    assert updated.status_code == 200
    progress = "=Deployment update in progress"
    fits(updated.json(), {"id": "uuid", "status": "=updating", "message": progress, "updated_at": "time"})
    after = user.until(found, "running")
    assert after["env_vars"] == {"VERSION": "2"}
    assert after["resources"] == {"cpu": "150m", "memory": "64Mi"}
    assert served().text.startswith("2 ")

    stopped = user.api.post(f"{one}/stop")
    assert stopped.status_code == 200
    assert stopped.json() == {"id": found, "status": "stopped", "message": "Deployment stopped successfully"}
    assert served().status_code == 503
    assert user.api.post(f"{one}/stop").json()["status"] == "stopped", "stopping twice is no fault"
    resting = user.api.patch(f"{one}/scale", json={"replicas": 2})
    assert (resting.status_code, resting.json()["status"]) == (200, "stopped"), "the truth, not a success"
    assert resting.json()["message"] != "Deployment scaled successfully"

    started = user.api.post(f"{one}/start")
    assert started.status_code == 200
    assert started.json() == {
        "id": found,
        "status": "running",
        "replicas": 2,
        "message": "Deployment started successfully",
    }
    assert user.api.get(f"{one}/status").json()["replicas"]["ready"] == 2
    assert served().text.startswith("2 ")

    deleted = user.api.delete(one)
    assert deleted.status_code == 200
    assert deleted.json() == {
        "message": "Deployment deleted successfully",
        "deployment_id": found,
        "app_name": name,
        "namespace_deleted": True,
    }
    assert containers_of(found) == []
    error_of(user.api.get(one), 404)
    assert user.deploy(app_name=name, replicas=0)["id"] != found


def containers_of(deployment_id: str) -> list[Any]:
    """What the engine itself has of a deployment."""
    label = f"pilothouse.id={deployment_id}"
    found: list[Any] = docker.from_env().api.containers(all=True, filters={"label": label})
    return found


def test_what_does_not_start_says_why(user: Client) -> None:
    """A failure is what became of it: the answer is 200 and tells it."""
    made = user.deploy(env_vars={"EXIT_CODE": "4"})
    failed = user.until(made["id"], "failed")
    fits(failed, DETAIL | {"error_message": "text"})
    assert failed["url"] is None
    assert failed["deployed_at"] is None
    assert user.api.post(f"/v1/deployments/{made['id']}/stop").json()["status"] == "stopped"
    started = user.api.post(f"/v1/deployments/{made['id']}/start")
    assert started.status_code == 200
    assert started.json()["status"] == "failed"
    assert started.json()["message"].startswith("Deployment failed: ")


def test_either_form_of_id(backend: RunningBackend, user: Client) -> None:
    """Short ids, which the other document shows, are accepted; uuids are shown."""
    made = user.deploy(replicas=0)
    with backend.tcp(user.api_key) as other_document:
        short_id = other_document.get(f"/v1/deployments/{made['id']}").json()["id"]
    assert user.api.get(f"/v1/deployments/{short_id}").json()["id"] == made["id"]
    assert user.api.delete(f"/v1/deployments/{short_id}").json()["deployment_id"] == made["id"]


def test_newest_first(user: Client) -> None:
    made = [user.deploy(replicas=0)["id"] for _ in range(3)]
    pages = [user.api.get("/v1/deployments", params={"page": page, "limit": 2}).json() for page in (1, 2, 3)]
    assert [[item["id"] for item in page["deployments"]] for page in pages] == [[made[2], made[1]], [made[0]], []]
    assert pages[2]["pagination"] == {"page": 3, "limit": 2, "total": 3, "total_pages": 2}


def test_domains(user: Client, passer_by: Client) -> None:
    one = f"/v1/deployments/{user.deploy(replicas=0)['id']}/domains"
    assert user.api.get(one).json() == {"domains": []}
    name = f"shop-{secrets.token_hex(4)}.example.com"
    added = user.api.post(one, json={"domain": name})
    assert added.status_code == 201
    record = {"type": "text", "name": "text", "value": "text"}
    shape = {"id": "uuid", "domain": f"={name}", "created_at": "time", "dns_records": [record]}
    fits(added.json(), shape | {"status": "=pending"})
    assert [(each["type"], each["name"]) for each in added.json()["dns_records"]] == [("CNAME", name)]
    listed = user.api.get(one)
    assert listed.status_code == 200
    fits(listed.json(), {"domains": [{"id": "uuid", "domain": f"={name}", "status": "text", "verified_at": "time?"}]})
    error_of(user.api.post(one, json={"domain": "not a host name"}), 400)
    theirs = f"/v1/deployments/{passer_by.idle_deployment}/domains"
    error_of(passer_by.api.post(theirs, json={"domain": name}), 409)
    domain = f"{one}/{added.json()['id']}"
    error_of(passer_by.api.delete(domain), 404)
    removed = user.api.delete(domain)
    assert (removed.status_code, removed.json()) == (200, {"message": "Custom domain removed successfully"})
    error_of(user.api.delete(domain), 404)
    assert user.api.get(one).json() == {"domains": []}


def test_logs_as_they_come(backend: RunningBackend, user: Client) -> None:
    made = user.deploy()
    user.until(made["id"], "running")
    url = f"http://127.0.0.1:{backend.ingress_port}/log?4"
    path = f"/v1/deployments/{made['id']}/logs"
    read = threading.Event()

    def write() -> None:
        """Again and again: what is written between the answer's head and the first look at the log is passed over."""
        while not read.is_set():
            written = httpx.get(url, headers={"Host": f"{made['app_name']}.localhost"}, trust_env=False, timeout=30)
            assert written.status_code == 200
            read.wait(0.1)

    with (
        ThreadPoolExecutor(1) as pool,
        user.api.stream("GET", path, params={"follow": "true", "tail": 0}) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/x-ndjson"
        writing = pool.submit(write)
        try:
            for line in answer.iter_lines():
                entry = json.loads(line)
                fits(entry, {"timestamp": "instant", "level": "level", "message": "text", "source": "=app"})
                if entry["message"] == "INFO line 3":
                    break
            else:
                pytest.fail("the log ended")
        finally:
            read.set()
    writing.result()


def test_health(backend: RunningBackend, nobody: httpx.Client) -> None:
    def is_well(path: str) -> bool:
        answer = nobody.get(path)
        assert (answer.status_code, answer.json() | {"status": "healthy"}) == (200, HEALTH)
        return bool(answer.json() == HEALTH)

    for path in ("/health", "/v1/ws/health"):
        # On a busy machine the engine may be late for one look.
        backend.until(lambda path=path: is_well(path), f"never healthy at {path}")


@pytest.mark.parametrize(
    ("method", "rest", "body"),
    [
        ("GET", "", None),
        ("PUT", "", {"replicas": 2}),
        ("DELETE", "", None),
        ("PATCH", "/scale", {"replicas": 2}),
        ("POST", "/stop", None),
        ("POST", "/start", None),
        ("POST", "/domains", {"domain": "a.example.com"}),
        ("GET", "/domains", None),
        ("DELETE", "/domains/00000000-0000-4000-8000-000000000000", None),
        ("GET", "/logs", None),
        ("GET", "/logs?follow=true", None),
        ("GET", "/metrics", None),
        ("GET", "/status", None),
    ],
)
def test_who_may_not(
    settler: Client, passer_by: Client, nobody: httpx.Client, method: str, rest: str, body: Any
) -> None:
    """Another user's deployment is as unknown as none; without a credential nothing is told."""
    mine = f"/v1/deployments/{settler.idle_deployment}{rest}"
    for path in (mine, f"/v1/deployments/{uuid.uuid4()}{rest}", f"/v1/deployments/no%20id%00{rest}"):
        error_of(passer_by.api.request(method, path, json=body), 404)
    for headers in ({}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer forged"}):
        refused = nobody.request(method, mine, json=body, headers=headers)
        error_of(refused, 401)
        assert refused.headers["www-authenticate"] == "Bearer"
