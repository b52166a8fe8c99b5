"""Where the backend of one data dir and its clients find each other: folders, socket, and two small JSON files.

Only the standard library at import time: the TUI's first screen waits for this module.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

APP_NAME = "pilothouse"
DATA_DIR_VARIABLE = "PILOTHOUSE_DATA_DIR"
SOCKET_NAME = "pilothouse.sock"
MAX_SOCKET_PATH_BYTES = 107  # sockaddr_un.sun_path holds 108 with its final NUL
DEFAULT_PORT = 8090
DEFAULT_INGRESS_PORT = 8080

# The order in which a start-up goes; `StartupProgress.step` is one of these.
STARTUP_STEPS = ("settings", "storage", "engine", "ingress", "services", "listening")


def resolve_data_dir(explicit: str | Path | None = None) -> Path:
    """The data dir as an absolute path: `explicit`, else PILOTHOUSE_DATA_DIR, else the user's data folder. Not made."""
    chosen = explicit or os.environ.get(DATA_DIR_VARIABLE)
    if not chosen:
        from platformdirs import user_data_dir

        chosen = user_data_dir(APP_NAME, appauthor=False)
    return Path(os.path.abspath(os.path.expanduser(chosen)))  # noqa: PTH100, PTH111 - keeps symlinks as given


def _socket_path(data_dir: Path) -> Path:
    """Under the data dir, or in a private temporary folder named after it where that path would be too long."""
    path = data_dir / "run" / SOCKET_NAME
    if len(os.fsencode(path)) <= MAX_SOCKET_PATH_BYTES:
        return path
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"{APP_NAME}-{os.getuid()}-{digest}" / SOCKET_NAME


@dataclass(frozen=True, slots=True)
class Places:
    """Every path of one data dir that both sides know."""

    data_dir: Path
    run_dir: Path
    log_dir: Path
    socket: Path
    backend_file: Path
    startup_file: Path
    lock_file: Path
    log_file: Path

    @classmethod
    def of(cls, data_dir: str | Path | None = None) -> Self:
        """The places of a data dir (see `resolve_data_dir`). Makes nothing."""
        root = resolve_data_dir(data_dir)
        run, log = root / "run", root / "log"
        return cls(
            data_dir=root,
            run_dir=run,
            log_dir=log,
            socket=_socket_path(root),
            backend_file=run / "backend.json",
            startup_file=run / "startup.json",
            lock_file=run / "backend.lock",
            log_file=log / "backend.log",
        )

    def prepare(self) -> None:
        """Make the folders, mode 0700. Raises PermissionError where one belongs to another user, OSError likewise."""
        self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (self.run_dir, self.log_dir, self.socket.parent):
            folder.mkdir(exist_ok=True, mode=0o700)
            # A folder in the temporary directory could have been made by somebody else, or be a link to theirs.
            found = folder.lstat()
            if found.st_uid != os.getuid() or folder.is_symlink():
                raise PermissionError(f"{folder} belongs to another user or is a link: remove it")
            if found.st_mode & 0o077:
                folder.chmod(0o700)


@dataclass(frozen=True, slots=True)
class BackendInfo:
    """`backend.json`: a backend that listens, or that did until it was killed. `started_at` is ISO 8601 in UTC.
    `process_start` is the kernel's start time of the pid in clock ticks, which tells a reused pid apart."""

    pid: int
    socket: str
    host: str
    port: int
    ingress_port: int
    version: str
    started_at: str
    process_start: int | None = None

    def is_alive(self) -> bool:
        """Whether that very process still runs."""
        if not process_exists(self.pid):
            return False
        return self.process_start is None or process_start_of(self.pid) == self.process_start


@dataclass(frozen=True, slots=True)
class StartupProgress:
    """`startup.json`: how far a start-up has come. `step` is one of STARTUP_STEPS; `message` a sentence for people."""

    step: str
    message: str
    failed: bool = False


def read_backend_info(places: Places) -> BackendInfo | None:
    """What the last backend wrote; None where there is nothing readable. It may be dead: ask `is_alive`."""
    found = _read_json(places.backend_file)
    return None if found is None else _build(BackendInfo, found)


def write_backend_info(places: Places, info: BackendInfo) -> None:
    write_private(places.backend_file, json.dumps(asdict(info), indent=1).encode())


def read_startup_progress(places: Places) -> StartupProgress | None:
    """The progress of the running or last start-up; None where there is nothing readable."""
    found = _read_json(places.startup_file)
    return None if found is None else _build(StartupProgress, found)


def write_startup_progress(places: Places, progress: StartupProgress) -> None:
    write_private(places.startup_file, json.dumps(asdict(progress)).encode())


def write_private(path: Path, data: bytes) -> None:
    """Replace a file atomically, mode 0600: a reader sees the old content or the new, never half."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise


def process_exists(pid: int) -> bool:
    """Whether a process of that id exists and is no zombie."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _stat_of(pid)[:1] != ["Z"]


def process_start_of(pid: int) -> int | None:
    """The kernel's start time of a process in clock ticks since boot; None where /proc does not tell."""
    stat = _stat_of(pid)
    return int(stat[19]) if len(stat) > 19 else None


def _stat_of(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat after the command's name (which may hold spaces); empty where unknown."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _build(kind: type[Any], found: dict[str, Any]) -> Any:
    """The dataclass from what a file of this or another version holds; None where a field is missing."""
    known = {field.name: found[field.name] for field in fields(kind) if field.name in found}
    try:
        return kind(**known)
    except TypeError:
        return None
