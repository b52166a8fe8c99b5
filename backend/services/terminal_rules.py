"""What terminals of every kind have in common: the command, the size, the words for a start that failed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from backend.domain.errors import Conflict, Invalid
from backend.domain.terminals import MAX_COLUMNS, MAX_ROWS

MAX_COMMAND = 4096
# One process finds the best shell and becomes it, so that no second exec is needed.
SHELL_NAME = "bash or sh"
SHELL: tuple[str, ...] = ("/bin/sh", "-c", 'exec "$(command -v bash || command -v ash || echo sh)"')
ENVIRONMENT: Mapping[str, str] = {
    "TERM": "xterm-256color",
    "COLORTERM": "truecolor",
    # Bash tells where each prompt and each output begins, and how a command ended (OSC 133), so that one can jump from
    # command to command. Other shells do not look at these, and a user's own settings go over them.
    "PROMPT_COMMAND": r"printf '\033]133;D;%s\007\033]133;A\007' $?",
    "PS0": r"\e]133;C\a",
}

_NOT_FOUND = (b"no such file or directory", b"executable file not found", b"not a directory")
_SESSION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")


def argv_of(command: str | None) -> list[str]:
    """Split as a shell does; the best shell of the image where there is none. Raises Invalid."""
    if command is None:
        return list(SHELL)
    if len(command) > MAX_COMMAND:
        raise Invalid.at("command", f"the command is longer than {MAX_COMMAND} characters")
    try:
        argv = shlex.split(command)
    except ValueError as error:
        raise Invalid.at("command", f"the command cannot be read: {str(error).lower()}") from error
    if not argv or "\0" in command:
        raise Invalid.at("command", "the command is empty: leave it out for a shell")
    return argv


def check_size(columns: int, rows: int) -> None:
    """Raises Invalid."""
    if not 1 <= columns <= MAX_COLUMNS:
        raise Invalid.at("columns", f"columns must be from 1 to {MAX_COLUMNS}, not {columns}")
    if not 1 <= rows <= MAX_ROWS:
        raise Invalid.at("rows", f"rows must be from 1 to {MAX_ROWS}, not {rows}")


def check_session_name(name: str) -> None:
    """Raises Invalid."""
    if not _SESSION_NAME.fullmatch(name):
        raise Invalid.at(
            "session", "session must be of 1 to 32 letters, digits, '_', '.' and '-', and begin with a letter or digit"
        )


def cannot_start(where: str, image: str, command: str | None, failure: bytes) -> Conflict | Invalid:
    """What to tell where the engine wrote `failure` instead of starting the command. `where` names the object."""
    if any(words in failure for words in _NOT_FOUND):
        if command is None:
            return Conflict(
                f"the image of {where} ({image}) has no shell: name a command that it has, or use an image with one",
                details={"reason": "no_shell"},
            )
        return Invalid.at("command", f"the image has no {shlex.split(command)[0][:128]!r}")
    text = failure.decode("utf-8", "replace").strip()
    return Conflict(f"the terminal cannot be started: {text[:300]}", details={"reason": "start_failed"})
