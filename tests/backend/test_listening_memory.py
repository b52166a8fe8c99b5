"""Whoever starts a backend again without flags finds apps and API where they were."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.listening_memory import FILE_NAME, forget_openings, remember, remembered
from backend.settings import load_settings
from backend.wire.rendezvous import BackendInfo, process_exists, read_backend_info
from tests.backend.running_backend import RunningBackend, environment


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[RunningBackend]:
    running = RunningBackend(tmp_path / "data")
    try:
        yield running
    finally:
        running.remove_everything()


def start_without_flags(backend: RunningBackend) -> BackendInfo:
    """As the app does it where none runs."""
    command = [sys.executable, "-P", "-m", "backend", "serve", "--background", "--data-dir", str(backend.data_dir)]
    done = subprocess.run(
        command, env=environment(backend.data_dir), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    found = read_backend_info(backend.places)
    assert found is not None
    return found


def test_after_a_crash_all_is_where_it_was_and_after_a_stop_the_ports_are(backend: RunningBackend) -> None:
    backend.start()
    backend.kill()
    again = start_without_flags(backend)
    assert (again.host, again.port, again.ingress_port) == ("127.0.0.1", backend.port, backend.ingress_port)
    with backend.snake() as client:
        assert client.get("/health").status_code == 200, "bound as before"

    ended = subprocess.run(
        [sys.executable, "-P", "-m", "backend", "stop", "--data-dir", str(backend.data_dir)],
        env=environment(backend.data_dir), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert not process_exists(again.pid)
    third = start_without_flags(backend)
    assert (third.port, third.ingress_port) == (backend.port, backend.ingress_port)
    assert set(remembered(backend.data_dir)) == {"port", "ingress_port"}, "to listen for others is to be told anew"


def test_flags_environment_and_config_win_over_what_is_remembered(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    remember(data, {"port": "9101", "ingress_port": "9102", "host": "0.0.0.0", "bind": None, "data_dir": str(data)})
    config = tmp_path / "config"
    config.mkdir()
    given = {"PILOTHOUSE_DATA_DIR": str(data), "PILOTHOUSE_CONFIG_DIR": str(config)}
    found = load_settings(environment=given)
    assert (found.host, found.port, found.ingress_port) == ("0.0.0.0", 9101, 9102)
    assert found.registration == "closed"
    (config / "config.toml").write_text("port = 9201\n")
    assert load_settings(environment=given).port == 9201
    assert load_settings(environment={**given, "PORT": "9301"}).port == 9301
    assert load_settings({"port": "9401"}, {**given, "PORT": "9301"}).port == 9401
    forget_openings(data)
    assert load_settings(environment=given).host == "127.0.0.1"
    remember(data, {"ingress_port": "9103"})
    assert load_settings(environment=given).ingress_port == 9103
    assert stat.S_IMODE((data / FILE_NAME).stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "[]", "{torn", '{"port": "no", "ingress_port": 70000, "bind": 3}'])
def test_what_cannot_be_read_is_as_if_it_were_not_there(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE_NAME).write_text(content)
    found = load_settings(environment={"PILOTHOUSE_DATA_DIR": str(tmp_path), "PILOTHOUSE_CONFIG_DIR": str(tmp_path)})
    assert (found.port, found.ingress_port, found.bind) == (8090, 8080, ())
