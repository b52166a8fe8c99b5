"""A backend of our own for one benchmark: a data dir, free ports, deployments through the API; nothing stays behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from backend.wire.rendezvous import Places, read_backend_info
from benchmarks import processes
from tests.backend.running_backend import free_ports

ROOT = Path(__file__).resolve().parents[1]
API = "/container-engine/v1"
_START_SECONDS = 60.0
_REMOVE_SECONDS = 600.0
_REMOVAL_TRIES, _REMOVAL_PAUSE_SECONDS = 3, 3.0
_POLL_SECONDS = 0.02


class Server:
    """One installation. `start` and `stop` its backend as often as needed; `remove` ends all that it made."""

    def __init__(self) -> None:
        # Short and at the top of the temporary folder, so that its sockets fit.
        self.data_dir = Path(tempfile.mkdtemp(prefix="pilothouse-bench-"))
        self.port, self.ingress_port = free_ports(2)
        self.places = Places.of(self.data_dir)
        self._token = ""
        self._open: httpx.Client | None = None

    # --- its life

    def start(self) -> None:
        """Returns when storage, engine and ingress are all well."""
        self.command("serve", "--background", "--port", str(self.port), "--ingress-port", str(self.ingress_port))
        with self.client() as client:
            self._until(lambda: client.get("/health/ready").status_code == 200, _START_SECONDS, "it never became ready")

    def stop(self) -> None:
        self._close()
        self.command("stop")

    def _close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def remove(self) -> None:
        """Every process, container and network of it, and its data dir."""
        self._close()
        for attempt in range(_REMOVAL_TRIES):
            try:
                self.command("stop", "--all", "--yes")
                break
            except RuntimeError as error:
                # What was measured is worth more than a clean end: say what stays, and go on.
                print(f"removing everything, try {attempt + 1}: {error}", file=sys.stderr)
                time.sleep(_REMOVAL_PAUSE_SECONDS)
        shutil.rmtree(self.data_dir, ignore_errors=True)

    def command(self, *words: str) -> None:
        """`python -m backend ...` to its end. Raises RuntimeError with what it said where it fails."""
        ended = subprocess.run(
            [sys.executable, "-m", "backend", *words, "--data-dir", str(self.data_dir)],
            env=self.environment(),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_REMOVE_SECONDS,
            check=False,
        )
        if ended.returncode:
            raise RuntimeError(f"backend {' '.join(words)}: {ended.stdout[-2000:]}")

    def environment(self) -> dict[str, str]:
        """For the backend and the app: none of the machine's own settings of theirs."""
        dropped = {"DATABASE_URL", "REDIS_URL", "JWT_SECRET", "PORT", "DOMAIN_SUFFIX"}
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in dropped and not name.startswith("PILOTHOUSE_")
        }
        return kept | {
            "PILOTHOUSE_CONFIG_DIR": str(self.data_dir / "config"),
            "PILOTHOUSE_RATE_LIMITS": "all=1000000",
            "PYTHONPATH": str(ROOT),
        }

    # --- its processes

    def backend_pids(self) -> list[int]:
        """Without the ingress, which is a child of the backend that started it."""
        info = read_backend_info(self.places)
        of_ingress = set(self.ingress_pids())
        return [] if info is None else [pid for pid in processes.tree(info.pid) if pid not in of_ingress]

    def ingress_pids(self) -> list[int]:
        noted = [int(path.read_text()) for path in self.places.run_dir.glob("ingress-*.pid")]
        return [pid for one in noted for pid in processes.tree(one)]

    # --- its API

    def client(self) -> httpx.Client:
        """Over the unix socket, as the owner without a token. For a `with` block."""
        transport = httpx.HTTPTransport(uds=str(self.places.socket), verify=False)
        return httpx.Client(transport=transport, base_url="http://localhost", timeout=60)

    def token(self) -> str:
        """An access token of the local owner, whose deployments the app shows. Good for an hour."""
        if not self._token:
            with self.client() as client:
                self._token = client.post("/pilothouse/v1/session").raise_for_status().json()["accessToken"]
        return self._token

    def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """An operation of the container-engine surface. Raises RuntimeError with the answer where it is refused."""
        return self._asked(method, API + path, body)

    def _asked(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        if self._open is None:
            self._open = self.client()
        answer = self._open.request(method, path, json=body, headers={"Authorization": f"Bearer {self.token()}"})
        if answer.is_error:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        found: dict[str, Any] = answer.json()
        return found

    def deploy(self, name: str, image: str, *, replicas: int = 1, **fields: Any) -> str:
        """Returns the id at once."""
        body = {"appName": name, "image": image, "port": 80, "replicas": replicas, **fields}
        found: str = self.ask("POST", "/deployments", body)["id"]
        return found

    def until_ready(self, *deployments: str, seconds: float = 600.0, every: float = _POLL_SECONDS) -> None:
        """Until each of them runs with every replica ready, asking so often (in seconds)."""
        for deployment in deployments:
            self._until(partial(self._is_ready, deployment), seconds, f"{deployment} never became ready", every)

    def until_gone(self, *deployments: str, seconds: float = 600.0) -> None:
        """Deletes them and waits until their containers are gone."""
        for deployment in deployments:
            self.ask("DELETE", f"/deployments/{deployment}")
        marks = [f"-{deployment.partition('-')[2]}-" for deployment in deployments]
        self._until(
            lambda: not any(mark in name for name in self.containers() for mark in marks),
            seconds,
            "its containers were not removed",
        )

    def containers(self) -> list[str]:
        """Names of all containers of this installation."""
        installation = self._asked("GET", "/pilothouse/v1/system")["installation"]
        listed = subprocess.run(
            [
                "docker",
                "ps",
                "-a",
                "--filter",
                f"label=pilothouse.installation={installation}",
                "--format",
                "{{.Names}}",
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        return listed.stdout.split()

    def _is_ready(self, deployment: str) -> bool:
        found = self.ask("GET", f"/deployments/{deployment}/status")
        if found["status"] == "failed":
            raise RuntimeError(f"{deployment} failed: {json.dumps(found)}")
        return bool(found["status"] == "running" and found["replicas"]["ready"] == found["replicas"]["desired"])

    def _until(self, reached: Callable[[], bool], seconds: float, message: str, every: float = _POLL_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not reached():
            if time.monotonic() > deadline:
                tail = self.places.log_file.read_text(errors="replace")[-2000:]
                raise TimeoutError(f"{message} within {seconds:.0f} s; the backend's log ends with\n{tail}")
            time.sleep(every)


@contextmanager
def new_server(*, started: bool = True) -> Iterator[Server]:
    """A server for a block, removed after it."""
    server = Server()
    try:
        if started:
            server.start()
        yield server
    finally:
        server.remove()
