"""What `serve` was last told by flags to listen at. Whoever starts it again without them (the app does, where a backend
was killed) brings apps and API back to the addresses that others know."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backend.wire.rendezvous import write_private

FILE_NAME = "listening.json"
PORTS = ("port", "ingress_port")
OPENINGS = ("host", "bind")
"""Remembered over a crash, but not over an end that was asked for: to listen for other machines is then to be told
anew."""


def remembered(data_dir: Path) -> dict[str, Any]:
    """By setting, as flags give them; empty where nothing is known. Never fails."""
    try:
        found = json.loads((data_dir / FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {name: found[name] for name in (*PORTS, *OPENINGS) if name in found} if isinstance(found, dict) else {}


def remember(data_dir: Path, flags: Mapping[str, Any]) -> None:
    """Keep what these flags give beside what is known. Raises OSError."""
    before = remembered(data_dir)
    now = before | {name: flags[name] for name in (*PORTS, *OPENINGS) if flags.get(name) is not None}
    if now != before:
        write_private(data_dir / FILE_NAME, json.dumps(now).encode())


def forget_openings(data_dir: Path) -> None:
    """Keep only the ports. Raises OSError."""
    before = remembered(data_dir)
    now = {name: value for name, value in before.items() if name in PORTS}
    if now != before:
        write_private(data_dir / FILE_NAME, json.dumps(now).encode())
