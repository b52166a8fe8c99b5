"""Records what a real program prints into a terminal of a given size while keys are sent to it."""

from __future__ import annotations

import fcntl
import os
import select
import shutil
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from widgets.terminal.emulator import ByteStream, Screen


def program(*names: str) -> list[str]:
    """The first of these programs that the machine has, else busybox's applet of the last name."""
    for name in names:
        if path := shutil.which(name):
            return [path]
    return ["busybox", names[-1]]


EDITOR = program("vim", "vim.tiny", "vi")


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Recorder:
    """A program in a terminal that answers what it is asked; `output` is all that it printed, `screen` what it shows.

    A context manager; at its end the terminal hangs up.
    """

    def __init__(
        self, command: Sequence[str], columns: int, rows: int, folder: Path, environment: Mapping[str, str]
    ) -> None:
        self._terminal, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        env = {
            "PATH": os.environ["PATH"],
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "HOME": str(folder),
            "PS1": "$ ",
            "LESSHISTFILE": "-",
            "HISTFILE": "",
            **environment,
        }
        self._process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=_take_terminal,
            env=env,
            cwd=folder,
        )
        os.close(theirs)
        self.output = bytearray()
        self.screen = Screen(columns, rows)
        self.screen.on_reply = self._answer
        self._stream = ByteStream(self.screen)

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._terminal)
        self._process.kill()
        self._process.wait()

    def _answer(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def send(self, key: bytes) -> None:
        os.write(self._terminal, key)

    def settle(self, pause: float, longest: float = 10) -> None:
        """Take in what comes until nothing came for `pause` seconds; raises OSError at the end of the output."""
        deadline = time.monotonic() + longest
        wait = max(1.0, pause)
        while time.monotonic() < deadline and select.select([self._terminal], [], [], wait)[0]:
            piece = os.read(self._terminal, 65536)
            self.output += piece
            self._stream.feed(piece)
            wait = pause


def record(
    command: Sequence[str],
    keys: Sequence[bytes],
    columns: int,
    rows: int,
    *,
    folder: Path = Path("/"),
    environment: Mapping[str, str] | None = None,
    pause: float = 0.12,
) -> bytes:
    """All output of `command`, which runs in `folder`. Each key is sent once it was quiet for `pause` seconds."""
    with Recorder(command, columns, rows, folder, environment or {}) as recorder:
        try:
            for key in [*keys, b""]:
                recorder.settle(pause)
                if key:
                    recorder.send(key)
        except OSError:
            # The program ended by itself: the terminal has no other side any more.
            pass
        return bytes(recorder.output)
