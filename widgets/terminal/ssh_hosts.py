"""Hosts that the user's ssh configuration names, to choose from. See ssh_config(5)."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Final

MAX_FILES: Final = 64
MAX_FILE_BYTES: Final = 1024 * 1024
MAX_HOSTS: Final = 500
_WILD = frozenset("*?!")


def ssh_hosts(config: Path | None = None) -> list[str]:
    """The names in `Host` lines that are no patterns, in order, also of included files. Reads files: call it in a
    thread. What cannot be read or makes no sense is passed over, since ssh itself will tell of it."""
    path = config or Path.home() / ".ssh" / "config"
    found: dict[str, None] = {}
    _collect(path, path.parent, found, set())
    return list(found)[:MAX_HOSTS]


def _collect(path: Path, folder: Path, found: dict[str, None], seen: set[Path]) -> None:
    if path in seen or len(seen) >= MAX_FILES:
        return
    seen.add(path)
    try:
        if path.stat().st_size > MAX_FILE_BYTES or not path.is_file():
            return
        text = path.read_text(errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        keyword, arguments = _parsed(line)
        if keyword == "host":
            found.update(dict.fromkeys(name for name in arguments if not _WILD & set(name)))
        elif keyword == "include":
            for pattern in arguments:
                for included in _matches(pattern, folder):
                    _collect(included, folder, found, seen)


def _parsed(line: str) -> tuple[str, list[str]]:
    """The keyword in small letters and its arguments; `Keyword=value` is allowed too."""
    text = line.strip()
    if not text or text.startswith("#"):
        return "", []
    end = next((at for at, character in enumerate(text) if character in " \t="), len(text))
    rest = text[end:].lstrip(" \t")
    rest = rest[1:] if rest.startswith("=") else rest
    try:
        return text[:end].lower(), shlex.split(rest, comments=True)
    except ValueError:
        return "", []


def _matches(pattern: str, folder: Path) -> list[Path]:
    """Files of an `Include`: relative ones are in the folder of the user's configuration."""
    path = Path(pattern).expanduser() if pattern.startswith("~") else folder / pattern
    try:
        return sorted(Path(path.anchor or ".").glob(str(path.relative_to(path.anchor) if path.anchor else path)))
    except (OSError, ValueError, NotImplementedError):
        return []
