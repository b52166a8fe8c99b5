"""Environments to look at: one that runs, one that is stopped, one whose installation failed."""

from __future__ import annotations

import time

import httpx

from tests.backend.running_backend import RunningBackend

PATIENCE_SECONDS = 60.0
TEMPLATES = (
    ("python-web", "Python for the web", ["python3 --version", "echo the tools are there"]),
    ("python-data", "Python for data", ["echo fetching the data", "exit 4"]),
)
ENVIRONMENTS = (("shop-api", "python-web"), ("landing-page", "python-web"), ("forecasts", "python-data"))


def make_environments(backend: RunningBackend) -> None:
    """Made, and each as it should be, when this returns."""
    with _api(backend) as api:
        for name, display_name, commands in TEMPLATES:
            body = {
                "name": name,
                "display_name": display_name,
                "docker_image": "python:3.11-slim",
                "category": "programming_language",
                "startup_commands": commands,
            }
            assert api.post("/templates", json=body).status_code < 300
        for name, template in ENVIRONMENTS:
            body = {"name": name, "template_id": template, "description": "The shop's backend, with its tests"}
            assert api.post("/environments", json=body).status_code < 300
        _until(api, {"shop-api": "running", "landing-page": "running", "forecasts": "error"})
        found = {one["name"]: one["id"] for one in api.get("/environments").json()}
        assert api.post(f"/environments/{found['landing-page']}/stop").status_code < 300
        _until(api, {"landing-page": "stopped"})


def remove_environments(backend: RunningBackend) -> None:
    with _api(backend) as api:
        for one in api.get("/environments").json():
            api.delete(f"/environments/{one['id']}")
        _until(api, {})


def _until(api: httpx.Client, wanted: dict[str, str]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = {one["name"]: one["status"] for one in api.get("/environments").json()}
        if (not wanted and not found) or (wanted and wanted.items() <= found.items()):
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"the environments are {found}, not {wanted}")
        time.sleep(0.3)


def _api(backend: RunningBackend) -> httpx.Client:
    return httpx.Client(
        base_url=f"http://127.0.0.1:{backend.port}/devpocket/api/v1",
        headers={"Authorization": f"Bearer {backend.owner_token()}"},
        trust_env=False,
        timeout=60,
    )
