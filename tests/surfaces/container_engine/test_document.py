"""Every operation of the container-engine document that is served: status, every field and type, every error."""

from __future__ import annotations

import secrets
import time
from typing import Any

import httpx
import pytest

from tests.backend.running_backend import RunningBackend, error_of
from tests.surfaces.people import PASSWORD, PORT, Person
from tests.surfaces.shapes import fits

PAGINATION = {"page": "int", "limit": "int", "total": "int", "totalPages": "int"}
KEY = {
    "id": "key",
    "name": "text",
    "description": "text",
    "createdAt": "time",
    "expiresAt": "time?",
    "lastUsed": "time?",
}
ITEM = {
    "id": "dpl",
    "appName": "text",
    "image": "text",
    "status": "status",
    "url": "url",
    "replicas": "int",
    "createdAt": "time",
    "updatedAt": "time",
}
DETAIL = ITEM | {
    "port": "int",
    "envVars": "texts",
    "resources": {"cpu": "text", "memory": "text"},
    "deployedAt": "time?",
}
HEALTH_CHECK = {
    "path": "text",
    "initialDelaySeconds": "int",
    "periodSeconds": "int",
    "timeoutSeconds": "int",
    "failureThreshold": "int",
}
STATUS = {
    "status": "status",
    "health": "text",
    "replicas": {"desired": "int", "ready": "int", "available": "int"},
    "lastHealthCheck": "time?",
    "uptime": "uptime",
    "restartCount": "int",
}
POINTS = [{"timestamp": "time", "value": "number"}]


def test_accounts(anyone: httpx.Client) -> None:
    name = f"ann-{secrets.token_hex(4)}"
    body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD, "confirmPassword": PASSWORD}
    made = anyone.post("/v1/auth/register", json=body)
    assert made.status_code == 201
    shape = {"id": "usr", "username": f"={name}", "email": "text", "createdAt": "time", "status": "=active"}
    fits(made.json(), shape)
    assert set(made.json()) == set(shape), "no tokens, and no password"

    again = anyone.post("/v1/auth/register", json=body)
    assert again.status_code == 409
    assert error_of(again)["code"] == "CONFLICT"
    assert error_of(again)["details"]["fields"].keys() == {"username"}
    differs = anyone.post("/v1/auth/register", json=body | {"username": name + "2", "confirmPassword": "other"})
    assert differs.status_code == 400
    assert "confirmPassword" in error_of(differs)["details"]["fields"]

    login = anyone.post("/v1/auth/login", json={"email": body["email"], "password": PASSWORD})
    assert login.status_code == 200
    user = {"id": "usr", "username": f"={name}", "email": "text"}
    fits(login.json(), {"accessToken": "text", "refreshToken": "text", "expiresAt": "time", "user": user})
    assert set(login.json()["user"]) == set(user)
    wrong = anyone.post("/v1/auth/login", json={"email": body["email"], "password": "not that one 1"})
    assert (wrong.status_code, error_of(wrong)["code"]) == (401, "UNAUTHORIZED")
    unknown = anyone.post("/v1/auth/login", json={"email": "nobody@example.com", "password": PASSWORD})
    assert (unknown.status_code, error_of(unknown)["code"]) == (404, "NOT_FOUND")

    fresh = anyone.post("/v1/auth/refresh", json={"refreshToken": login.json()["refreshToken"]})
    assert fresh.status_code == 200
    fits(fresh.json(), {"accessToken": "text", "expiresAt": "time"})
    assert "refreshToken" not in fresh.json()
    forged = anyone.post("/v1/auth/refresh", json={"refreshToken": "ce_refresh_forged"})
    assert (forged.status_code, error_of(forged)["code"]) == (401, "UNAUTHORIZED")

    bearer = {"Authorization": f"Bearer {fresh.json()['accessToken']}"}
    out = anyone.post("/v1/auth/logout", headers=bearer)
    assert (out.status_code, out.json()) == (200, {"message": "Successfully logged out"})
    assert anyone.get("/v1/user/profile", headers=bearer).status_code == 401
    ended = anyone.post("/v1/auth/refresh", json={"refreshToken": login.json()["refreshToken"]})
    assert ended.status_code == 401


def test_api_keys(person: Person, other: Person, anyone: httpx.Client) -> None:
    client = person.client
    expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400))
    made = client.post("/v1/api-keys", json={"name": "ci", "description": "for builds", "expiresAt": expires})
    assert made.status_code == 201
    fits(made.json(), KEY | {"apiKey": "apikey", "expiresAt": f"={expires}"})
    assert made.json()["lastUsed"] is None
    forever = client.post("/v1/api-keys", json={"name": "forever"})
    assert forever.status_code == 201
    assert forever.json()["expiresAt"] is None

    bearer = {"Authorization": f"Bearer {made.json()['apiKey']}"}
    assert anyone.get("/v1/deployments", headers=bearer).status_code == 200
    listed = client.get("/v1/api-keys", params={"page": 2, "limit": 1})
    assert listed.status_code == 200
    fits(listed.json(), {"apiKeys": [KEY], "pagination": PAGINATION})
    assert listed.json()["pagination"] == {"page": 2, "limit": 1, "total": 2, "totalPages": 2}
    (shown,) = listed.json()["apiKeys"]
    assert shown["id"] == made.json()["id"]
    assert "apiKey" not in shown
    assert shown["lastUsed"] is not None

    for method, path, body in (
        ("POST", "/v1/api-keys", {"name": "child"}),
        ("POST", "/v1/auth/logout", None),
        ("PUT", "/v1/user/password", {"currentPassword": PASSWORD, "newPassword": "x" * 12, "confirmNewPassword": "x"}),
    ):
        refused = anyone.request(method, path, headers=bearer, json=body)
        assert (refused.status_code, error_of(refused)["code"]) == (403, "FORBIDDEN"), path

    assert other.client.delete(f"/v1/api-keys/{made.json()['id']}").status_code == 404
    gone = client.delete(f"/v1/api-keys/{made.json()['id']}")
    assert (gone.status_code, gone.json()) == (200, {"message": "API key revoked successfully"})
    assert client.delete(f"/v1/api-keys/{made.json()['id']}").status_code == 404
    assert anyone.get("/v1/deployments", headers=bearer).status_code == 401


def test_profile(person: Person, other: Person, anyone: httpx.Client) -> None:
    client = person.client
    profile = client.get("/v1/user/profile")
    assert profile.status_code == 200
    shape = {
        "id": "usr",
        "username": f"={person.username}",
        "email": "text",
        "createdAt": "time",
        "lastLogin": "time",
        "deploymentCount": "int",
        "apiKeyCount": "int",
    }
    fits(profile.json(), shape)
    renamed = client.put("/v1/user/profile", json={"username": person.username + "-x"})
    assert renamed.status_code == 200
    fits(renamed.json(), {"id": "usr", "username": f"={person.username}-x", "email": "text", "updatedAt": "time"})
    assert client.put("/v1/user/profile", json={}).status_code == 200
    taken = client.put("/v1/user/profile", json={"username": other.username})
    assert (taken.status_code, error_of(taken)["code"]) == (409, "CONFLICT")

    change = {"currentPassword": PASSWORD, "newPassword": "another 8 password", "confirmNewPassword": "x"}
    differs = client.put("/v1/user/password", json=change)
    assert differs.status_code == 400
    assert "confirmNewPassword" in error_of(differs)["details"]["fields"]
    change["confirmNewPassword"] = change["newPassword"]
    wrong = client.put("/v1/user/password", json=change | {"currentPassword": "wrong 1 password"})
    assert wrong.status_code == 400
    assert "currentPassword" in error_of(wrong)["details"]["fields"]
    changed = client.put("/v1/user/password", json=change)
    assert (changed.status_code, changed.json()) == (200, {"message": "Password updated successfully"})
    email = profile.json()["email"]
    assert anyone.post("/v1/auth/login", json={"email": email, "password": PASSWORD}).status_code == 401
    assert anyone.post("/v1/auth/login", json={"email": email, "password": change["newPassword"]}).status_code == 200


def test_a_deployment_from_create_to_delete(backend: RunningBackend, person: Person, app_image: str) -> None:
    client = person.client
    name = f"walk-{secrets.token_hex(4)}"
    check = {
        "path": "/",
        "initialDelaySeconds": 0,
        "periodSeconds": 1,
        "timeoutSeconds": 2,
        "failureThreshold": 20,  # a slow boot is no failure here
    }
    body = {
        "appName": name,
        "image": app_image,
        "port": PORT,
        "envVars": {"A_b": "1"},
        "replicas": 1,
        "resources": {"cpu": "200m", "memory": "64Mi"},
        "healthCheck": check,
    }
    made = client.post("/v1/deployments", json=body)
    assert made.status_code == 201
    created = {
        "id": "dpl",
        "appName": f"={name}",
        "image": f"={app_image}",
        "status": "=pending",
        "url": f"=http://{name}.localhost:{backend.ingress_port}",
        "createdAt": "time",
        "message": "=Deployment is being processed",
    }
    fits(made.json(), created)
    one = f"/v1/deployments/{made.json()['id']}"

    taken = client.post("/v1/deployments", json=body)
    assert (taken.status_code, error_of(taken)["code"]) == (409, "CONFLICT")
    assert "appName" in error_of(taken)["details"]["fields"]

    found = person.until(made.json()["id"], "running")
    fits(found, DETAIL | {"healthCheck": HEALTH_CHECK, "deployedAt": "time"})
    for name_of, value in body.items():
        assert found[name_of] == value, name_of
    served = httpx.get(f"http://127.0.0.1:{backend.ingress_port}/", headers={"Host": f"{name}.localhost"}, timeout=30)
    assert (served.status_code, served.text.split()[0]) == (200, "none")

    listed = client.get("/v1/deployments", params={"status": "running"})
    assert listed.status_code == 200
    fits(listed.json(), {"deployments": [ITEM], "pagination": PAGINATION})
    assert [item["id"] for item in listed.json()["deployments"]] == [found["id"]]
    assert client.get("/v1/deployments", params={"status": "failed"}).json()["deployments"] == []

    status = client.get(f"{one}/status")
    assert status.status_code == 200
    fits(status.json(), STATUS | {"health": "=healthy", "lastHealthCheck": "time"})
    assert status.json()["replicas"] == {"desired": 1, "ready": 1, "available": 1}

    def tail() -> httpx.Response:
        return client.get(f"{one}/logs", params={"tail": 5})

    # The engine writes a line down a moment after it was printed.
    backend.until(lambda: len(tail().json()["logs"]) > 1)
    logs = tail()
    assert logs.status_code == 200
    assert [entry["message"] for entry in logs.json()["logs"]] == ["INFO booting", "INFO listening"]
    fits(logs.json(), {"logs": [{"timestamp": "instant", "level": "level", "message": "text", "source": "=app"}]})
    metrics = client.get(f"{one}/metrics", params={"resolution": "1d", "from": "2025-01-01T00:00:00Z"})
    assert metrics.status_code == 200
    fits(metrics.json(), {"metrics": {"cpu": POINTS, "memory": POINTS, "requests": POINTS}})

    scaled = client.patch(f"{one}/scale", json={"replicas": 2})
    assert scaled.status_code == 200
    progress = "=Deployment scaling in progress"
    fits(scaled.json(), {"id": "dpl", "replicas": "int", "status": "=scaling", "message": progress})
    assert scaled.json()["replicas"] == 2
    assert person.until(found["id"], "running")["replicas"] == 2

    updated = client.put(one, json={"envVars": {"B": "2"}, "resources": {"cpu": "150m"}})
    assert updated.status_code == 200
    progress = "=Deployment update in progress"
    fits(updated.json(), {"id": "dpl", "status": "=updating", "message": progress, "updatedAt": "time"})
    after = person.until(found["id"], "running")
    assert after["envVars"] == {"B": "2"}
    assert after["resources"] == {"cpu": "150m", "memory": "64Mi"}

    stopped = client.post(f"{one}/stop")
    assert stopped.status_code == 200
    fits(stopped.json(), {"id": "dpl", "status": "=stopping", "message": "=Deployment is being stopped"})
    person.until(found["id"], "stopped")
    assert client.post(f"{one}/stop").status_code == 200, "stopping twice is no fault"
    started = client.post(f"{one}/start")
    assert started.status_code == 200
    fits(started.json(), {"id": "dpl", "status": "=starting", "message": "=Deployment is being started"})
    person.until(found["id"], "running")

    deleted = client.delete(one)
    assert (deleted.status_code, deleted.json()) == (200, {"message": "Deployment deleted successfully"})
    assert client.get(one).status_code == 404
    person.deploy(appName=name)


def test_newest_first(person: Person) -> None:
    made = [person.deploy(replicas=0)["id"] for _ in range(3)]
    pages = [person.client.get("/v1/deployments", params={"page": page, "limit": 2}).json() for page in (1, 2, 3)]
    assert [[item["id"] for item in page["deployments"]] for page in pages] == [[made[2], made[1]], [made[0]], []]
    assert pages[2]["pagination"] == {"page": 3, "limit": 2, "total": 3, "totalPages": 2}


@pytest.mark.parametrize(
    ("method", "rest", "body"),
    [
        ("GET", "", None),
        ("PUT", "", {"replicas": 2}),
        ("DELETE", "", None),
        ("PATCH", "/scale", {"replicas": 2}),
        ("POST", "/stop", None),
        ("POST", "/start", None),
        ("GET", "/logs", None),
        ("GET", "/logs?follow=true", None),
        ("GET", "/metrics", None),
        ("GET", "/status", None),
    ],
)
def test_who_may_not(
    resident: Person, stranger: Person, anyone: httpx.Client, method: str, rest: str, body: Any
) -> None:
    """Another user's deployment is as unknown as none; without a credential nothing is told."""
    mine = f"/v1/deployments/{resident.idle_deployment}{rest}"
    for path in (mine, f"/v1/deployments/dpl-0000000000{rest}", f"/v1/deployments/no%20id%00{rest}"):
        refused = stranger.client.request(method, path, json=body)
        assert (refused.status_code, error_of(refused)["code"]) == (404, "NOT_FOUND"), path
    for headers in ({}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer forged"}):
        refused = anyone.request(method, mine, json=body, headers=headers)
        assert (refused.status_code, error_of(refused)["code"]) == (401, "UNAUTHORIZED")
        assert refused.headers["www-authenticate"] == "Bearer"
