"""A backend whose container engine is away: what needs it says so, in the document's shape, and the rest answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.backend.running_backend import RunningBackend
from tests.surfaces.devpocket.client import Client, error_of


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBackend]:
    running = RunningBackend(tmp_path_factory.mktemp("without"))
    running.extra_environment = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
    try:
        yield running.start()
    finally:
        running.remove_everything()


def test_what_needs_the_engine_says_so(without: RunningBackend) -> None:
    with Client(f"http://127.0.0.1:{without.devpocket_port}", without.owner_token()) as owner:
        assert owner.http.get("/health/live").json()["status"] == "alive"
        health = owner.http.get("/health")
        assert (health.status_code, health.json()["status"]) == (200, "unhealthy")
        assert "engine: " in error_of(owner.http.get("/health/ready"), 503)

        listed = owner.http.get("/api/v1/templates").json()
        body = {"name": "later", "template_id": listed[0]["id"]}
        error_of(owner.http.post("/api/v1/environments", json=body), 503)
        assert owner.http.get("/api/v1/environments").json() == []
        (local,) = owner.http.get("/api/v1/clusters").json()
        found = owner.http.get(f"/api/v1/clusters/{local['id']}/health").json()
        assert (found["status"], found["checks"]["engine"], found["latency_ms"]) == ("unhealthy", "unhealthy", None)
        assert "/nowhere/docker.sock" in found["message"]
        assert owner.http.get(f"/api/v1/clusters/{local['id']}").json()["status"] == "unreachable"
