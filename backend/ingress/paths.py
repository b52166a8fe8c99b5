"""Where the ingress keeps its sockets and files."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from backend.domain.errors import Unavailable

_LONGEST_SOCKET_PATH = 100  # bytes; the system's limit is 107 on Linux, 103 on macOS


@dataclass(frozen=True, slots=True)
class IngressPaths:
    """Everything the ingress writes lies in `run_dir` and `log_dir`; sockets may lie in `socket_dir` instead, where
    `run_dir` is too long a path for one."""

    run_dir: Path
    log_dir: Path
    socket_dir: Path

    @classmethod
    def prepare(cls, run_dir: Path, log_dir: Path) -> IngressPaths:
        """Make the directories, mode 0700. Raises Unavailable where the socket directory is not ours alone."""
        run_dir = run_dir.absolute()
        log_dir = log_dir.absolute()
        run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        log_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        run_dir.chmod(0o700)
        socket_dir = run_dir
        if len(os.fsencode(run_dir / "ingress-router-admin.sock")) > _LONGEST_SOCKET_PATH:
            socket_dir = _short_directory(run_dir)
        return cls(run_dir, log_dir, socket_dir)

    @property
    def router_socket(self) -> Path:
        """Where the door finds the router."""
        return self.socket_dir / "ingress-router.sock"

    def admin_socket(self, name: str) -> Path:
        """Caddy's admin API of the named process."""
        return self.socket_dir / f"ingress-{name}-admin.sock"

    def config(self, name: str) -> Path:
        """The last config that the named process took."""
        return self.run_dir / f"ingress-{name}.json"

    def pid(self, name: str) -> Path:
        """The process id of the named process."""
        return self.run_dir / f"ingress-{name}.pid"

    def output(self, name: str) -> Path:
        """What the named process printed since its start: why it did not start, or a crash."""
        return self.run_dir / f"ingress-{name}.out"

    def errors(self, name: str) -> Path:
        """The log of the named process."""
        return self.log_dir / f"ingress-{name}.log"

    @property
    def caddy_home(self) -> Path:
        """In place of the user's home, for whatever Caddy wants to keep."""
        return self.run_dir / "caddy"

    @property
    def access_log(self) -> Path:
        """One JSON line per finished request."""
        return self.log_dir / "ingress-access.log"

    @property
    def access_position(self) -> Path:
        """How far the access log has been read."""
        return self.run_dir / "ingress-access.position"


def _short_directory(run_dir: Path) -> Path:
    digest = hashlib.sha256(os.fsencode(run_dir.resolve())).hexdigest()[:12]
    directory = Path(tempfile.gettempdir()) / f"pilothouse-{os.getuid()}-{digest}"
    directory.mkdir(mode=0o700, exist_ok=True)
    status = directory.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise Unavailable(f"{directory} is not a directory that only this user can open: remove it, or set TMPDIR")
    return directory
