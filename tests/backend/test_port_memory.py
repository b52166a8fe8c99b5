"""Whoever starts a backend again without flags finds apps and API where they were."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from backend.port_memory import FILE_NAME, remember, remembered
from backend.settings import load_settings
from backend.wire.rendezvous import BackendInfo, process_exists, read_backend_info
from tests.backend.running_backend import RunningBackend, environment, run_command


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


def test_after_a_crash_and_after_a_stop_the_ports_are_what_they_were(backend: RunningBackend) -> None:
    backend.start()
    backend.kill()
    for _ in range(2):
        again = start_without_flags(backend)
        assert (again.host, again.port, again.ingress_port) == ("127.0.0.1", backend.port, backend.ingress_port)
        with backend.snake() as client, pytest.raises(httpx.ConnectError):
            client.get("/health")  # to listen anywhere else is to be told anew
        ended = run_command(backend.data_dir, "stop")
        assert ended.returncode == 0, ended.stderr
        assert not process_exists(again.pid)


def test_ports_of_before_that_do_not_go_with_those_of_now_are_left(backend: RunningBackend) -> None:
    backend.data_dir.mkdir(mode=0o700)
    remember(backend.data_dir, {"port": str(backend.bind_port)})
    for command in ("stop", "status"):
        assert "already that of" not in run_command(backend.data_dir, command).stderr
    started = run_command(backend.data_dir, "serve", "--background", "--ingress-port", str(backend.bind_port))
    assert "the ports of the last start are not taken" in started.stderr
    run_command(backend.data_dir, "stop")


def test_a_port_that_was_given_to_another_is_not_kept_for_two(tmp_path: Path) -> None:
    remember(tmp_path, {"port": "9101", "ingress_port": "9102"})
    remember(tmp_path, {"ingress_port": "9101"})
    assert remembered(tmp_path) == {"ingress_port": "9101"}
    remember(tmp_path, {"port": "9102"})
    assert remembered(tmp_path) == {"port": "9102", "ingress_port": "9101"}


def test_flags_environment_and_config_win_over_what_was_before(tmp_path: Path) -> None:
    remember(tmp_path, {"port": "9101", "ingress_port": "9102", "host": "0.0.0.0", "bind": None})
    remember(tmp_path, {"ingress_port": "9103"})
    before = remembered(tmp_path)
    assert before == {"port": "9101", "ingress_port": "9103"}
    given = {"PILOTHOUSE_DATA_DIR": str(tmp_path), "PILOTHOUSE_CONFIG_DIR": str(tmp_path)}
    found = load_settings(environment=given, before=before)
    assert (found.host, found.port, found.ingress_port) == ("127.0.0.1", 9101, 9103)
    (tmp_path / "config.toml").write_text("port = 9201\n")
    assert load_settings(environment=given, before=before).port == 9201
    assert load_settings(environment={**given, "PORT": "9301"}, before=before).port == 9301
    assert load_settings({"port": "9401"}, {**given, "PORT": "9301"}, before=before).port == 9401
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "[]", "{torn", "[" * 100_000], ids=["empty", "list", "torn", "deep"])
def test_what_cannot_be_read_is_as_if_it_were_not_there(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE_NAME).write_text(content)
    assert remembered(tmp_path) == {}
