"""The backend's log: a rotated file, stderr too in the foreground, and no token in either."""

from __future__ import annotations

import logging
import logging.handlers
import os
import re
import sys
from pathlib import Path

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
MAX_BYTES = 10 * 2**20
KEPT_FILES = 5

_SECRETS = (
    # ?token=... of a socket's address, and other names under which a credential is passed
    (re.compile(r"(?i)\b((?:access_|refresh_)?token|api_?key|password|secret)=[^\s&\"'#]+"), r"\1=***"),
    (re.compile(r"(?i)\b(bearer)\s+[a-z0-9._~+/=-]+"), r"\1 ***"),
    (re.compile(r"\bce_(api|dev|refresh)_[A-Za-z0-9_-]+"), r"ce_\1_***"),
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


def _is_stderr(path: Path) -> bool:
    """Whether stderr was redirected to that very file, where every line would then stand twice."""
    try:
        return os.path.samestat(os.fstat(sys.stderr.fileno()), path.stat())
    except (OSError, ValueError):
        return False


def start_logging(path: Path, level: str, *, foreground: bool) -> None:
    """Send the process's log to a file (mode 0600, 10 MiB, 5 kept), and to stderr in the foreground."""
    formatter = MaskingFormatter(FORMAT)
    file = logging.handlers.RotatingFileHandler(
        path, maxBytes=MAX_BYTES, backupCount=KEPT_FILES, encoding="utf-8", errors="replace"
    )
    path.chmod(0o600)
    handlers: list[logging.Handler] = [file]
    if foreground and not _is_stderr(path):
        handlers.append(logging.StreamHandler(sys.stderr))
    for handler in handlers:
        handler.setFormatter(formatter)
    logging.basicConfig(level=level.upper(), handlers=handlers, force=True)
    logging.captureWarnings(True)
    # These say at info what the request itself tells, or what only their authors want to know.
    for name in ("alembic", "docker", "urllib3", "httpx", "httpcore", "asyncio", "aiosqlite"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
