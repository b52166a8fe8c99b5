"""A full-screen program in a pseudo-terminal, whose output is read as fast as it comes."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Self

_KEPT_BYTES = 1 << 18
_ESCAPES = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_].*?\x1b\\|[ -/]*[0-~])", re.DOTALL
)


class NotSeen(Exception):
    """The awaited text did not come; the message ends with what was on the screen instead."""


class PseudoTerminal:
    """Runs a command until `close`. A thread reads, so that the program never waits for its reader."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], *, columns: int = 200, rows: int = 50
    ) -> None:
        self._lock = threading.Condition()
        self._output = bytearray()
        self._ended = False
        self._leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.started = time.monotonic()
        self._process = subprocess.Popen(
            command,
            stdin=follower,
            stdout=follower,
            stderr=follower,
            start_new_session=True,
            # The session's terminal, as a shell's child has it.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env={**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"},
        )
        os.close(follower)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def press(self, keys: str) -> None:
        os.write(self._leader, keys.encode())

    def forget(self) -> None:
        """What came until now no longer counts as seen."""
        with self._lock:
            self._output.clear()

    def until(self, text: str, *, seconds: float = 30.0) -> float:
        """Waits until the text was drawn in one go; returns the seconds from the start of the program until then.
        Raises NotSeen."""
        wanted = text.encode()
        deadline = time.monotonic() + seconds
        with self._lock:
            while True:
                if wanted in _ESCAPES.sub(b"", bytes(self._output)):
                    return self._last_read - self.started
                left = deadline - time.monotonic()
                if left <= 0 or self._ended:
                    shown = _ESCAPES.sub(b"", bytes(self._output)).decode(errors="replace")[-600:]
                    raise NotSeen(f"{text!r} was not drawn {'before the end' if self._ended else 'in time'}: {shown}")
                self._lock.wait(left)

    def until_written(self, mark: bytes, *, seconds: float = 30.0) -> float:
        """Waits for bytes as they are, without a look at what they draw, so that a flood is read as fast as it comes;
        returns the seconds from the start of the program until then. Raises NotSeen."""
        deadline = time.monotonic() + seconds
        with self._lock:
            while mark not in self._output:
                left = deadline - time.monotonic()
                if left <= 0 or self._ended:
                    raise NotSeen(f"{mark!r} was not written {'before the end' if self._ended else 'in time'}")
                self._lock.wait(left)
            return self._last_read - self.started

    def close(self) -> None:
        """Ends the program and all that it started in its session."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        self._reader.join(5)
        if self._leader >= 0:
            os.close(self._leader)
            self._leader = -1

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._leader, 1 << 16)
            except OSError:  # EIO: the last holder of the other end has gone
                data = b""
            with self._lock:
                self._last_read = time.monotonic()
                self._ended = not data
                self._output += data
                del self._output[:-_KEPT_BYTES]
                self._lock.notify_all()
            if not data:
                return
