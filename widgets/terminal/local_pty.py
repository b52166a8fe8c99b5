"""A program of this machine in a pseudo terminal; the user's shell, for one."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pwd
import signal
import struct
import termios
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_READ = 64 * 1024
_HANG_UP_SECONDS = 2.0
_LAST_OUTPUT_SECONDS = 0.1

OF_THE_OUTER_TERMINAL = frozenset(
    {"TMUX", "TMUX_PANE", "STY", "WINDOW", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "TERMCAP", "COLUMNS", "LINES"}
)
"""Variables that tell of the terminal that this process itself runs in: programs in ours must not believe them."""


def terminal_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of programs in our terminal, made of this process's own."""
    kept = {name: value for name, value in environment.items() if name not in OF_THE_OUTER_TERMINAL}
    return {**kept, "TERM": "xterm-256color", "COLORTERM": "truecolor"}


def user_shell(environment: Mapping[str, str]) -> str:
    """The shell of the user: by SHELL, by the user database, else /bin/sh."""
    named = environment.get("SHELL", "")
    if not named:
        # A user id without an entry is usual in containers.
        with contextlib.suppress(KeyError):
            named = pwd.getpwuid(os.getuid()).pw_shell
    return named if named and os.access(named, os.X_OK) else "/bin/sh"


async def open_local_shell(columns: int, rows: int) -> LocalPty:
    """The user's shell, in the home folder: a `SourceFactory`. Raises OSError where it cannot be started."""
    return await LocalPty.open((user_shell(os.environ),), columns, rows, cwd=_home(os.environ))


def _home(environment: Mapping[str, str]) -> Path | None:
    """The home folder, where there is one."""
    home = Path(environment.get("HOME") or "/")
    return home if home.is_dir() else None


def _set_size(fd: int, columns: int, rows: int) -> None:
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


# Python ignores the first two for itself; the others are ignored in what `nohup` or a script's `&` starts.
_USUALLY_HANDLED = (
    signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM, signal.SIGTSTP,
    signal.SIGTTIN, signal.SIGTTOU, signal.SIGCHLD,
)  # fmt: skip


def _take_terminal() -> None:
    """In the child: make the terminal on standard input its controlling one, whose keys work: what is ignored when a
    program starts stays ignored in it and in all that it starts."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for number in _USUALLY_HANDLED:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


class LocalPty:
    """A `TerminalSource` of a local program. Make it with `open()`."""

    def __init__(self, process: asyncio.subprocess.Process, fd: int) -> None:
        self._process = process
        self._fd = fd
        self._loop = asyncio.get_running_loop()
        self._waiting: set[asyncio.Future[None]] = set()
        self._closed = False
        self._ended = False
        self._watch = asyncio.create_task(self._until_ended())

    async def _until_ended(self) -> None:
        """What the program left running in the background may hold its terminal open for ever."""
        await self._process.wait()
        await asyncio.sleep(_LAST_OUTPUT_SECONDS)  # what it printed last may be on its way
        self._ended = True
        self._wake_all()

    def _wake_all(self) -> None:
        for future in list(self._waiting):
            if not future.done():
                future.set_result(None)

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
        """Start `command` in a new session. `env` is the whole environment; by default this process's own with what
        fits our terminal. Raises OSError where it cannot be started."""
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
                env=dict(env) if env is not None else terminal_environment(os.environ),
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
                if self._ended:
                    return b""
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
                if self._ended:
                    raise BrokenPipeError("the program has ended") from None
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
            self._wake_all()
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
