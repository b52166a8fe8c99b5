"""tmux as an oracle: the same bytes through a pane of the same size."""

from __future__ import annotations

import os
import re
import shlex
import socket
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

_PANE = Path(__file__).with_name("oracle_pane.py")
_TIMEOUT = 30
_PIECES = re.compile("\x1b\\[[0-9;:]*m|(\x0e)|(\x0f)|([^\x0e\x0f\x1b]+)")
_DRAWING = str.maketrans(dict(zip("`abcdefghijklmnopqrstuvwxyz{|}~", "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·", strict=True)))


@dataclass(frozen=True)
class Picture:
    """A pane: its lines without blanks at their ends, the same with SGR sequences, and the cursor (column, line).

    Of line drawing, tmux keeps the letters that stand for it: `lines` has the drawings, `styled` the letters between
    SO and SI.
    """

    lines: list[str]
    styled: list[str]
    cursor: tuple[int, int]


class TmuxOracle:
    """A private tmux server with one pane for each size; a context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = f"pilothouse-oracle-{os.getpid()}-{id(self)}"
        self._panes: dict[tuple[int, int], tuple[str, socket.socket]] = {}

    def __enter__(self) -> TmuxOracle:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for _, connection in self._panes.values():
            connection.close()
        subprocess.run(["tmux", "-L", self._socket, "kill-server"], capture_output=True, check=False)

    def _tmux(self, *command: str) -> str:
        env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm-256color", "HOME": str(self._folder)}
        done = subprocess.run(
            ["tmux", "-L", self._socket, "-f", "/dev/null", *command],
            capture_output=True,
            check=True,
            env=env,
            timeout=_TIMEOUT,
        )
        return done.stdout.decode("utf-8", "replace")

    def _pane(self, columns: int, rows: int) -> tuple[str, socket.socket]:
        if (columns, rows) not in self._panes:
            name = f"s{columns}x{rows}"
            address = self._folder / name
            program = shlex.join([sys.executable, "-S", str(_PANE), str(address)])
            with socket.socket(socket.AF_UNIX) as listening:
                listening.bind(str(address))
                listening.listen()
                listening.settimeout(_TIMEOUT)
                # fmt: off
                self._tmux(
                    "start-server", ";", "set", "-g", "status", "off", ";", "set", "-g", "history-limit", "0", ";",
                    "new-session", "-d", "-s", name, "-x", str(columns), "-y", str(rows), program,
                )
                # fmt: on
                connection, _ = listening.accept()
            connection.settimeout(_TIMEOUT)
            self._panes[columns, rows] = name, connection
        return self._panes[columns, rows]

    def picture(self, data: bytes, columns: int, rows: int) -> Picture:
        """What tmux shows after these bytes; a sequence that they end in the middle of is given up."""
        name, connection = self._pane(columns, rows)
        connection.sendall(struct.pack(">IH", len(data), data.count(b"\x1b[5n")) + data)
        if connection.recv(1) != b"!":
            raise RuntimeError("the pane has ended")
        # fmt: off
        shown = self._tmux(
            "capture-pane", "-p", "-t", name, ";", "capture-pane", "-p", "-e", "-t", name, ";",
            "display-message", "-p", "-t", name, "#{cursor_x} #{cursor_y}",
        ).split("\n")
        # fmt: on
        x, y = shown[2 * rows].split()
        lines, styled = shown[:rows], shown[rows : 2 * rows]
        if any("\x0e" in line for line in styled):
            lines = _read("\n".join(styled)).split("\n")
        return Picture([line.rstrip() for line in lines], styled, (int(x), int(y)))


def _read(styled: str) -> str:
    """The text of lines with SGR sequences and line drawing, which goes on from line to line."""
    parts, drawing = [], False
    for found in _PIECES.finditer(styled):
        begins, ends, text = found.groups()
        if begins or ends:
            drawing = bool(begins)
        elif text:
            parts.append(text.translate(_DRAWING) if drawing else text)
    return "".join(parts)
