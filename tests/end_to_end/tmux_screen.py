"""A program in a terminal of a fixed size, typed at and read as a person does: tmux is the terminal."""

from __future__ import annotations

import itertools
import os
import shlex
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

DEADLINE_SECONDS = 100.0
# An ESC with something right behind it is another key (alt and that); this long after it, it stands alone.
ESCAPE_STANDS_ALONE_SECONDS = 0.25

_numbers = itertools.count()


class TmuxScreen:
    """One program in one pane of a tmux server of its own. `close` ends the server and the program."""

    def __init__(
        self, command: Sequence[str], *, columns: int, rows: int, environment: Mapping[str, str] | None = None
    ) -> None:
        self._socket = f"pilothouse-tests-{os.getpid()}-{next(_numbers)}"
        self._exit_file = Path(tempfile.gettempdir()) / f"{self._socket}.exit"
        self._environment = {
            **(environment or os.environ), "LC_ALL": "C.UTF-8", "TERM": "xterm-256color", "COLORTERM": "truecolor",
        }  # fmt: skip
        self._environment.pop("TMUX", None)
        # What the program prints as it ends stays readable, and so does the screen of one that crashed.
        self.tmux(
            "start-server", ";", "set", "-g", "status", "off", ";", "set", "-g", "remain-on-exit", "on", ";",
            "set", "-g", "default-terminal", "tmux-256color", ";", "set", "-s", "escape-time", "0", ";",
            "new-session", "-d", "-x", str(columns), "-y", str(rows),
            # tmux itself forgets the exit code of some programs.
            f"{shlex.join(command)}; echo $? > {self._exit_file}.new; mv {self._exit_file}.new {self._exit_file}",
        )  # fmt: skip

    def tmux(self, *arguments: str) -> str:
        """One tmux command against this server; its output."""
        done = subprocess.run(
            ["tmux", "-L", self._socket, "-f", "/dev/null", *arguments],
            capture_output=True,
            env=self._environment,
            timeout=20,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def close(self) -> None:
        """Ends the terminal; a program that still runs gets its hang-up."""
        subprocess.run(
            ["tmux", "-L", self._socket, "kill-server"],
            capture_output=True, env=self._environment, timeout=20, check=False,
        )  # fmt: skip
        self._exit_file.unlink(missing_ok=True)

    # --- typing

    def press(self, *keys: str) -> None:
        """Keys by tmux's names: `Enter`, `Tab`, `Escape`, `C-s`, `x`."""
        for key in keys:
            self.tmux("send-keys", key)
            if key == "Escape":
                time.sleep(ESCAPE_STANDS_ALONE_SECONDS)

    def type(self, text: str) -> None:
        """Text as it is."""
        self.tmux("send-keys", "-l", text)

    def resize(self, columns: int, rows: int) -> None:
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))

    # --- reading

    @property
    def text(self) -> str:
        """What the screen shows, a line a row."""
        return self.tmux("capture-pane", "-p")

    @property
    def styled(self) -> str:
        """The same with its colours, as escape sequences."""
        return self.tmux("capture-pane", "-p", "-e")

    def line(self, *words: str) -> str:
        """The first row with all these words; "" where there is none."""
        return next((row for row in self.text.splitlines() if all(word in row for word in words)), "")

    def until(self, reached: Callable[[str], object], what: str) -> str:
        """Waits until `reached` holds for the text of the screen, which is returned."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not reached(text := self.text):
            assert time.monotonic() < deadline, f"{what} did not come; the screen shows:\n{text}"
            time.sleep(0.05)
        return text

    def until_shown(self, *words: str) -> str:
        """Until all the words are on the screen."""
        return self.until(lambda text: all(word in text for word in words), " and ".join(map(repr, words)))

    def until_gone(self, *words: str) -> str:
        """Until none of the words is on the screen."""
        return self.until(lambda text: not any(word in text for word in words), f"the end of {words}")

    def until_line(self, *words: str) -> str:
        """Until one row has all the words; that row."""
        self.until(lambda _: self.line(*words), f"a row with {words}")
        return self.line(*words)

    # --- the program

    @property
    def exit_code(self) -> int | None:
        """Of the program; None while it runs."""
        return int(self._exit_file.read_text()) if self._exit_file.exists() else None

    def until_ended(self) -> int:
        self.until(lambda _: self.exit_code is not None, "the program's end")
        code = self.exit_code
        assert code is not None
        return code
