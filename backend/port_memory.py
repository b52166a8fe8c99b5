"""The ports that `serve` was last told by flags. Whoever starts it again without them (the app does, where a backend
was killed) brings apps and API back to the addresses that others know. That it listened for other machines is not kept:
that is to be told each time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backend.wire.rendezvous import write_private

FILE_NAME = "ports.json"
PORTS = ("port", "ingress_port")


def remembered(data_dir: Path) -> dict[str, Any]:
    """By setting, as flags give them; empty where nothing is known. Never fails."""
    try:
        found = json.loads((data_dir / FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return {name: found[name] for name in PORTS if name in found} if isinstance(found, dict) else {}


def remember(data_dir: Path, flags: Mapping[str, Any]) -> None:
    """Keep what these flags give beside what is known, but no port for two. Raises OSError."""
    before = remembered(data_dir)
    given = {name: flags[name] for name in PORTS if flags.get(name) is not None}
    taken = {str(port) for port in given.values()}
    now = {name: port for name, port in before.items() if str(port) not in taken} | given
    if now != before:
        write_private(data_dir / FILE_NAME, json.dumps(now).encode())
