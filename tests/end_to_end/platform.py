"""A backend process as its users run it, the apps behind it, and load on them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docker
import httpx

from tests.backend.running_backend import RunningBackend

DEADLINE_SECONDS = 60.0


class Platform:
    def __init__(self, data_dir: Path, *, docker_host: str | None = None) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        self.backend = RunningBackend(data_dir)
        if docker_host:
            self.backend.extra_environment["DOCKER_HOST"] = docker_host
        self.api: httpx.Client

    def start(self) -> None:
        self.backend.start().until_ready()
        self.api = self.backend.tcp(self.backend.owner_token())

    def clean(self) -> None:
        self.backend.remove_everything()

    # --- the API

    def deploy(self, name: str, image: str, port: int, **more: Any) -> str:
        answer = self.api.post("/v1/deployments", json={"appName": name, "image": image, "port": port, **more})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def status(self, deployment: str) -> dict[str, Any]:
        answer = self.api.get(f"/v1/deployments/{deployment}/status")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def until(self, deployment: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Its status once that holds."""
        seen: dict[str, Any] = {}

        def reached() -> bool:
            seen.update(self.status(deployment))
            return holds(seen)

        eventually(reached, lambda: f"never so: {seen}")
        return seen

    def until_running(self, deployment: str, replicas: int) -> dict[str, Any]:
        return self.until(
            deployment,
            lambda s: s["status"] == "running" and s["replicas"] == dict.fromkeys(s["replicas"], replicas),
        )

    def get(self, name: str, path: str = "/") -> httpx.Response:
        return httpx.get(
            f"http://127.0.0.1:{self.backend.ingress_port}{path}",
            headers={"Host": f"{name}.localhost"},
            trust_env=False,
            timeout=20,
        )

    # --- the engine

    def containers(self, deployment: str | None = None) -> dict[str, str]:
        """Ids and names of this installation's containers, from the engine."""
        installation = self.installation()
        found = docker.from_env().api.containers(
            all=True, filters={"label": [f"pilothouse.installation={installation}"]}
        )
        return {
            one["Id"]: one["Names"][0].lstrip("/")
            for one in found
            if deployment is None or deployment[4:] in one["Names"][0]
        }

    def installation(self) -> str:
        with self.backend.owner() as owner:
            system = owner.get(
                "/pilothouse/v1/system", headers={"Authorization": f"Bearer {self.backend.owner_token()}"}
            )
        return str(system.json()["installation"])


def eventually(reached: Callable[[], bool], message: Callable[[], str]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not reached():
        assert time.monotonic() < deadline, message()
        time.sleep(0.05)


class Load:
    """Requests to one app from a few threads until it ends; what failed is in `faults`."""

    def __init__(self, platform: Platform, name: str, *, clients: int = 3) -> None:
        self._platform = platform
        self._name = name
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]
        self.faults: list[str] = []
        self.answers: list[str] = []

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def more(self, count: int) -> None:
        """Until so many more answers came."""
        wanted = len(self.answers) + count
        eventually(lambda: len(self.answers) >= wanted, lambda: f"{wanted - len(self.answers)} too few answers")

    def _run(self) -> None:
        url = f"http://127.0.0.1:{self._platform.backend.ingress_port}/"
        with httpx.Client(trust_env=False, timeout=20, headers={"Host": f"{self._name}.localhost"}) as client:
            while not self._ended.wait(0.005):
                try:
                    answer = client.get(url)
                except httpx.HTTPError as error:
                    self.faults.append(repr(error))
                    continue
                if answer.status_code == 200:
                    self.answers.append(answer.text)
                else:
                    self.faults.append(f"{answer.status_code} {answer.text[:80]}")
