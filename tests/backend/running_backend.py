"""A real backend as its users run it: a process of its own, on free ports, with its own data dir."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import docker
import httpx
import jwt

from backend.wire.rendezvous import Places, read_backend_info

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 100.0
# Counted, and told in headers as ever, but not in the way of tests that ask often.
GENEROUS = "all=1000000, devpocket.connections=10"


def free_ports(count: int) -> list[int]:
    """Ports that nobody has now."""
    found = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in found]
    for one in found:
        one.close()
    return ports


def environment(data_dir: Path) -> dict[str, str]:
    """The environment of commands under test: nothing of the machine's own settings."""
    dropped = {"DATABASE_URL", "REDIS_URL", "JWT_SECRET", "PORT", "DOMAIN_SUFFIX", "GOOGLE_CLIENT_ID"}
    kept = {
        name: value for name, value in os.environ.items() if name not in dropped and not name.startswith("PILOTHOUSE_")
    }
    ours = {
        "PILOTHOUSE_CONFIG_DIR": str(data_dir / "config"),
        "PILOTHOUSE_RATE_LIMITS": GENEROUS,
        "PYTHONPATH": str(ROOT),
    }
    return kept | ours


def run_command(
    data_dir: Path, *arguments: str, given: str = "", extra: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """`python -m backend ...` to its end; `given` is its standard input."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "backend", *arguments, "--data-dir", str(data_dir)],
        input=given,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        env=environment(data_dir) | (extra or {}),
        check=False,
    )


class RunningBackend:
    """Start it, ask it, end it; `remove_everything` leaves nothing on the engine."""

    def __init__(self, data_dir: Path, *, ports: Sequence[int] = ()) -> None:
        self.data_dir = data_dir
        # All at once: two askings may find the same one.
        found = [*ports, *free_ports(5 - len(ports))]
        self.port, self.ingress_port, self.bind_port, self.snake_port, self.devpocket_port = found
        self.places = Places.of(data_dir)
        self.process: subprocess.Popen[bytes] | None = None
        self.extra_environment: dict[str, str] = {}

    def start(self) -> RunningBackend:
        self.process = subprocess.Popen(
            [
                sys.executable, "-P", "-m", "backend", "serve",
                "--data-dir", str(self.data_dir),
                "--port", str(self.port),
                "--ingress-port", str(self.ingress_port),
                "--bind", f"container-engine=127.0.0.1:{self.bind_port}",
                "--bind", f"container-engine-snake=127.0.0.1:{self.snake_port}",
                "--bind", f"devpocket=127.0.0.1:{self.devpocket_port}",
            ],
            env=environment(self.data_dir) | self.extra_environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )  # fmt: skip
        self.until(lambda: self.announced() or self.process_ended())
        assert self.process.poll() is None, self.errors()
        return self

    def announced(self) -> bool:
        """Whether the file that names the backend is this process's, not one left by a killed one."""
        assert self.process is not None
        info = read_backend_info(self.places)
        return info is not None and info.pid == self.process.pid

    def process_ended(self) -> bool:
        assert self.process is not None
        return self.process.poll() is not None

    def errors(self) -> str:
        assert self.process is not None
        assert self.process.stderr is not None
        return self.process.stderr.read().decode()

    def until_ready(self) -> RunningBackend:
        """Until storage, engine and ingress all answer."""
        with self.owner() as owner:
            self.until(lambda: owner.get("/health/ready").status_code == 200)
        return self

    @staticmethod
    def until(reached: Any, message: str = "it did not happen in time") -> None:
        """Until `reached()` is true, looking often."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not reached():
            assert time.monotonic() < deadline, message
            time.sleep(0.05)

    def kill(self) -> None:
        """As a power cut does it."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._close()

    def terminate(self) -> int:
        assert self.process is not None
        self.process.terminate()
        code = self.process.wait(DEADLINE_SECONDS)
        self._close()
        return code

    def _close(self) -> None:
        assert self.process is not None
        assert self.process.stderr is not None
        self.process.stderr.close()

    def remove_everything(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.terminate()
        ended = run_command(self.data_dir, "stop", "--all", "--yes")
        assert ended.returncode == 0, ended.stderr
        for volume in self.volumes():
            docker.from_env().api.remove_volume(volume)

    def volumes(self) -> set[str]:
        """The names of this installation's volumes on the engine, which only deleting their environments removes."""
        database = self.data_dir / "pilothouse.db"
        if not database.exists():
            return set()
        with closing(sqlite3.connect(database)) as connection:
            ids = [row[0] for row in connection.execute("SELECT id FROM installation")]
        client = docker.from_env().api
        found = [client.volumes(filters={"label": f"pilothouse.installation={one}"})["Volumes"] or [] for one in ids]
        return {volume["Name"] for volumes in found for volume in volumes}

    # --- asking

    def owner(self) -> httpx.Client:
        """Over the unix socket, without a token."""
        transport = httpx.HTTPTransport(uds=str(self.places.socket))
        return httpx.Client(transport=transport, base_url="http://localhost", timeout=30)

    def tcp(self, token: str | None = None) -> httpx.Client:
        """The container-engine surface, as another program reaches it."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"http://127.0.0.1:{self.port}/container-engine"
        return httpx.Client(base_url=url, headers=headers, timeout=30, trust_env=False)

    def snake(self, token: str | None = None) -> httpx.Client:
        """The container-engine-snake surface at the root of its own port, as its document has it."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"http://127.0.0.1:{self.snake_port}"
        return httpx.Client(base_url=url, headers=headers, timeout=90, trust_env=False)

    def devpocket(self, token: str | None = None) -> httpx.Client:
        """The devpocket surface at the root of its own port, as its document has it."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"http://127.0.0.1:{self.devpocket_port}"
        return httpx.Client(base_url=url, headers=headers, timeout=90, trust_env=False)

    def owner_token(self) -> str:
        with self.owner() as owner:
            token: str = owner.post("/pilothouse/v1/session").json()["accessToken"]
        return token

    def expiring(self, token: str, seconds: float) -> str:
        """The access token of the same session that this backend would have issued an hour before it runs out in so
        many seconds."""
        secret = bytes.fromhex((self.data_dir / "secrets" / "jwt.key").read_text().strip())
        claims = jwt.decode(token, secret, algorithms=["HS256"])
        ends = int(time.time() + seconds)
        return jwt.encode(claims | {"iat": ends - 3600, "exp": ends}, secret, algorithm="HS256")

    def log(self) -> str:
        return self.places.log_file.read_text()


def error_of(answer: httpx.Response) -> dict[str, Any]:
    """The error object of an answer, checked for the documented shape."""
    body = json.loads(answer.content)
    assert set(body) == {"error"}, body
    error: dict[str, Any] = body["error"]
    assert set(error) <= {"code", "message", "details"}, error
    assert isinstance(error["code"], str)
    assert isinstance(error["message"], str)
    assert error["message"]
    assert isinstance(error.get("details", {}), dict)
    assert answer.headers["content-type"] == "application/json"
    return error
