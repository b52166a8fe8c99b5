"""`serve --background`: start the backend in a session of its own and wait until it answers."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from backend.commands.exits import DONE, FAILED, STATE, complain
from backend.wire.rendezvous import Places, StartupProgress, read_backend_info, read_startup_progress

POLL_SECONDS = 0.05
SILENT_SECONDS = 60.0


def start_in_background(places: Places, arguments: argparse.Namespace) -> int:
    """Returns once the backend answers, or failed to start and said why."""
    running = read_backend_info(places)
    if running is not None and running.is_alive():
        complain(f"a backend already serves {places.data_dir} (process {running.pid})")
        return STATE
    try:
        places.prepare()
        # What an earlier start left would be taken for this one's.
        places.startup_file.unlink(missing_ok=True)
        process = _launch(places, arguments)
    except OSError as error:
        complain(f"the backend cannot be started in {places.data_dir}: {error}")
        return FAILED
    return _wait(places, process)


def _launch(places: Places, arguments: argparse.Namespace) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-m", "backend", "serve", "--data-dir", str(places.data_dir)]
    for name in ("host", "port", "ingress_port"):
        if getattr(arguments, name) is not None:
            command += [f"--{name.replace('_', '-')}", str(getattr(arguments, name))]
    for binding in arguments.bind or []:
        command += ["--bind", binding]
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH")) if part)
    with places.log_file.open("ab") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
            env={**os.environ, "PYTHONPATH": path},
        )


def _wait(places: Places, process: subprocess.Popen[bytes]) -> int:
    shown: StartupProgress | None = None
    deadline = time.monotonic() + SILENT_SECONDS
    while True:
        progress = read_startup_progress(places)
        if progress is not None and progress != shown:
            shown, deadline = progress, time.monotonic() + SILENT_SECONDS
            print(progress.message, file=sys.stderr if progress.failed else sys.stdout, flush=True)
        info = read_backend_info(places)
        if info is not None and info.pid == process.pid:
            print(f"The API is at http://{info.host}:{info.port} (process {info.pid})")
            return DONE
        code = process.poll()
        if code is not None:
            complain(f"the backend ended while starting (exit code {code}); see {places.log_file}")
            return code if code > 0 else FAILED
        if time.monotonic() > deadline:
            complain(f"the backend says nothing; process {process.pid} was left running; see {places.log_file}")
            return FAILED
        time.sleep(POLL_SECONDS)
