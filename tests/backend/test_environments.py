"""Environments of a real backend: killed in the middle, removed with all else, and back with their files."""

from __future__ import annotations

from typing import Any

import docker
import httpx

from tests.backend.running_backend import RunningBackend, run_command

TEMPLATE = {
    "name": "quick",
    "display_name": "Quick",
    "description": "",
    "category": "devops",
    "docker_image": "busybox:latest",
    "startup_commands": ["touch /begun; test -e /root/again || { touch /root/again; sleep 300; }", "echo ready"],
}


def containers_of(environment: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = docker.from_env().api.containers(
        all=True, filters={"label": f"pilothouse.id={environment}"}
    )
    return found


def shell(environment: str, script: str) -> tuple[int, str]:
    """Exit code and output of a script in an environment's container; 1 where there is none that runs."""
    running = [one["Id"] for one in containers_of(environment) if one["State"] == "running"]
    if not running:
        return 1, ""
    client = docker.from_env().api
    made = client.exec_create(running[0], ["sh", "-c", script])["Id"]
    said = client.exec_start(made).decode()
    return client.exec_inspect(made)["ExitCode"], said


def status(client: httpx.Client, environment: str) -> str:
    answer = client.get(f"/api/v1/environments/{environment}")
    return "gone" if answer.status_code == 404 else str(answer.json()["status"])


def test_a_kill_in_the_middle_and_the_end_of_everything_keep_what_users_made(backend: RunningBackend) -> None:
    backend.start().until_ready()
    with backend.devpocket(backend.owner_token()) as client:
        template = client.post("/api/v1/templates", json=TEMPLATE)
        assert template.status_code == 201, template.text
        made = client.post("/api/v1/environments", json={"name": "dev", "template_id": template.json()["id"]})
        assert made.status_code == 201, made.text
        environment = made.json()["id"]
    backend.until(lambda: shell(environment, "test -e /begun")[0] == 0)
    backend.kill()
    backend.start().until_ready()
    with backend.devpocket(backend.owner_token()) as client:
        backend.until(lambda: status(client, environment) == "running")
    (container,) = containers_of(environment)
    assert shell(environment, "echo kept > /root/file; pidof sleep | wc -w") == (0, "1\n")

    ended = run_command(backend.data_dir, "stop", "--all", "--yes")
    assert ended.returncode == 0, ended.stderr
    assert "The homes of 1 environment are kept" in ended.stdout
    assert containers_of(environment) == []
    assert len(backend.volumes()) == 1

    backend.start().until_ready()
    with backend.devpocket(backend.owner_token()) as client:
        backend.until(lambda: status(client, environment) == "running" and bool(containers_of(environment)))
        backend.until(lambda: shell(environment, "test -e /begun")[0] == 0)
        assert shell(environment, "cat /root/file") == (0, "kept\n")
        assert containers_of(environment)[0]["Id"] != container["Id"]
        assert client.delete(f"/api/v1/environments/{environment}").status_code == 204
        backend.until(lambda: status(client, environment) == "gone")
    assert containers_of(environment) == []
    assert backend.volumes() == set()
