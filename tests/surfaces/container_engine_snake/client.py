"""A client as somebody writes it who has read the document and was given a base address, and nothing else."""

from __future__ import annotations

import json
import secrets
import time
from functools import cached_property
from types import TracebackType
from typing import Any

import httpx

from tests.images.build import build_app_image

PASSWORD = "correct horse 7 battery"
PORT = 8000
PATIENCE_SECONDS = 90.0


class Client:
    """One user. Deploying and observing goes with an API key, accounts with the access token, as the document says."""

    def __init__(self, base_url: str, username: str, registration: dict[str, Any]) -> None:
        self.base_url = base_url
        self.username = username
        self.email = f"{username}@example.com"
        self.registration = registration
        self.access_token: str = registration["access_token"]
        self.account = self._http(self.access_token)
        made = self.account.post("/v1/api-keys", json={"name": "client", "description": "deploys"})
        assert made.status_code == 201, made.text
        self.api_key: str = made.json()["key"]
        self.api = self._http(self.api_key)

    @classmethod
    def registered(cls, base_url: str, username: str) -> Client:
        body = {
            "username": username,
            "email": f"{username}@example.com",
            "password": PASSWORD,
            "confirm_password": PASSWORD,
        }
        made = httpx.post(f"{base_url}/v1/auth/register", json=body, trust_env=False, timeout=30)
        assert made.status_code == 201, made.text
        return cls(base_url, username, made.json())

    def _http(self, credential: str) -> httpx.Client:
        headers = {"Authorization": f"Bearer {credential}"}
        return httpx.Client(base_url=self.base_url, headers=headers, timeout=PATIENCE_SECONDS, trust_env=False)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        listed = self.api.get("/v1/deployments", params={"limit": 100})
        for deployment in listed.json().get("deployments", []):
            self.api.delete(f"/v1/deployments/{deployment['id']}")
        self.api.close()
        self.account.close()

    def deploy(self, **changes: Any) -> dict[str, Any]:
        """A new deployment of the tests' app, by the answer to its POST."""
        body = {"app_name": f"app-{secrets.token_hex(4)}", "image": build_app_image(), "port": PORT} | changes
        made = self.api.post("/v1/deployments", json=body)
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
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            found: dict[str, Any] = self.api.get(f"/v1/deployments/{deployment_id}").json()
            if found["status"] == status:
                return found
            assert time.monotonic() < deadline, f"never {status}: {found}"
            time.sleep(0.05)

    def socket(self, path: str) -> str:
        """The address of a socket."""
        return self.base_url.replace("http://", "ws://") + path


def error_of(answer: httpx.Response, status: int) -> dict[str, str]:
    """The error object of an answer, checked for status and documented shape."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = json.loads(answer.content)
    assert set(body) == {"error"}, body
    error: dict[str, str] = body["error"]
    assert set(error) in ({"message"}, {"message", "details"}), error
    assert all(isinstance(text, str) and text for text in error.values()), error
    return error
