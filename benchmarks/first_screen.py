"""The first drawn screen of the app, against importing Textual. Both run from bytecode."""

from __future__ import annotations

import compileall
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import textual

from benchmarks.app_screen import DRAWN, WITH_DATA, app_of
from benchmarks.options import Options
from benchmarks.report import Figure, Measured
from benchmarks.server import ROOT, Server, new_server

TARGET = 1.5


def run(options: Options) -> Iterator[Figure]:
    _compile()
    turns = options.pick(15, 3)
    imports: list[float] = []
    cold_imports: list[float] = []
    drawn: list[float] = []
    listed: list[float] = []
    cold_drawn: list[float] = []
    cold_listed: list[float] = []
    with new_server() as server:
        _open(server)  # nothing is on disk's far side any more
        for _ in range(turns):
            imports.append(_import_textual(server))
            first, second = _open(server)
            drawn.append(first)
            listed.append(second)
        server.stop()
        for _ in range(max(2, turns // 3)):
            cold_imports.append(_import_textual(server))
            first, second = _open(server)
            cold_drawn.append(first)
            cold_listed.append(second)
            server.stop()
    textual_import = Measured.of("import textual.app", "s", imports)
    yield Figure("first_screen", Measured.of("drawn, backend running", "s", drawn), textual_import, TARGET)
    cold_import = Measured.of("import textual.app", "s", cold_imports)
    yield Figure("first_screen", Measured.of("drawn, backend not running", "s", cold_drawn), cold_import, TARGET)
    yield Figure("first_screen", Measured.of("live data, backend running", "s", listed), textual_import)
    yield Figure("first_screen", Measured.of("live data, backend not running", "s", cold_listed), cold_import)


def _compile() -> None:
    for folder in ("backend", "tui", "widgets", "themes"):
        compileall.compile_dir(ROOT / folder, quiet=2)
    compileall.compile_dir(Path(textual.__file__).parent, quiet=2)


def _import_textual(server: Server) -> float:
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import textual.app"], env=server.environment(), check=True)
    return time.monotonic() - began


def _open(server: Server) -> tuple[float, float]:
    """Seconds until the first screen, and until live data is on it."""
    with app_of(server) as terminal:
        return terminal.until(DRAWN), terminal.until(WITH_DATA, seconds=60)
