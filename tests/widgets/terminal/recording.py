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
from collections.abc import Sequence


def program(*names: str) -> list[str]:
    """The first of these programs that the machine has, else busybox's applet of the last name."""
    for name in names:
        if path := shutil.which(name):
            return [path]
    return ["busybox", names[-1]]


EDITOR = program("vim", "vim.tiny", "vi")
LESS = program("less")
TOP = program("top")


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def record(command: Sequence[str], keys: Sequence[bytes], columns: int, rows: int) -> bytes:
    """All output of `command`. Each key is sent once the program has been quiet for a moment; at the end the terminal
    hangs up."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    env = {
        "PATH": os.environ["PATH"],
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "HOME": "/",
        "PS1": "$ ",
        "LESSHISTFILE": "-",
        "HISTFILE": "",
    }
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, preexec_fn=_take_terminal, env=env
    )
    os.close(theirs)
    output = bytearray()
    try:
        for key in [*keys, b""]:
            output += _until_quiet(ours)
            if key:
                os.write(ours, key)
    except OSError:
        # The program ended by itself: the terminal has no other side any more.
        pass
    finally:
        os.close(ours)
        process.kill()
        process.wait()
    return bytes(output)


def _until_quiet(fd: int) -> bytes:
    """What comes until nothing came for a moment; raises OSError at the end of the output, after it was all read."""
    output = bytearray()
    deadline = time.monotonic() + 10
    wait = 1.0
    while time.monotonic() < deadline and select.select([fd], [], [], wait)[0]:
        try:
            piece = os.read(fd, 65536)
        except OSError:
            if output:
                return bytes(output)
            raise
        output += piece
        wait = 0.12
    return bytes(output)
