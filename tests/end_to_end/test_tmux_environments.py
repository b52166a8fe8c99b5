"""A development environment through the app, by keystrokes in a terminal: made from `python:3.11-slim`, worked in, cut
off by a killed backend, found again as it was, stopped and started with its files."""

from __future__ import annotations

import io
import os
import signal
import tarfile
from collections.abc import Iterator
from pathlib import Path

import docker
import httpx
import pytest

from backend.wire.rendezvous import read_backend_info
from tests.end_to_end.tmux_app import LEAVE_TERMINAL, SIZES, TmuxApp
from tests.end_to_end.tmux_screen import TmuxScreen

IMAGE = "python:3.11-slim"
TEMPLATE = {
    "name": "a-python",
    "display_name": "A Python",
    "description": "Python, with nothing to fetch",
    "docker_image": IMAGE,
    "category": "programming_language",
    "default_resources": {"cpu": "500m", "memory": "256Mi", "storage": "1Gi"},
    "startup_commands": ["python3 --version", "echo the-tools-are-there"],
}


@pytest.fixture(params=SIZES, ids=["80x24", "200x50"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TmuxApp]:
    made = TmuxApp(tmp_path / "data", request.param)
    try:
        yield made
    finally:
        made.clean()


def test_a_day_in_an_environment(app: TmuxApp) -> None:
    screen = app.open()
    screen.until_shown("No deployments yet.")
    with _api(app) as api:
        made = api.post("/templates", json=TEMPLATE)
        assert made.status_code in (200, 201), made.text
    make(screen)
    open_terminal(screen)
    edit(app)
    cut_off_and_found_again(app)
    stopped_and_started(app)
    deleted(app)


def make(screen: TmuxScreen) -> None:
    """From the gallery; the log of the installation comes by itself."""
    screen.press("v")
    screen.until_shown("No environments yet.")
    screen.press("n")
    screen.until_shown("choose a template", "Python 3.11", "A Python")
    # The default ones stand behind it in the order of names.
    for _ in range(10):
        if "nothing to fetch" in screen.text:
            break
        screen.press("j")
        screen.until(lambda text: "choose a template" in text, "the gallery")
    screen.until_shown("Python, with nothing to fetch", "$ echo the-tools-are-there")
    screen.press("Enter")
    screen.until_shown("New environment from A Python", "a-python")
    screen.press("C-s")
    screen.until_gone("New environment from")
    screen.until_shown("● running", "Python 3.11", "the-tools-are-there")


def open_terminal(screen: TmuxScreen) -> None:
    screen.press("s")
    screen.until(lambda text: text.lstrip().startswith("1 a-python") and "#" in text, "the terminal's tab")
    screen.type("echo $((40+2))-in-the-environment")
    screen.press("Enter")
    screen.until_shown("42-in-the-environment")


def edit(app: TmuxApp) -> None:
    """A file in the home folder, in an editor that is left open."""
    screen = app.screen
    put_editor_into(app)
    screen.type("cd; clear; vi note.txt")
    screen.press("Enter")
    screen.until(lambda text: text.count("\n~") > 5, "the editor")
    screen.type("ikept over all that happens")
    screen.press("Escape")
    screen.type(":w")
    screen.press("Enter")
    screen.until_shown("1L,")
    screen.type("osaid but not saved")
    screen.press("Escape")
    screen.until_shown("kept over all that happens", "said but not saved")


def put_editor_into(app: TmuxApp) -> None:
    """The image has none, and there may be no network to install one from."""
    engine = docker.from_env()
    box = engine.containers.create("busybox:latest")
    try:
        pieces, _ = box.get_archive("/bin/busybox")
        with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as archive:
            program = archive.extractfile(archive.getmembers()[0])
            assert program is not None
            data = program.read()
    finally:
        box.remove()
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        entry = tarfile.TarInfo("vi")
        entry.size, entry.mode = len(data), 0o755
        archive.addfile(entry, io.BytesIO(data))
    (container,) = app.platform.containers()
    engine.containers.get(container).put_archive("/usr/local/bin", made.getvalue())


def cut_off_and_found_again(app: TmuxApp) -> None:
    """The backend is killed, then the whole app with its connections, as when an SSH session breaks. The editor is
    there on the same screen each time, with what was not saved."""
    screen = app.screen
    killed = read_backend_info(app.platform.backend.places)
    assert killed is not None
    os.kill(killed.pid, signal.SIGKILL)
    screen.until(lambda _: backend_pid(app) not in (None, killed.pid), "another backend")
    screen.until_shown("kept over all that happens", "said but not saved")
    screen.close()
    screen = app.open()
    screen.until_shown("No deployments yet.", "● live")
    screen.press("v")
    screen.until_shown("● running")
    screen.press("s")
    screen.until_shown("1 a-python", "kept over all that happens", "said but not saved")
    screen.type("oand typed after it")
    screen.press("Escape")
    screen.until_shown("said but not saved", "and typed after it")
    screen.type(":wq")
    screen.press("Enter")
    screen.until(lambda text: text.count("\n~") < 2, "the end of the editor")
    screen.type("clear; wc -l note.txt")
    screen.press("Enter")
    screen.until_shown("3 note.txt")


def backend_pid(app: TmuxApp) -> int | None:
    info = read_backend_info(app.platform.backend.places)
    return info.pid if info is not None and info.is_alive() else None


def stopped_and_started(app: TmuxApp) -> None:
    screen = app.screen
    screen.press(LEAVE_TERMINAL, LEAVE_TERMINAL)
    screen.until_shown("Environments (1)")
    screen.press("x")
    screen.until_shown("Stop a-python?")
    screen.press("y")
    screen.until_shown("○ stopped")
    screen.press("u")
    screen.until_shown("● running")
    screen.press("S")
    screen.until(lambda text: "a-python" in text.splitlines()[0] and "#" in text, "another terminal")
    screen.type("clear; cat ~/note.txt; echo END")
    screen.press("Enter")
    screen.until_shown("kept over all that happens", "said but not saved", "and typed after it")
    screen.press(LEAVE_TERMINAL, LEAVE_TERMINAL)
    screen.until_shown("Environments (1)")


def deleted(app: TmuxApp) -> None:
    """With its name; its container and its home are gone from the engine."""
    screen = app.screen
    installation = app.platform.installation()
    screen.press("D")
    screen.until_shown("Delete a-python?", "Its home and every file in it are gone")
    screen.type("a-python")
    screen.press("Enter")
    screen.until_shown("No environments yet.")
    engine = docker.from_env().api
    label = {"label": [f"pilothouse.installation={installation}"]}
    screen.until(
        lambda _: not engine.containers(all=True, filters=label) and not engine.volumes(filters=label)["Volumes"],
        "an engine without it",
    )


def _api(app: TmuxApp) -> httpx.Client:
    backend = app.platform.backend
    return httpx.Client(
        base_url=f"http://127.0.0.1:{backend.port}/devpocket/api/v1",
        headers={"Authorization": f"Bearer {backend.owner_token()}"},
        trust_env=False,
        timeout=60,
    )
