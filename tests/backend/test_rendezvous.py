"""Where backend and clients meet."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from backend.wire.rendezvous import (
    MAX_SOCKET_PATH_BYTES,
    BackendInfo,
    Places,
    StartupProgress,
    process_start_of,
    read_backend_info,
    read_startup_progress,
    resolve_data_dir,
    write_backend_info,
    write_startup_progress,
)

INFO = BackendInfo(
    pid=os.getpid(),
    socket="/s",
    host="127.0.0.1",
    port=1,
    ingress_port=2,
    version="1",
    started_at="2025-01-01T00:00:00Z",
    process_start=process_start_of(os.getpid()),
)


def test_the_data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTHOUSE_DATA_DIR", str(tmp_path / "from-environment"))
    assert resolve_data_dir() == tmp_path / "from-environment"
    assert resolve_data_dir(tmp_path / "given") == tmp_path / "given"
    monkeypatch.delenv("PILOTHOUSE_DATA_DIR")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert resolve_data_dir() == tmp_path / "pilothouse"
    monkeypatch.chdir(tmp_path)
    assert resolve_data_dir("here") == tmp_path / "here"


def test_a_socket_path_is_never_too_long(tmp_path: Path) -> None:
    short = Places.of("/srv/pilothouse")
    assert short.socket == Path("/srv/pilothouse/run/pilothouse.sock")
    deep = [Places.of(tmp_path / ("deep" * 30) / name) for name in ("a", "b")]
    assert all(len(os.fsencode(places.socket)) <= MAX_SOCKET_PATH_BYTES for places in deep)
    assert deep[0].socket != deep[1].socket
    deep[0].prepare()
    assert stat.S_IMODE(deep[0].socket.parent.stat().st_mode) == 0o700
    deep[0].socket.parent.rmdir()


def test_a_folder_that_somebody_prepared_for_us_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "run").symlink_to(tmp_path / "theirs")
    with pytest.raises(PermissionError, match="link"):
        Places.of(tmp_path / "data").prepare()


def test_the_files(tmp_path: Path) -> None:
    places = Places.of(tmp_path)
    places.prepare()
    assert read_backend_info(places) is None
    write_backend_info(places, INFO)
    assert read_backend_info(places) == INFO
    assert stat.S_IMODE(places.backend_file.stat().st_mode) == 0o600
    places.backend_file.write_text('{"pid": 1}')
    assert read_backend_info(places) is None, "another version's file is no fault"
    places.backend_file.write_text("{")
    assert read_backend_info(places) is None
    write_startup_progress(places, StartupProgress("storage", "Opening", failed=True))
    assert read_startup_progress(places) == StartupProgress("storage", "Opening", True)
    assert sorted(path.name for path in places.run_dir.iterdir()) == ["backend.json", "startup.json"]


def test_only_that_very_process_is_alive() -> None:
    assert INFO.is_alive()
    assert not replace(INFO, process_start=1).is_alive(), "another process got its number"
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert not replace(INFO, pid=ended.pid).is_alive()


def test_it_loads_nothing_heavy() -> None:
    code = (
        "import sys; before = set(sys.modules); import backend.wire.rendezvous; "
        "print(sorted({name.split('.')[0] for name in set(sys.modules) - before} & "
        "{'pydantic', 'platformdirs', 'litestar', 'sqlmodel', 'docker'}))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
