"""The app as a person opens it: `pilothouse` in a terminal, on a data dir of its own, typed at and read."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.backend.running_backend import environment
from tests.end_to_end.platform import Platform
from tests.end_to_end.tmux_screen import TmuxScreen

SIZES = [(80, 24), (200, 50)]
LEAVE_TERMINAL = "C-\\"


class TmuxApp:
    """Keys in, screen out; `platform` looks at the same backend from outside. The app starts the backend itself."""

    def __init__(self, data_dir: Path, size: tuple[int, int], *, docker_host: str = "") -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        self.platform = Platform(data_dir)
        self._data_dir = data_dir
        self._size = size
        self._docker_host = docker_host
        self.screen: TmuxScreen

    def open(self) -> TmuxScreen:
        """Starts `pilothouse` in a new terminal."""
        backend = self.platform.backend
        more = {"DOCKER_HOST": self._docker_host} if self._docker_host else {}
        self.screen = TmuxScreen(
            [
                str(Path(sys.executable).with_name("pilothouse")),
                "--data-dir", str(self._data_dir),
                "--port", str(backend.port),
                "--ingress-port", str(backend.ingress_port),
            ],
            columns=self._size[0],
            rows=self._size[1],
            # What some shells export must not stand in the way of a resize.
            environment=environment(self._data_dir) | {"COLUMNS": "71", "LINES": "17"} | more,
        )  # fmt: skip
        return self.screen

    def clean(self) -> None:
        """Ends the terminal, the backend, its ingress and all that it made on the engine."""
        if hasattr(self, "screen"):
            self.screen.close()
        self.platform.clean()

    # --- what a person does, with a look at the screen after each step

    def deploy(self, name: str, image: str, port: int, *, environment: str = "") -> None:
        """Fills the form and sends it; the form is gone when this returns."""
        screen = self.screen
        screen.press("n")
        screen.until_shown("Deploy an image ─")
        self.fill("Name", name)
        screen.press("Tab")
        self.fill("Image", image)
        screen.press("Tab")
        self.refill("Port", str(port))
        if environment:
            screen.press("Tab", "Tab", "Tab", "Tab")
            screen.type(environment)
            screen.until_shown(environment)
        screen.press("C-s")
        screen.until_gone("Deploy an image ─")

    def fill(self, label: str, text: str) -> None:
        """Types into the field that has the cursor, and waits until it shows the text."""
        self.screen.type(text)
        self.until_field(label, text)

    def refill(self, label: str, text: str) -> None:
        """The same where something stands there already."""
        before = self.field(label)
        self.screen.press("C-e", "C-u")
        # Not only until it is empty: a placeholder may come in its stead.
        self.screen.until(lambda _: self.field(label) != before, f"an empty {label}")
        self.fill(label, text)

    def field(self, label: str) -> str:
        """What stands in a required field of one line, or its placeholder; of a long text what is in sight."""
        found = re.search(rf" {label} \* (\S*) ", self.screen.text)
        assert found, f"no field {label} in\n{self.screen.text}"
        return found[1]

    def until_field(self, label: str, text: str) -> None:
        # A long text is scrolled in its field: its end is what stands there.
        self.screen.until(lambda _: self.field(label).endswith(text[-16:]), f"{label} with {text!r}")

    def command(self, line: str) -> None:
        """A command by `:`."""
        self.screen.press(":")
        self.screen.until_line(":", "command, e.g.")
        self.screen.type(line)
        self.screen.until_line(f": {line}")
        self.screen.press("Enter")
        self.screen.until(lambda text: f": {line}" not in text, "the end of the command line")

    def panel(self, key: str, *words: str) -> str:
        """From the list to a panel by its key; the screen once it shows the words and the focus is there."""
        with self.focus_moves():
            self.screen.press(key)
        return self.screen.until_shown(*words)

    def to_list(self, *, from_terminal: bool = False) -> None:
        """From a panel back to the list, where the keys of deployments work."""
        with self.focus_moves():
            self.screen.press(LEAVE_TERMINAL if from_terminal else "1")

    @contextmanager
    def focus_moves(self) -> Iterator[None]:
        """Waits until the focus came to the list or left it: its frame looks different then."""
        before = self._title_of_list()
        yield
        self.screen.until(lambda _: self._title_of_list() != before, "the focus")

    def _title_of_list(self) -> str:
        """With its colours."""
        rows = (row for row in self.screen.styled.splitlines() if "Deployments (" in row)
        return next(rows, "").split("Deployments (")[0]

    def row(self, name: str, *words: str) -> str:
        """Waits until the row of that deployment in the list has all the words."""
        return self.screen.until_line(f" {name} ", "/", *words)

    def quit(self) -> None:
        self.screen.press("q")
        assert self.screen.until_ended() == 0
