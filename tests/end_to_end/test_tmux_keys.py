"""Many keys in one read of the terminal, as a slow line or a paste brings them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.tmux_app import LEAVE_TERMINAL, TmuxApp


@pytest.fixture
def app(tmp_path: Path) -> Iterator[TmuxApp]:
    made = TmuxApp(tmp_path / "data", (100, 30))
    try:
        yield made
    finally:
        made.clean()


def test_a_burst_of_keys_goes_where_single_ones_go(app: TmuxApp, static_image: str) -> None:
    screen = app.open()
    screen.until_shown("No deployments yet.")
    screen.tmux("send-keys", "n", "w", "e", "b", "Tab", *static_image, "Tab", "C-e", "C-u", *"70000", "C-s")
    screen.until_shown("✗")
    assert app.field("Name") == "web"
    assert app.field("Port") == "70000"
    screen.tmux("send-keys", "C-e", "C-u", "8", "0", "C-s")
    app.row("web", "● running", "1/1")
    # Behind a key that moves the focus and a `:`, text is text: nothing is stopped, opened or deleted.
    screen.tmux("send-keys", "2", "1", ":", *"xDnfrobnicate")
    screen.until_line(": xDnfrobnicate")
    assert "Deploy an image ─" not in screen.text
    screen.press("Escape")
    screen.until_gone("xDnfrobnicate")
    # The keys behind the one that leaves the shell are for the list again.
    screen.press("s")
    screen.until_shown("^\\ leaves", "replica")
    screen.tmux("send-keys", "e", "c", "h", "o", "Space", "a", "-", "b", "Enter", LEAVE_TERMINAL, ":", *"scale web 2")
    screen.until_line(": scale web 2")
    screen.tmux("send-keys", "Enter")
    app.row("web", "● running", "2/2")
