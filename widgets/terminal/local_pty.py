"""A program of this machine in a pseudo terminal."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import struct
import termios
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_READ = 64 * 1024
_HANG_UP_SECONDS = 2.0


def _set_size(fd: int, columns: int, rows: int) -> None:
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def _take_terminal() -> None:
    """In the child: make the terminal on standard input its controlling one."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class LocalPty:
    """A `TerminalSource` of a local program. Make it with `open()`."""

    def __init__(self, process: asyncio.subprocess.Process, fd: int) -> None:
        self._process = process
        self._fd = fd
        self._loop = asyncio.get_running_loop()
        self._waiting: set[asyncio.Future[None]] = set()
        self._closed = False

    @classmethod
    async def open(
        cls,
        command: Sequence[str],
        columns: int = 80,
        rows: int = 24,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> LocalPty:
        """Start `command` in a new session. `env` is the whole environment; by default this process's own with TERM
        of xterm-256color. Raises OSError where it cannot be started."""
        ours, theirs = os.openpty()
        try:
            _set_size(theirs, columns, rows)
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=theirs,
                stdout=theirs,
                stderr=theirs,
                start_new_session=True,
                preexec_fn=_take_terminal,
                env=dict(env) if env is not None else {**os.environ, "TERM": "xterm-256color"},
                cwd=cwd,
            )
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        os.set_blocking(ours, False)
        return cls(process, ours)

    async def read(self) -> bytes:
        """At most 64 KiB of output; empty when the program ended."""
        while not self._closed:
            try:
                return os.read(self._fd, _READ)
            except BlockingIOError:
                await self._ready(self._loop.add_reader, self._loop.remove_reader)
            except OSError:
                # Linux answers EIO once nobody holds the other side any more: the end of the output.
                return b""
        return b""

    async def write(self, data: bytes) -> None:
        """Send input; waits where the program does not read."""
        while data:
            if self._closed:
                raise BrokenPipeError("the terminal is closed")
            try:
                data = data[os.write(self._fd, data) :]
            except BlockingIOError:
                await self._ready(self._loop.add_writer, self._loop.remove_writer)

    async def _ready(self, add: Callable[..., object], remove: Callable[..., object]) -> None:
        future: asyncio.Future[None] = self._loop.create_future()
        self._waiting.add(future)

        def wake() -> None:
            if not future.done():
                future.set_result(None)

        add(self._fd, wake)
        try:
            await future
        finally:
            self._waiting.discard(future)
            if not self._closed:
                remove(self._fd)

    async def resize(self, columns: int, rows: int) -> None:
        """Tell the new size; the program gets SIGWINCH."""
        if not self._closed:
            _set_size(self._fd, columns, rows)

    async def exit_code(self) -> int | None:
        """The exit status; negative for a signal."""
        return await self._process.wait()

    async def close(self) -> None:
        """Hang up; a program that stays two seconds longer is killed."""
        if not self._closed:
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
            self._closed = True
            os.close(self._fd)
            for future in list(self._waiting):
                if not future.done():
                    future.set_result(None)
        if self._process.returncode is None:
            self._signal(signal.SIGHUP)
            try:
                await asyncio.wait_for(self._process.wait(), _HANG_UP_SECONDS)
            except TimeoutError:
                self._signal(signal.SIGKILL)
                await self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
