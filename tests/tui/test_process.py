"""What the app's process loads, and how it starts and finds a backend."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.backend.running_backend import RunningBackend, environment, free_ports, run_command
from tests.tui.driving import text_of, until, until_shown
from tui.app import Options, PilothouseApp

ALLOWED = ("backend", "backend.wire")
HEAVY = (
    "httpx",
    "pydantic",
    "websockets",
    "httpcore",
    "anyio",
    "ssl_context",
    "docker",
    "sqlmodel",
    "litestar",
    "uvicorn",
)


def _modules_after(code: str, data_dir: Path) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print('\\n'.join(sys.modules))"],
        capture_output=True,
        text=True,
        env=environment(data_dir),
        check=True,
    )
    return set(done.stdout.split())


def test_the_first_paint_waits_for_nothing_that_speaks_to_a_backend(tmp_path: Path) -> None:
    loaded = _modules_after("import tui.cli, tui.app; tui.app.PilothouseApp(tui.app.Options())", tmp_path)
    assert not loaded & set(HEAVY)
    assert not {name for name in loaded if name.startswith("tui.client")}
    assert not {name for name in loaded if name.startswith("backend.") and not name.startswith("backend.wire")}


def test_the_process_never_loads_the_backend(backend: RunningBackend) -> None:
    code = f"""
import asyncio
from pathlib import Path
from tui.app import Options, PilothouseApp
async def drive():
    app = PilothouseApp(Options(data_dir=Path({str(backend.data_dir)!r})))
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        while not (app.main.state and app.main.state.known):
            await pilot.pause(0.05)
        for key in ("l", "m", "h", "s", "n"):
            await pilot.press(key)
            await pilot.pause()
asyncio.run(drive())
"""
    loaded = _modules_after(code, backend.data_dir)
    assert {"httpx", "websockets", "pydantic"} <= loaded
    ours = {name for name in loaded if name.startswith("backend")}
    assert {name for name in ours if not name.startswith(ALLOWED[1]) and name != ALLOWED[0]} == set()
    assert not loaded & {"docker", "sqlmodel", "sqlalchemy", "litestar", "uvicorn"}


async def test_it_starts_a_backend_and_again_after_a_crash_but_not_after_a_stop(tmp_path: Path) -> None:
    port, ingress_port = free_ports(2)
    arguments = ("--port", str(port), "--ingress-port", str(ingress_port))
    options = Options(data_dir=tmp_path / "data", serve_arguments=arguments, preferences_path=tmp_path / "tui.toml")
    app = PilothouseApp(options)
    try:
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            await until_shown(pilot, "No deployments yet")
            assert app.backend is not None
            assert not app.backend.live.state.stale
            _kill(tmp_path / "data")
            await until_shown(pilot, "stale", "not running", "Starting it again")
            await until(pilot, lambda: not app.backend.live.state.stale, "the backend's return")
            await until_shown(pilot, "● live")
            assert not app.main.banner.display or "Starting it again" not in text_of(pilot)
            stopped = await asyncio.to_thread(run_command, tmp_path / "data", "stop")
            assert stopped.returncode == 0, stopped.stderr
            await until_shown(pilot, "stale", "stopped on purpose", "ctrl+r starts it")
            await pilot.press("ctrl+r")
            await until(pilot, lambda: not app.backend.live.state.stale, "the backend's return")
            await until_shown(pilot, "● live")
    finally:
        ended = run_command(tmp_path / "data", "stop", "--all", "--yes")
    assert ended.returncode == 0, ended.stderr


async def test_a_start_that_fails_says_why_and_can_be_tried_again(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    port, ingress_port = free_ports(2)
    (data_dir / "run").write_text("a file where a folder should be")
    options = Options(
        data_dir=data_dir,
        serve_arguments=("--port", str(port), "--ingress-port", str(ingress_port)),
        preferences_path=tmp_path / "tui.toml",
    )
    app = PilothouseApp(options)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_shown(pilot, "cannot be used", "to try again")
        (data_dir / "run").unlink()
        try:
            await pilot.press("ctrl+r")
            await until_shown(pilot, "No deployments yet")
        finally:
            run_command(data_dir, "stop", "--all", "--yes")


async def test_what_to_do_after_a_failed_start_is_in_sight_on_a_small_screen(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    (data_dir / "log").mkdir(parents=True)
    (data_dir / "log" / "backend.log").write_text(
        "".join(f"{number} {'of an earlier day ' * 9}\n" for number in range(40))
    )
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port, ingress_port = taken.getsockname()[1], free_ports(1)[0]
        options = Options(
            data_dir=data_dir,
            serve_arguments=("--port", str(port), "--ingress-port", str(ingress_port)),
            preferences_path=tmp_path / "tui.toml",
        )
        async with PilothouseApp(options).run_test(size=(80, 24), notifications=True) as pilot:
            await until_shown(
                pilot, "✖", f"{port}", "Press ctrl+r", "q to leave", "pilothouse doctor", "The whole log:"
            )
            # The rest of the room is for the end of the log, and the frame is whole.
            shown = text_of(pilot)
            assert "of an earlier day" in shown or "Reading settings" in shown
            assert "╰" in shown


async def test_without_an_engine_it_opens_and_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port, ingress_port = free_ports(2)
    options = Options(
        data_dir=tmp_path / "data",
        serve_arguments=("--port", str(port), "--ingress-port", str(ingress_port)),
        preferences_path=tmp_path / "tui.toml",
    )
    app = PilothouseApp(options)
    try:
        with monkeypatch.context() as lost:
            lost.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-engine.sock")
            async with app.run_test(size=(100, 30), notifications=True) as pilot:
                await until_shown(pilot, "no container engine answers", "DOCKER_HOST", "No deployments yet")
                assert app.main.banner.display
    finally:
        ended = run_command(tmp_path / "data", "stop", "--all", "--yes")
    assert ended.returncode == 0, ended.stderr


def test_without_a_terminal_it_says_so_and_names_serve(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tui", "--data-dir", str(tmp_path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=environment(tmp_path),
        check=False,
    )
    assert done.returncode == 2
    assert "not a terminal" in done.stderr
    assert "pilothouse serve" in done.stderr


def test_the_backends_commands_are_handed_on(backend: RunningBackend) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tui", "--data-dir", str(backend.data_dir), "status"],
        capture_output=True,
        text=True,
        env=environment(backend.data_dir),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert str(backend.data_dir) in done.stdout


def _kill(data_dir: Path) -> None:
    import os
    import signal

    from backend.wire.rendezvous import Places, read_backend_info

    info = read_backend_info(Places.of(data_dir))
    assert info is not None
    os.kill(info.pid, signal.SIGKILL)
