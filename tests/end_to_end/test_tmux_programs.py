"""Full-screen programs through `pilothouse`: in a container, on this machine and over ssh, in small and large windows
that change their size meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backend.running_backend import environment
from tests.end_to_end.full_screen_programs import PROGRAMS, Shell, size_is_the_panes
from tests.end_to_end.platform import Platform
from tests.end_to_end.tmux_app import SIZES
from tests.end_to_end.tmux_screen import TmuxScreen
from tests.images.programs import build_programs_image
from tests.ssh_server import SshServer

# What is typed into the choice, and the title of the tab that it makes.
PLACES = {"container": ("box a shell", "box"), "local": ("this machine", "local"), "ssh": ("ssh loop", "loop")}
OTHER = {(80, 24): (101, 31), (200, 50): (140, 38)}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    made = Platform(tmp_path_factory.mktemp("programs") / "data")
    try:
        made.start()
        made.until_running(made.deploy("box", build_programs_image(), 80), 1)
        yield made
    finally:
        made.clean()


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    made = SshServer(tmp_path_factory.mktemp("sshd"), name="loop")
    made.trust()
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture
def open_app(platform: Platform, sshd: SshServer) -> Iterator[list[TmuxScreen]]:
    """What is put into it is closed."""
    screens: list[TmuxScreen] = []
    yield screens
    for screen in screens:
        screen.close()


def opened(platform: Platform, sshd: SshServer, size: tuple[int, int], place: str) -> Shell:
    data_dir = platform.backend.data_dir
    more = sshd.environment | {"SHELL": "/bin/sh", "ENV": ""}
    screen = TmuxScreen(
        [str(Path(sys.executable).with_name("pilothouse")), "--data-dir", str(data_dir)],
        columns=size[0],
        rows=size[1],
        environment=environment(data_dir) | more,
    )
    words, title = PLACES[place]
    try:
        screen.until_shown("● running")
        screen.press("t")
        screen.until_shown("New terminal", "This machine", "ssh loop")
        screen.type(words)
        screen.until_line(f"│ {words}")
        screen.press("Enter")
        screen.until(lambda text: text.startswith(f" 1 {title} "), "the tab")
        screen.until(
            lambda text: any(line.rstrip()[-1:] in ("#", "$", ">") for line in text.split("\n")[1:9]), "a prompt"
        )
    except BaseException:
        screen.close()
        raise
    return Shell(screen, *size)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("place", PLACES)
def test_full_screen_programs(
    platform: Platform, sshd: SshServer, open_app: list[TmuxScreen], size: tuple[int, int], place: str
) -> None:
    shell = opened(platform, sshd, size, place)
    open_app.append(shell.screen)
    shell.own_prompt()
    size_is_the_panes(shell)
    for name, use in PROGRAMS.items():
        use(shell, OTHER[size])
        assert shell.answer(f"echo {name}-done") == f"{name}-done"
    size_is_the_panes(shell)
