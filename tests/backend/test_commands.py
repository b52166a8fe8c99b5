"""The commands against real processes: start, refuse, stop, kill, recover, administer."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import docker
import httpx
import pytest

from backend.wire.rendezvous import read_backend_info, read_startup_progress
from tests.backend.running_backend import RunningBackend, environment, error_of, run_command

PASSWORD = "a long 1 password"


def _containers(installation: str) -> set[str]:
    listed = docker.from_env().api.containers(all=True, filters={"label": f"pilothouse.installation={installation}"})
    return {container["Id"] for container in listed}


def _installation(backend: RunningBackend) -> str:
    with backend.owner() as owner:
        headers = {"Authorization": f"Bearer {backend.owner_token()}"}
        installation: str = owner.get("/pilothouse/v1/system", headers=headers).json()["installation"]
    return installation


def test_only_what_must_be_written_keeps_it_from_starting(backend: RunningBackend) -> None:
    """As on a full disk: first how far the start has come, then where the backend is found."""
    backend.places.prepare()
    for path in (backend.places.startup_file, backend.places.backend_file):
        path.mkdir()
    ports = ("--port", str(backend.port), "--ingress-port", str(backend.ingress_port))
    refused = run_command(backend.data_dir, "serve", *ports)
    assert refused.returncode == 1
    assert "how far the start has come cannot be written: [Errno" in refused.stderr
    assert "\npilothouse: clients cannot be told where the backend is: [Errno" in refused.stderr
    assert "Traceback" not in refused.stderr
    for path in (backend.places.startup_file, backend.places.backend_file):
        path.rmdir()


def test_one_backend_per_data_dir_and_port(backend: RunningBackend, tmp_path: Path) -> None:
    backend.start()
    second = run_command(backend.data_dir, "serve", "--port", "1", "--ingress-port", "2")
    assert second.returncode == 3
    assert "already serves" in second.stderr
    assert f"process {backend.process.pid}" in second.stderr  # type: ignore[union-attr]
    other = run_command(tmp_path / "other", "serve", "--port", str(backend.port), "--ingress-port", "2")
    assert other.returncode == 1
    assert f"port: port {backend.port} on 127.0.0.1 is taken" in other.stderr
    wrong = run_command(tmp_path / "other", "serve", "--port", "zero")
    assert wrong.returncode == 2
    assert "the flag --port" in wrong.stderr
    assert httpx.get(f"http://127.0.0.1:{backend.port}/health/live", timeout=30).status_code == 200


def test_what_is_on_disk(backend: RunningBackend) -> None:
    backend.start()
    assert backend.process is not None
    info = read_backend_info(backend.places)
    assert info is not None
    assert (info.pid, info.port, info.ingress_port) == (backend.process.pid, backend.port, backend.ingress_port)
    assert info.is_alive()
    assert stat.S_IMODE(backend.places.socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(backend.places.socket.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(backend.places.log_file.stat().st_mode) == 0o600
    backend.until(lambda: (p := read_startup_progress(backend.places)) is not None and p.step == "listening")
    assert backend.terminate() == 0
    assert not backend.places.backend_file.exists()
    assert not backend.places.socket.exists()


def test_unknown_hosts_and_foreign_origins(backend: RunningBackend) -> None:
    backend.start()
    url = f"http://127.0.0.1:{backend.port}/health/live"
    for host in ("localhost", f"localhost:{backend.port}", "127.0.0.1", "[::1]:1", "LOCALHOST."):
        assert httpx.get(url, headers={"Host": host}, timeout=30).status_code == 200, host
    for host in ("evil.example", "evil.localhost", "localhost.evil.example", "", "[", "a b"):
        refused = httpx.get(url, headers={"Host": host}, timeout=30)
        assert (refused.status_code, error_of(refused)["code"]) == (400, "INVALID_REQUEST"), host
    own = f"http://127.0.0.1:{backend.port}"
    assert httpx.get(url, headers={"Origin": own}, timeout=30).status_code == 200
    for origin in ("http://evil.example", "null", f"http://app.localhost:{backend.port}", "http://127.0.0.1:1"):
        refused = httpx.get(url, headers={"Origin": origin}, timeout=30)
        assert (refused.status_code, error_of(refused)["code"]) == (403, "FORBIDDEN"), origin


def test_a_bound_surface_is_at_the_root_of_its_port(backend: RunningBackend) -> None:
    backend.start()
    bound = f"http://127.0.0.1:{backend.bind_port}"
    headers = {"Authorization": f"Bearer {backend.owner_token()}"}
    assert httpx.get(f"{bound}/v1/deployments", headers=headers, timeout=30).status_code == 200
    assert httpx.get(f"{bound}/openapi.json", timeout=30).json()["info"]["title"] == "Container Engine API"
    assert httpx.post(f"{bound}/pilothouse/v1/session", timeout=30).status_code == 404
    for path in ("/container-engine/v1/nothing", "/nothing"):
        missing = httpx.get(f"http://127.0.0.1:{backend.port}{path}", headers=headers, timeout=30)
        assert (missing.status_code, error_of(missing)["code"]) == (404, "NOT_FOUND")


def test_other_users_get_no_answer_on_the_owners_socket(backend: RunningBackend) -> None:
    """Even where the file's mode were to let them in. Only root can try it as somebody else."""
    backend.start()
    ask = (
        "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
        "s.sendall(b'POST /pilothouse/v1/session HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n'); "
        "s.settimeout(10); print(len(s.recv(1000)))"
    )
    # A path of its own, for the folders above the socket are closed to others.
    with tempfile.TemporaryDirectory(dir="/tmp") as parent:
        Path(parent).chmod(0o755)
        door = Path(parent) / "door"
        os.link(backend.places.socket, door)
        door.chmod(0o666)
        own = subprocess.run([sys.executable, "-c", ask, str(door)], capture_output=True, text=True, check=False)
        assert int(own.stdout) > 0
        if os.getuid() == 0:
            system_python = "/usr/bin/python3"  # readable by everybody
            foreign = subprocess.run(
                [system_python, "-c", ask, str(door)], capture_output=True, text=True, check=False, user=65534
            )
            assert foreign.stdout.strip() in ("", "0"), foreign.stdout
            assert "a process of user id 65534 was refused" in backend.log(), foreign.stderr


def test_killed_and_started_again(backend: RunningBackend, app_image: str) -> None:
    backend.start().until_ready()
    with backend.tcp(backend.owner_token()) as client:
        body = {"appName": f"kept-{os.getpid()}", "image": app_image, "port": 8000}
        deployment = client.post("/v1/deployments", json=body).json()["id"]
        backend.until(lambda: client.get(f"/v1/deployments/{deployment}").json()["status"] == "running")
    before = _containers(_installation(backend))
    assert len(before) == 1
    backend.kill()
    assert backend.places.socket.exists(), "killed: it could not clean up"
    url, host = f"http://127.0.0.1:{backend.ingress_port}/", {"Host": f"{body['appName']}.localhost"}
    assert httpx.get(url, headers=host, timeout=30).status_code == 200
    backend.start().until_ready()
    assert httpx.get(url, headers=host, timeout=30).status_code == 200
    with backend.tcp(backend.owner_token()) as client:
        assert client.get(f"/v1/deployments/{deployment}").json()["status"] == "running"
    assert _containers(_installation(backend)) == before


def test_stop_and_stop_all(backend: RunningBackend, app_image: str) -> None:
    backend.start().until_ready()
    installation = _installation(backend)
    with backend.tcp(backend.owner_token()) as client:
        body = {"appName": f"gone-{os.getpid()}", "image": app_image, "port": 8000, "replicas": 2}
        deployment = client.post("/v1/deployments", json=body).json()["id"]
        backend.until(lambda: client.get(f"/v1/deployments/{deployment}").json()["status"] == "running")
    stopped = run_command(backend.data_dir, "stop")
    assert stopped.returncode == 0, stopped.stderr
    assert backend.process is not None
    assert backend.process.wait(60) == 0
    url, host = f"http://127.0.0.1:{backend.ingress_port}/", {"Host": f"{body['appName']}.localhost"}
    assert httpx.get(url, headers=host, timeout=30).status_code == 200, "apps and ingress keep running"
    assert run_command(backend.data_dir, "stop").returncode == 3
    assert "does not run" in run_command(backend.data_dir, "status").stdout

    unasked = run_command(backend.data_dir, "stop", "--all")
    assert unasked.returncode == 2
    assert "--yes" in unasked.stderr
    assert len(_containers(installation)) == 2
    everything = run_command(backend.data_dir, "stop", "--all", "--yes")
    assert everything.returncode == 0, everything.stderr
    assert _containers(installation) == set()
    labelled = {"label": f"pilothouse.installation={installation}"}
    assert docker.from_env().api.networks(filters=labelled) == []
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", backend.ingress_port)) != 0, "the ingress ended"


def test_stop_all_tells_of_a_network_that_somebody_else_uses_and_removes_the_rest(
    backend: RunningBackend, app_image: str
) -> None:
    backend.start().until_ready()
    installation = _installation(backend)
    with backend.tcp(backend.owner_token()) as client:
        body = {"appName": f"left-{os.getpid()}", "image": app_image, "port": 8000}
        deployment = client.post("/v1/deployments", json=body).json()["id"]
        backend.until(lambda: client.get(f"/v1/deployments/{deployment}").json()["status"] == "running")
    engine = docker.from_env()
    labelled = {"label": f"pilothouse.installation={installation}"}
    (network,) = engine.api.networks(filters=labelled)
    guest = engine.containers.run(app_image, detach=True, network=network["Name"])
    try:
        ended = run_command(backend.data_dir, "stop", "--all", "--yes")
        assert ended.returncode == 1
        assert f"network {network['Name']} cannot be removed: containers are still attached" in ended.stderr
        assert "1 containers and 0 networks were removed" in ended.stdout
        assert _containers(installation) == set()
    finally:
        guest.remove(force=True)
    again = run_command(backend.data_dir, "stop", "--all", "--yes")
    assert again.returncode == 0, again.stderr
    assert engine.api.networks(filters=labelled) == []


def test_stop_all_of_a_running_backend(backend: RunningBackend) -> None:
    backend.start()
    ended = run_command(backend.data_dir, "stop", "--all", "--yes")
    assert ended.returncode == 0, ended.stderr
    assert backend.process is not None
    assert backend.process.wait(60) == 0


def test_signals_end_it(backend: RunningBackend) -> None:
    backend.start()
    assert backend.process is not None
    backend.process.send_signal(signal.SIGINT)
    assert backend.process.wait(60) == 0


def test_admin_create_with_and_without_the_server(backend: RunningBackend) -> None:
    def create(name: str, password: str = PASSWORD) -> subprocess.CompletedProcess[str]:
        given = ("admin", "create", "--username", name, "--email", f"{name}@example.com", "--password-stdin")
        return run_command(backend.data_dir, *given, given=f"{password}\n")

    early = create("early")
    assert early.returncode == 0, early.stderr
    backend.start()
    assert create("late").returncode == 0
    twice = create("late")
    assert twice.returncode == 1
    assert "already taken" in twice.stderr
    weak = create("weak", "1")
    assert weak.returncode == 1
    assert "password" in weak.stderr
    asked = ("admin", "create", "--username", "x-x", "--email", "x@example.com")
    assert "--password-stdin" in run_command(backend.data_dir, *asked).stderr
    with backend.tcp() as client:
        for name in ("early", "late"):
            login = client.post("/v1/auth/login", json={"email": f"{name}@example.com", "password": PASSWORD})
            assert login.status_code == 200, login.text
            assert PASSWORD not in backend.log()


def test_who_is_deactivated_is_shut_out_of_a_running_server(backend: RunningBackend) -> None:
    given = ("admin", "create", "--username", "ada", "--email", "ada@example.com", "--password-stdin")
    assert run_command(backend.data_dir, *given, given=f"{PASSWORD}\n").returncode == 0
    backend.start()
    login = {"email": "ada@example.com", "password": PASSWORD}

    def switch(way: str, email: str = "ada@example.com") -> int:
        return run_command(backend.data_dir, "admin", way, "--email", email).returncode

    with backend.tcp() as client:
        tokens = client.post("/v1/auth/login", json=login).json()
        bearer = {"Authorization": f"Bearer {tokens['accessToken']}"}
        key = client.post("/v1/api-keys", json={"name": "robot"}, headers=bearer).json()["apiKey"]
        by_key = {"Authorization": f"Bearer {key}"}
        assert switch("deactivate") == 0
        assert client.get("/v1/user/profile", headers=bearer).status_code == 401
        assert client.get("/v1/user/profile", headers=by_key).status_code == 401
        assert client.post("/v1/auth/refresh", json={"refreshToken": tokens["refreshToken"]}).status_code == 401
        assert client.post("/v1/auth/login", json=login).status_code == 401
        assert switch("activate") == 0
        assert client.post("/v1/auth/login", json=login).status_code == 200
        assert client.get("/v1/user/profile", headers=by_key).status_code == 200
        assert client.get("/v1/user/profile", headers=bearer).status_code == 401, "ended sessions stay so"
    assert switch("deactivate", "nobody@example.com") == 1


@pytest.mark.parametrize("command", ["serve", "status", "stop", "stop --all --yes"])
def test_a_data_dir_that_is_a_file(command: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    ended = run_command(file, *command.split(), extra={"PILOTHOUSE_CONFIG_DIR": str(tmp_path)})
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"pilothouse: the data dir {file} cannot be used: ")
    assert len(ended.stderr.splitlines()) == 1


def test_a_reader_who_has_seen_enough(tmp_path: Path) -> None:
    """`pilothouse status | head -0`: no traceback."""
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "backend", "status", "--data-dir", str(tmp_path)],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(tmp_path),
        check=False,
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (141, "")


def test_background_status_and_doctor(backend: RunningBackend) -> None:
    ports = ("--port", str(backend.port), "--ingress-port", str(backend.ingress_port))
    started = run_command(backend.data_dir, "serve", "--background", *ports)
    assert started.returncode == 0, started.stderr
    assert f"http://127.0.0.1:{backend.port}" in started.stdout
    again = run_command(backend.data_dir, "serve", "--background", *ports)
    assert again.returncode == 3
    backend.until_ready()
    status = run_command(backend.data_dir, "status")
    assert status.returncode == 0, status.stdout
    assert "runs: process" in status.stdout
    doctor = run_command(backend.data_dir, "doctor")
    assert doctor.returncode == 0, doctor.stdout
    assert run_command(backend.data_dir, "stop").returncode == 0


def test_background_says_why_it_failed(backend: RunningBackend) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        failed = run_command(backend.data_dir, "serve", "--background", "--port", port, "--ingress-port", "2")
    assert failed.returncode == 1
    assert f"port {port} on 127.0.0.1 is taken" in failed.stderr


def test_an_engine_that_is_not_there(backend: RunningBackend) -> None:
    """The API answers all the same, and says what is wrong."""
    extra = {"DOCKER_HOST": f"unix://{backend.data_dir}/nothing.sock"}
    ports = ("--port", str(backend.port), "--ingress-port", str(backend.ingress_port))
    started = run_command(backend.data_dir, "serve", "--background", *ports, extra=extra)
    assert started.returncode == 0, started.stderr
    with backend.owner() as owner:
        ready = owner.get("/health/ready")
        assert ready.status_code == 503
        parts = ready.json()["components"]
        assert parts["storage"]["status"] == "ok"
        assert parts["engine"]["status"] in ("starting", "down")
        assert parts["engine"]["message"]
        assert owner.get("/health/live").status_code == 200
    with backend.tcp(backend.owner_token()) as client:
        assert client.get("/v1/deployments").status_code == 200
        body = {"appName": "never", "image": "busybox:latest", "port": 80}
        refused = client.post("/v1/deployments", json=body)
        assert (refused.status_code, error_of(refused)["code"]) == (503, "SERVICE_UNAVAILABLE")
        assert client.get("/v1/deployments").json()["deployments"] == []
    assert run_command(backend.data_dir, "stop").returncode == 0


def test_a_long_data_dir(tmp_path: Path) -> None:
    """Where the socket's path would be too long, it lies elsewhere, and all works as ever."""
    backend = RunningBackend(tmp_path / ("deep" * 25) / "data")
    try:
        backend.start()
        assert not str(backend.places.socket).startswith(str(tmp_path))
        assert backend.owner_token()
    finally:
        backend.remove_everything()
