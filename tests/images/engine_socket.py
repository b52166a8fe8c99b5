"""Where the engine that the tests were given listens."""

from __future__ import annotations

import os


def engine_socket() -> str:
    """The socket file; the tests need an engine on this machine."""
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    assert host.startswith("unix://"), host
    return host.removeprefix("unix://")
