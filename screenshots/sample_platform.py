"""A backend of its own with a few deployments to look at: one under load, one that fails, one that is stopped."""

from __future__ import annotations

import io
import math
import socket
import tarfile
import tempfile
import threading
import time
from pathlib import Path

import docker
import httpx

from tests.backend.running_backend import RunningBackend, free_ports

APP = Path(__file__).with_name("sample_app.py")
DOCKERFILE = b'FROM python:3.11-slim\nCOPY app.py /app.py\nENV PYTHONUNBUFFERED=1\nCMD ["python3", "/app.py"]\n'
TAGS = ("acme/shop:2.1.0", "acme/worker:0.9.2", "acme/reports:1.4.0", "acme/landing:5")
NICE_PORTS = (8090, 8080)


class SamplePlatform:
    """As a context: brings all of it up, and leaves nothing behind."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="pilothouse-screenshots-")
        self.data_dir = Path(self._folder.name)
        self.backend = RunningBackend(self.data_dir, ports=_ports())
        self._ended = threading.Event()
        self._load = threading.Thread(target=self._run_load)

    def __enter__(self) -> SamplePlatform:
        _build_images()
        self.backend.start().until_ready()
        with self.backend.tcp(self.backend.owner_token()) as api:
            self._deploy(api, "api", TAGS[0], replicas=3, envVars={"LOG_LEVEL": "info", "REGION": "eu-1"})
            self._deploy(api, "worker", TAGS[1], replicas=2, envVars={"DATABASE_URL": "postgres://db:5432/jobs"})
            reports = self._deploy(api, "reports", TAGS[2])
            self._deploy(api, "demo", TAGS[3])
            self._until(api, "api", "demo", "reports")
            assert api.post(f"/v1/deployments/{reports}/stop").status_code < 300
            self._load.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        if self._load.is_alive():
            self._load.join()
        self.backend.remove_everything()
        client = docker.from_env().api
        for tag in TAGS:
            client.remove_image(tag, force=True)
        self._folder.cleanup()

    def update(self, name: str, **change: object) -> None:
        """Changes a deployment and waits for nothing."""
        with self.backend.tcp(self.backend.owner_token()) as api:
            found = {one["appName"]: one["id"] for one in api.get("/v1/deployments").json()["deployments"]}
            answer = api.put(f"/v1/deployments/{found[name]}", json=change)
            assert answer.status_code == 200, answer.text

    @staticmethod
    def _deploy(api: httpx.Client, name: str, image: str, **more: object) -> str:
        body = {
            "appName": name, "image": image, "port": 8000, "resources": {"cpu": "500m", "memory": "128Mi"}, **more
        }  # fmt: skip
        answer = api.post("/v1/deployments", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    @staticmethod
    def _until(api: httpx.Client, *names: str) -> None:
        def running() -> bool:
            items = api.get("/v1/deployments").json()["deployments"]
            return set(names) <= {one["appName"] for one in items if one["status"] == "running"}

        RunningBackend.until(running, "the sample deployments did not come up")

    def _run_load(self) -> None:
        """Requests in waves, with a warning and a fault here and there."""
        number = 0
        url = f"http://127.0.0.1:{self.backend.ingress_port}"
        with httpx.Client(base_url=url, trust_env=False, timeout=20) as client:
            while not self._ended.wait(0.02 + 0.06 * (1 + math.sin(time.monotonic() / 7))):
                number += 1
                path = f"/orders/{4000 + number}"
                if number % 23 == 0:
                    path = f"/coupon/{4000 + number}"
                elif number % 61 == 0:
                    path = "/export"
                client.get(path, headers={"Host": "api.localhost"})
                if number % 5 == 0:
                    client.get("/", headers={"Host": "demo.localhost"})


def _ports() -> list[int]:
    """Those that a first start has, so that the pictures look like a reader's screen; others where they are taken."""
    for port in NICE_PORTS:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return free_ports(3)
    return [*NICE_PORTS, *free_ports(1)]


def _build_images() -> None:
    client = docker.from_env().api
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, data in (("app.py", APP.read_bytes()), ("Dockerfile", DOCKERFILE)):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o644
            tar.addfile(entry, io.BytesIO(data))
    archive.seek(0)
    log = list(client.build(fileobj=archive, custom_context=True, tag=TAGS[0], decode=True, rm=True))
    faults = [line["error"] for line in log if "error" in line]
    assert not faults, faults
    for tag in TAGS[1:]:
        repository, version = tag.split(":")
        client.tag(TAGS[0], repository, version)
