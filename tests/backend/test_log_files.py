"""Nothing that gives access stands in a log."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from backend.delivery.webhook import SECRET_PREFIX
from backend.log_files import mask_secrets
from backend.services.api_keys import PREFIXES
from backend.services.tokens import INVITATION_PREFIX, REFRESH_PREFIX, RESET_PREFIX, VERIFY_PREFIX


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        ('"GET /v1/events?token=abc.def&x=1 HTTP/1.1" 101', '"GET /v1/events?token=***&x=1 HTTP/1.1" 101'),
        ("Authorization: Bearer abc.DEF-1_2", "Authorization: Bearer ***"),
        ("key ce_api_0123abcdef was used", "key ce_api_*** was used"),
        ("ce_refresh_0123abcdef", "ce_refresh_***"),
        ("postgresql://me:s3cret@db/x", "postgresql://me:***@db/x"),
        ("password=hidden next", "password=*** next"),
        ("eyJhbGciOi.eyJzdWIi.c2ln", "***"),
        ("an ordinary line, port 8090, token expired", "an ordinary line, port 8090, token expired"),
    ],
)
def test_masking(line: str, masked: str) -> None:
    assert mask_secrets(line) == masked


@pytest.mark.parametrize(
    "prefix", [*PREFIXES, REFRESH_PREFIX, RESET_PREFIX, VERIFY_PREFIX, INVITATION_PREFIX, SECRET_PREFIX]
)
def test_whatever_we_issue_is_masked(prefix: str) -> None:
    assert mask_secrets(f"sent {prefix}Ab0-_Yz9 to them") == f"sent {prefix}*** to them"


def test_a_reader_that_does_not_read_holds_up_nothing(tmp_path: Path) -> None:
    """As a pager on its first page: far more than a pipe takes is logged, all of it to the file; the process ends."""
    reading, writing = os.pipe()
    code = (
        "import logging, sys; from pathlib import Path; from backend.log_files import start_logging\n"
        "start_logging(Path(sys.argv[1]), 'info', foreground=True)\n"
        "for number in range(3000): logging.getLogger('x').info('line %d %s', number, 'y' * 100)\n"
    )
    try:
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "log")], stderr=writing, check=True, timeout=60, cwd=Path.cwd()
        )
        assert (tmp_path / "log").read_text().count("\n") == 3000
        assert b"line 0 " in os.read(reading, 1000)
    finally:
        os.close(reading)
        os.close(writing)


def test_a_file_that_cannot_be_written_holds_up_nothing_and_is_told_once(tmp_path: Path) -> None:
    """As on a full disk, with a stderr that nobody reads."""
    reading, writing = os.pipe()
    code = (
        "import logging, resource, sys; from pathlib import Path; from backend.log_files import start_logging\n"
        "start_logging(Path(sys.argv[1]), 'info', foreground=True)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "for number in range(20): logging.getLogger('x').info('line %d %s', number, 'y' * 100)\n"
        "logging.getLogger('x').info('%d', 'no number')\n"
        "for number in range(3000): logging.getLogger('x').info('more %d %s', number, 'y' * 100)\n"
    )
    try:
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "log")], stderr=writing, check=True, timeout=60, cwd=Path.cwd()
        )
        shown = os.read(reading, 1 << 20).decode()
        assert shown.count(f"{tmp_path / 'log'} cannot be written, lines are lost: File too large") == 1
        assert "Traceback" not in shown
        assert "more 1 " in shown
        assert (tmp_path / "log").read_text().startswith("20")
    finally:
        os.close(reading)
        os.close(writing)


def test_the_server_is_not_quoted_on_every_socket() -> None:
    server = logging.getLogger("uvicorn.error")
    from backend.log_files import _is_of_use

    def said(level: int, words: str) -> bool:
        return _is_of_use(server.makeRecord(server.name, level, "f", 1, words, (), None))

    assert not said(logging.INFO, "connection open")
    assert not said(logging.ERROR, "ASGI callable returned without completing handshake.")
    assert said(logging.ERROR, "Exception in ASGI application\n")
    assert said(logging.INFO, '%s - "WebSocket %s" [accepted]')
