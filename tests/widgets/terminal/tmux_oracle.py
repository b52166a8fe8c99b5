"""tmux as an oracle: the same bytes through a pane of the same size."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType


@dataclass(frozen=True)
class Picture:
    """A pane: its lines without blanks at their ends, the same with SGR sequences, and the cursor (column, line)."""

    lines: list[str]
    styled: list[str]
    cursor: tuple[int, int]


class TmuxOracle:
    """A private tmux server; a context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = f"pilothouse-oracle-{os.getpid()}"
        self._count = 0

    def __enter__(self) -> TmuxOracle:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        subprocess.run(["tmux", "-L", self._socket, "kill-server"], capture_output=True, check=False)

    def _tmux(self, *command: str) -> str:
        env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm-256color", "HOME": str(self._folder)}
        done = subprocess.run(
            ["tmux", "-L", self._socket, "-f", "/dev/null", *command],
            capture_output=True,
            check=True,
            env=env,
            timeout=30,
        )
        return done.stdout.decode("utf-8", "replace")

    def picture(self, data: bytes, columns: int, rows: int) -> Picture:
        """What tmux shows after these bytes."""
        self._count += 1
        name = f"s{self._count}"
        file = self._folder / f"{name}.bytes"
        file.write_bytes(data)
        done = f"done-{name}"
        # fmt: off
        self._tmux(
            "start-server", ";", "set", "-g", "status", "off", ";", "set", "-g", "history-limit", "0", ";",
            "new-session", "-d", "-s", name, "-x", str(columns), "-y", str(rows),
            f"stty raw -echo; cat {file}; tmux -L {self._socket} wait-for -S {done}; sleep 60", ";",
            "wait-for", done,
        )
        # fmt: on
        lines = self._tmux("capture-pane", "-p", "-t", name).split("\n")[:rows]
        styled = self._tmux("capture-pane", "-p", "-e", "-t", name).split("\n")[:rows]
        x, y = self._tmux("display-message", "-p", "-t", name, "#{cursor_x} #{cursor_y}").split()
        return Picture([line.rstrip() for line in lines], styled, (int(x), int(y)))
