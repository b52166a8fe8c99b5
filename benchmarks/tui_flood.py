"""The app while it follows a log of 5,000 lines a second, against lazydocker on the same kind of container."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import processes
from benchmarks.app_screen import WITH_DATA, app_of
from benchmarks.flood_image import build_flood_image
from benchmarks.lazydocker import lazydocker
from benchmarks.options import Options
from benchmarks.processes import Usage
from benchmarks.pseudo_terminal import PseudoTerminal
from benchmarks.report import Figure, Measured
from benchmarks.server import Server, new_server

RATE = 5000
TARGET_MEMORY = 0.25
# In every line that the container writes.
LINE = "region=eu-central"


def run(options: Options) -> Iterator[Figure]:
    image = build_flood_image()
    app: list[Usage] = []
    backend: list[Usage] = []
    other: list[Usage] = []
    seconds = options.pick(20, 8)
    with new_server() as server:
        for _ in range(options.pick(3, 1)):
            # A container of its own for each: the log that is there already is part of what a viewer loads.
            with _flooding(server, image), app_of(server) as terminal:
                terminal.until(WITH_DATA)
                terminal.press("l")
                used = _watched(terminal, server, seconds)
                app.append(used["viewer"])
                backend.append(used["backend"])
            with _flooding(server, image) as name, lazydocker() as terminal:
                terminal.press(f"/{name}\r")
                other.append(_watched(terminal, server, seconds)["viewer"])
    label = f"app, {RATE:,} lines/s"
    yield Figure("tui_flood", _cpu(label, app), _cpu("lazydocker", other))
    yield Figure("tui_flood", _rss(label, app), _rss("lazydocker", other), TARGET_MEMORY)
    yield Figure("tui_flood", _cpu("  backend beside it", backend))
    yield Figure("tui_flood", _rss("  backend beside it", backend))


@contextmanager
def _flooding(server: Server, image: str) -> Iterator[str]:
    """An app that floods its log for a block; its name."""
    name = f"flood-{secrets.token_hex(3)}"
    resources = {"cpu": "1", "memory": "128Mi"}
    deployment = server.deploy(name, image, resources=resources, envVars={"RATE": str(RATE)})
    server.until_ready(deployment)
    try:
        yield name
    finally:
        server.until_gone(deployment)


def _watched(terminal: PseudoTerminal, server: Server, seconds: float) -> dict[str, Usage]:
    """What viewer and backend use from when the log is on the screen."""
    terminal.until(LINE)
    groups = {"viewer": processes.tree_of(terminal.pid), "backend": server.backend_pids}
    used = processes.usage_of(groups, seconds)
    terminal.forget()
    terminal.until(LINE)  # still following
    return used


def _cpu(label: str, used: list[Usage]) -> Measured:
    return Measured.of(label, "%", [usage.cpu_percent for usage in used])


def _rss(label: str, used: list[Usage]) -> Measured:
    return Measured.of(label, "MB", [usage.rss_mb for usage in used])
