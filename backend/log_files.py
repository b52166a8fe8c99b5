"""The backend's log: a rotated file, stderr too in the foreground, and no token in either."""

from __future__ import annotations

import atexit
import contextlib
import logging
import logging.handlers
import os
import queue
import re
import sys
import threading
from pathlib import Path
from typing import TextIO

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
MAX_BYTES = 10 * 2**20
KEPT_FILES = 5

_SECRETS = (
    # ?token=... of a socket's address, and other names under which a credential is passed
    (re.compile(r"(?i)\b((?:access_|refresh_)?token|api_?key|password|secret)=[^\s&\"'#]+"), r"\1=***"),
    (re.compile(r"(?i)\b(bearer)\s+[a-z0-9._~+/=-]+"), r"\1 ***"),
    (re.compile(r"\bce_([a-z]+)_[A-Za-z0-9_-]+"), r"ce_\1_***"),
    (re.compile(r"\bwhsec_[A-Za-z0-9+/=_-]+"), "whsec_***"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"), "***"),
    (re.compile(r"(\w+://[^\s:/@]+):[^\s@/]+@"), r"\1:***@"),
)


def mask_secrets(text: str) -> str:
    """The text without the tokens, keys and passwords that it shows."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


class MaskingFormatter(logging.Formatter):
    """Masks the finished line, so that arguments, query strings and tracebacks are all covered."""

    def format(self, record: logging.LogRecord) -> str:
        return mask_secrets(super().format(record))


class PatientHandler(logging.Handler):
    """Writes lines to a stream in a thread of its own. A reader that does not read, such as a pager, holds up nothing:
    lines are dropped while too many wait."""

    MOST_WAITING = 10_000
    LAST_SECONDS = 1.0

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._waiting: queue.Queue[str | None] = queue.Queue(self.MOST_WAITING)
        self._writer = threading.Thread(target=self._write, name="log-writer", daemon=True)
        self._writer.start()
        atexit.register(self.close)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._waiting.put_nowait(self.format(record))
        except queue.Full:
            return
        except Exception:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Say which line could not be formatted. The inherited way writes to stderr at once, which may block."""
        self.say(f"the line of {record.pathname}:{record.lineno} cannot be written: {sys.exc_info()[1]!r}")

    def say(self, line: str) -> None:
        """Write a line of our own, masked; dropped where too many wait."""
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(mask_secrets(line))

    def _write(self) -> None:
        while (line := self._waiting.get()) is not None:
            try:
                self._stream.write(f"{line}\n")
                self._stream.flush()
            except (OSError, ValueError):
                return  # nobody is there any more: the file has it all

    def close(self) -> None:
        """Write what waits, within a second."""
        if self._writer.is_alive():
            try:
                self._waiting.put_nowait(None)
            except queue.Full:
                return
            self._writer.join(self.LAST_SECONDS)
        super().close()


class LogFile(logging.handlers.RotatingFileHandler):
    """The rotated file. Where it cannot be written, as on a full disk, lines are lost, and `stderr` is told once: to
    tell of every line, and to wait for a reader of stderr, would stop the whole process."""

    def __init__(self, path: Path, stderr: PatientHandler | None) -> None:
        super().__init__(path, maxBytes=MAX_BYTES, backupCount=KEPT_FILES, encoding="utf-8", errors="replace")
        path.chmod(0o600)
        self._stderr = stderr
        self._failing = False

    def flush(self) -> None:
        super().flush()
        self._failing = False

    def handleError(self, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        if isinstance(error, OSError):
            if not self._failing and self._stderr is not None:
                self._stderr.say(f"{self.baseFilename} cannot be written, lines are lost: {error.strerror}")
            self._failing = True
        elif self._stderr is None:
            super().handleError(record)  # stderr is this file, which blocks nobody


def _is_of_use(record: logging.LogRecord) -> bool:
    """Not that each socket comes and goes, which its request says. The server also takes a socket that was refused for
    one that was forgotten."""
    return not str(record.msg).startswith(("connection ", "ASGI callable returned without completing handshake"))


def _is_stderr(path: Path) -> bool:
    """Whether stderr was redirected to that very file, where every line would then stand twice."""
    try:
        return os.path.samestat(os.fstat(sys.stderr.fileno()), path.stat())
    except (OSError, ValueError):
        return False


def start_logging(path: Path, level: str, *, foreground: bool) -> None:
    """Send the process's log to a file (mode 0600, 10 MiB, 5 kept), and to stderr in the foreground."""
    formatter = MaskingFormatter(FORMAT)
    path.touch(0o600)
    stderr = PatientHandler(sys.stderr) if foreground and not _is_stderr(path) else None
    file = LogFile(path, stderr)
    handlers: list[logging.Handler] = [file] if stderr is None else [file, stderr]
    for handler in handlers:
        handler.setFormatter(formatter)
    logging.basicConfig(level=level.upper(), handlers=handlers, force=True)
    logging.captureWarnings(True)
    # These say at info what the request itself tells, or what only their authors want to know.
    for name in ("alembic", "docker", "urllib3", "httpx", "httpcore", "asyncio", "aiosqlite"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
    logging.getLogger("uvicorn.error").addFilter(_is_of_use)
