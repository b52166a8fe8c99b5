"""A shell in a replica, through the app, in a terminal: an editor, a pager, a monitor, and windows that change size."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.end_to_end.tmux_app import TmuxApp

# Busybox writes its folder as `/`, or as `~` where the engine made that the home.
PROMPT = " # "

_numbers = itertools.count()


@pytest.fixture
def app(tmp_path: Path) -> Iterator[TmuxApp]:
    made = TmuxApp(tmp_path / "data", (80, 24))
    try:
        yield made
    finally:
        made.clean()


def test_a_shell_for_real_programs(app: TmuxApp, static_image: str) -> None:
    screen = app.open()
    screen.until_shown("No deployments yet.")
    app.deploy("box", static_image, 80)
    app.row("box", "● running", "1/1")
    app.panel("s", PROMPT, "^\\ leaves")
    screen.type("echo $((40+2))-from-the-replica")
    screen.press("Enter")
    screen.until_shown("42-from-the-replica")
    size_follows_the_window(app)
    edit_a_file(app)
    page_and_monitor(app)
    interrupt_and_leave(app)


def size_follows_the_window(app: TmuxApp) -> None:
    """The shell's size is that of its panel, before and after the window changed, and not only once."""
    screen = app.screen
    before = shell_size(app)
    assert before == panel_size(screen.text)
    for columns, rows in ((132, 43), (200, 50), (80, 24)):
        screen.resize(columns, rows)
        screen.until(lambda text: "● live" in text.splitlines()[0][columns - 12 :], "the screen laid out anew")  # noqa: B023
        screen.until_shown("5 Terminal", "^\\ leaves")
        screen.until(
            lambda _: shell_size(app) == panel_size(screen.text), f"a shell as large as its panel at {columns}x{rows}"
        )
    assert shell_size(app) == before


def shell_size(app: TmuxApp) -> tuple[int, int]:
    """Rows and columns as `stty` has them in the replica."""
    asked = next(_numbers)
    app.screen.type(f"clear; stty size; echo END-{asked}")
    app.screen.press("Enter")
    # With the prompt: busybox asks the terminal where its cursor is then, and the answer is meant for the shell.
    text = app.screen.until(lambda text: re.search(rf"│ \d+ \d+ .*\n.*│ END-{asked} .*\n.*│ [/~] # ", text), "the size")
    found = re.search(r"│ (\d+) (\d+) ", text)
    assert found
    return int(found[1]), int(found[2])


def panel_size(text: str) -> tuple[int, int]:
    """Rows and columns inside the frame of the panel with the terminal, less its padding."""
    rows = text.splitlines()
    top = next(number for number, row in enumerate(rows) if "5 Terminal" in row)
    left = rows[top].index("╭─ 2 Overview")
    right = rows[top].index("╮", left)
    bottom = next(number for number in range(top, len(rows)) if rows[number][left] == "╰")
    return bottom - top - 1, right - left - 3


def edit_a_file(app: TmuxApp) -> None:
    screen = app.screen
    screen.type("vi /tmp/note.txt")
    screen.press("Enter")
    screen.until_shown("~", "/tmp/note.txt")
    screen.type("ifirst line")
    screen.press("Enter")
    screen.type("second line")
    screen.until_shown("second line")
    screen.press("Escape")
    screen.type("ggIThe ")
    screen.until_shown("The first line")
    screen.press("Escape")
    screen.resize(100, 30)
    screen.until(lambda text: "The first line" in text and len(text.splitlines()[0]) > 90, "the editor, wider")
    screen.type(":wq")
    screen.press("Enter")
    screen.until_gone("│ ~  ")
    assert in_the_replica(app, "cat /tmp/note.txt") == "The first line\nsecond line\n"


def page_and_monitor(app: TmuxApp) -> None:
    screen = app.screen
    screen.type("clear; seq 1 500 | less")
    screen.press("Enter")
    screen.until_shown("│ 1 ", "│ 9 ")
    screen.press("G")
    screen.until_shown("│ 500 ")
    screen.press("g")
    screen.until_shown("│ 1 ")
    screen.type("/250")
    screen.press("Enter")
    screen.until_shown("│ 250 ")
    screen.press("q")
    screen.until_shown(PROMPT)
    screen.type("clear; top -d 1")
    screen.press("Enter")
    screen.until_shown("Mem:", "CPU:", "httpd")
    screen.press("q")
    screen.type("echo top-ended")
    screen.press("Enter")
    screen.until_shown("│ top-ended")


def interrupt_and_leave(app: TmuxApp) -> None:
    """Keys that the app has uses for are the shell's while one is in it; the shell goes on when one leaves."""
    screen = app.screen
    screen.type("clear; echo waiting; sleep 1000")
    screen.press("Enter")
    screen.until_shown("│ waiting")
    screen.press("C-c")
    screen.type("kept=secret; echo $?-after-the-interrupt")
    screen.press("Enter")
    screen.until_shown("0-after-the-interrupt")
    screen.press("C-p")
    screen.until_line(PROMPT, "kept=secret; echo $?-after")
    screen.press("C-u")
    app.to_list(from_terminal=True)
    app.panel("l", "following")
    app.to_list()
    app.panel("s", "0-after-the-interrupt")
    screen.type("echo $kept-is-kept")
    screen.press("Enter")
    screen.until_shown("secret-is-kept")
    screen.type("exit")
    screen.press("Enter")
    screen.until_shown("The shell ended.")
    screen.press("Enter")
    screen.until_shown(PROMPT)
    app.to_list(from_terminal=True)


def in_the_replica(app: TmuxApp, command: str) -> str:
    """Asked of the engine, not of the app."""
    (container,) = app.platform.containers()
    done = docker.from_env().containers.get(container).exec_run(["sh", "-c", command])
    return str(done.output.decode())
