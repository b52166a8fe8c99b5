"""The app as a user starts it, in a pseudo-terminal of 200x50."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.pseudo_terminal import PseudoTerminal
from benchmarks.server import Server

# On the first screen whatever the backend does: the last word of the bottom line.
DRAWN = "Quit"
# Right at the top once the first live data came.
WITH_DATA = "● live"


def app_of(server: Server) -> PseudoTerminal:
    """The installed command, on the data dir of that server."""
    command = [
        str(Path(sys.executable).with_name("pilothouse")),
        "--data-dir", str(server.data_dir),
        "--port", str(server.port),
        "--ingress-port", str(server.ingress_port),
    ]  # fmt: skip
    return PseudoTerminal(command, server.environment())
