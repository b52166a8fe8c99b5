"""Finds the bundled backend of a data dir, or starts it in the background and tells how far it has come."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from backend.wire.rendezvous import Places, StartupProgress, read_backend_info, read_startup_progress
from tui.client.errors import StartFault

POLL_SECONDS = 0.1
# A first start makes keys, runs migrations and starts the ingress; a silent one for longer than this is stuck.
SILENT_SECONDS = 60.0
TAIL_BYTES = 4096
TAIL_LINES = 12
ALREADY_RUNNING = 3  # the exit code of `serve` where another backend has the data dir

ProgressListener = Callable[[StartupProgress], None]


async def ensure_backend(
    places: Places,
    on_progress: ProgressListener,
    *,
    arguments: Sequence[str] = (),
    silent_seconds: float = SILENT_SECONDS,
) -> bool:
    """Returns once a backend of this data dir accepts connections on its unix socket: True where this call started it.
    `arguments` go to `serve`. Raises StartFault."""
    if await _answers(places.socket):
        return False
    try:
        places.prepare()
    except OSError as error:
        raise StartFault(f"The data folder {places.data_dir} cannot be used: {error}") from error
    found = read_backend_info(places)
    if found is not None and found.is_alive():
        await _follow(places, None, on_progress, silent_seconds)
        return False
    places.startup_file.unlink(missing_ok=True)  # an old fault must not be taken for a new one
    on_progress(StartupProgress("launch", "Launching the backend"))
    process = _launch(places, arguments)
    await _follow(places, process, on_progress, silent_seconds)
    return True


async def _follow(
    places: Places, process: subprocess.Popen[bytes] | None, on_progress: ProgressListener, silent_seconds: float
) -> None:
    last: StartupProgress | None = None
    deadline = time.monotonic() + silent_seconds
    while not await _answers(places.socket):
        progress = read_startup_progress(places)
        if progress is not None and progress != last:
            last = progress
            deadline = time.monotonic() + silent_seconds
            on_progress(progress)
        if progress is not None and progress.failed:
            raise _fault(places, progress.message)
        if process is not None and (code := process.poll()) is not None:
            # Another one may have won the lock, started by another window; then it is that one which will answer.
            found = read_backend_info(places)
            if code != ALREADY_RUNNING and (found is None or not found.is_alive()):
                raise _fault(places, f"The backend ended with exit code {code} while starting")
            process = None
        if time.monotonic() > deadline:
            raise _fault(places, f"The backend has said nothing for {silent_seconds:.0f} s while starting")
        await asyncio.sleep(POLL_SECONDS)


async def _answers(socket: Path) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(str(socket))
    except OSError:
        return False
    writer.close()
    return True


def _launch(places: Places, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    """In a session of its own, so that it outlives the app and its terminal; what it prints goes to its log file."""
    command = [sys.executable, "-P", "-m", "backend", "serve", "--data-dir", str(places.data_dir), *arguments]
    with places.log_file.open("ab") as log:
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
                env=_environment(),
            )
        except OSError as error:
            raise StartFault(f"The backend cannot be launched: {error}") from error


def _environment() -> dict[str, str]:
    """The app's environment, with the folder that holds our packages on the path: the backend starts in `/`."""
    root = str(Path(__file__).resolve().parents[2])
    path = os.environ.get("PYTHONPATH", "")
    return {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{path}" if path else root}


def _fault(places: Places, message: str) -> StartFault:
    return StartFault(message, tail=log_tail(places.log_file), log_file=str(places.log_file))


def log_tail(path: Path) -> str:
    """The last lines of a log file; empty where there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-TAIL_LINES:])
