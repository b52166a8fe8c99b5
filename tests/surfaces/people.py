"""A user of the API, with what tests ask for again and again."""

from __future__ import annotations

import secrets
from functools import cached_property
from typing import Any

import httpx

from tests.backend.running_backend import RunningBackend
from tests.images.build import build_app_image

PASSWORD = "correct horse 7 battery"
PORT = 8000


class Person:
    """A registered user; `client` carries the access token."""

    def __init__(self, backend: RunningBackend, username: str, token: str) -> None:
        self.backend = backend
        self.username = username
        self.token = token
        self.client = backend.tcp(token)

    @classmethod
    def register(cls, backend: RunningBackend, anyone: httpx.Client, username: str) -> Person:
        email = f"{username}@example.com"
        made = anyone.post(
            "/v1/auth/register",
            json={"username": username, "email": email, "password": PASSWORD, "confirmPassword": PASSWORD},
        )
        assert made.status_code == 201, made.text
        login = anyone.post("/v1/auth/login", json={"email": email, "password": PASSWORD})
        assert login.status_code == 200, login.text
        return cls(backend, username, login.json()["accessToken"])

    def deploy(self, **changes: Any) -> dict[str, Any]:
        """A new deployment of the tests' app, by the answer to its POST."""
        body = {"appName": f"app-{secrets.token_hex(4)}", "image": build_app_image(), "port": PORT} | changes
        made = self.client.post("/v1/deployments", json=body)
        assert made.status_code == 201, made.text
        answer: dict[str, Any] = made.json()
        return answer

    @cached_property
    def idle_deployment(self) -> str:
        """The id of a deployment without replicas."""
        deployment_id: str = self.deploy(replicas=0)["id"]
        return deployment_id

    def until(self, deployment_id: str, status: str) -> dict[str, Any]:
        """The details once the deployment has that status."""
        seen: dict[str, Any] = {}

        def reached() -> bool:
            seen.update(self.client.get(f"/v1/deployments/{deployment_id}").json())
            return bool(seen["status"] == status)

        self.backend.until(reached, f"never {status}: {seen}")
        return seen

    def leave(self) -> None:
        listed = self.client.get("/v1/deployments", params={"limit": 100})
        for deployment in listed.json().get("deployments", []):
            self.client.delete(f"/v1/deployments/{deployment['id']}")
        self.client.close()
