"""What the app shows, in a terminal, when what it stands on is not there."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend.wire.rendezvous import Places, read_backend_info
from tests.end_to_end.platform import Load
from tests.end_to_end.tmux_app import TmuxApp


@pytest.fixture
def make_app(tmp_path: Path) -> Iterator[Callable[..., TmuxApp]]:
    made: list[TmuxApp] = []

    def make(docker_host: str = "") -> TmuxApp:
        made.append(TmuxApp(tmp_path / "data", (80, 24), docker_host=docker_host))
        return made[-1]

    try:
        yield make
    finally:
        for one in made:
            one.clean()


def test_without_an_engine_it_opens_and_says_what_to_do(make_app: Callable[..., TmuxApp], tmp_path: Path) -> None:
    nowhere = f"unix://{tmp_path / 'none.sock'}"
    app = make_app(nowhere)
    screen = app.open()
    screen.until_shown("no container engine answers at", "start docker", "● live", "No deployments yet.")
    # What cannot be done now is refused where it was asked for, with the reason; what was typed stays.
    screen.press("n")
    screen.until_shown("Deploy an image ─")
    app.fill("Name", "web")
    screen.press("Tab")
    app.fill("Image", "busybox")
    screen.press("C-s")
    shown = screen.until_shown("✗ no container engine answers", "Deploy (ctrl+s)")
    assert "web" in shown
    screen.press("Escape")
    screen.until_gone("Deploy an image ─")
    app.quit()


def test_a_backend_that_is_killed_is_shown_and_comes_back(make_app: Callable[..., TmuxApp], static_image: str) -> None:
    app = make_app()
    screen = app.open()
    screen.until_shown("No deployments yet.")
    app.deploy("web", static_image, 80)
    app.row("web", "● running", "1/1")
    before = app.platform.containers()
    places = Places.of(app.platform.backend.data_dir)
    killed = read_backend_info(places)
    assert killed is not None
    with Load(app.platform, "web") as load:
        os.kill(killed.pid, signal.SIGKILL)
        # What was last known stays in sight, marked as old.
        shown = screen.until_shown("stale", "The backend is not running", "You see the last known state")
        assert " web " in shown
        # Nobody asked it to end: it is started again without a key.
        screen.until_shown("● live")
        app.row("web", "● running", "1/1")
    assert load.faults == []
    assert app.platform.containers() == before
    found = read_backend_info(places)
    assert found is not None
    assert found.pid != killed.pid
    # It is the same session: what was true of the old backend works with the new one.
    app.command("scale web 2")
    app.row("web", "● running", "2/2")
