"""Where the terminal holders of one data dir listen. Each version has its own socket: an older holder keeps its
sessions beside a newer one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from backend.terminals.protocol import PROTOCOL
from backend.version import version
from backend.wire.rendezvous import SOCKET_NAME, Places

REVISION = 3
"""Raised where an older holder would do less than is asked, though it understands: new sessions begin in another."""

_PATTERN = "hold-????.sock"


@dataclass(frozen=True, slots=True)
class HolderPlaces:
    """The lock holds the pid of the holder that has it."""

    socket: Path
    lock_file: Path
    log_file: Path

    @classmethod
    def of(cls, places: Places) -> Self:
        """Those of this version's holder. Makes nothing."""
        tag = hashlib.sha256(f"{version()} {PROTOCOL} {REVISION}".encode()).hexdigest()[:4]
        name = f"hold-{tag}"
        # No longer than the name whose length decided about the folder.
        assert len(f"{name}.sock") <= len(SOCKET_NAME)
        return cls(
            places.socket.parent / f"{name}.sock", places.run_dir / f"{name}.lock", places.log_dir / "holder.log"
        )


def found_sockets(places: Places) -> list[Path]:
    """The sockets of holders of all versions, alive or left behind."""
    return sorted(places.socket.parent.glob(_PATTERN))
