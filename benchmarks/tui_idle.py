"""The app with nothing going on but its live figures, against lazydocker on the same containers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks import processes
from benchmarks.app_screen import WITH_DATA, app_of
from benchmarks.lazydocker import lazydocker
from benchmarks.options import Options
from benchmarks.processes import Usage
from benchmarks.report import Figure, Measured
from benchmarks.server import Server, new_server
from tests.images.build import build_static_image

TARGET_CPU = 1.0
SETTLE_SECONDS = 8.0
# Both lists fill their screen: 30 apps of one replica, then 34 of five beside them.
FEW = 30
MORE_APPS, MORE_REPLICAS = 34, 5


@dataclass(slots=True)
class _Turns:
    """Usage by turn, of each group of processes."""

    used: dict[str, list[Usage]] = field(default_factory=dict)

    def add(self, turn: dict[str, Usage]) -> None:
        for name, usage in turn.items():
            self.used.setdefault(name, []).append(usage)

    def cpu(self, name: str, label: str) -> Measured:
        return Measured.of(label, "%", [usage.cpu_percent for usage in self.used[name]])

    def rss(self, name: str, label: str) -> Measured:
        return Measured.of(label, "MB", [usage.rss_mb for usage in self.used[name]])


def run(options: Options) -> Iterator[Figure]:
    image = build_static_image()
    few = options.pick(FEW, 10)
    more_apps = options.pick(MORE_APPS, 4)
    with new_server() as server:
        server.until_ready(*[server.deploy(f"few-{n:02}", image) for n in range(few)])
        yield from _figures(_measured(server, options), few)
        more = [server.deploy(f"more-{n:02}", image, replicas=MORE_REPLICAS) for n in range(more_apps)]
        server.until_ready(*more)
        yield from _figures(_measured(server, options), few + more_apps * MORE_REPLICAS)


def _measured(server: Server, options: Options) -> _Turns:
    turns = _Turns()
    seconds = options.pick(20, 8)
    for _ in range(options.pick(3, 1)):
        with app_of(server) as terminal:
            terminal.until(WITH_DATA)
            time.sleep(SETTLE_SECONDS)
            groups = {
                "app": processes.tree_of(terminal.pid),
                "backend": server.backend_pids,
                "ingress": server.ingress_pids,
            }
            turns.add(processes.usage_of(groups, seconds))
        with lazydocker() as terminal:
            time.sleep(SETTLE_SECONDS)
            turns.add(processes.usage_of({"lazydocker": processes.tree_of(terminal.pid)}, seconds))
    return turns


def _figures(turns: _Turns, containers: int) -> Iterator[Figure]:
    lazydocker_cpu = turns.cpu("lazydocker", "lazydocker")
    yield Figure("tui_idle", turns.cpu("app", f"app, {containers} containers"), lazydocker_cpu, TARGET_CPU)
    yield Figure("tui_idle", turns.rss("app", f"app, {containers} containers"), turns.rss("lazydocker", "lazydocker"))
    for name in ("backend", "ingress"):
        yield Figure("tui_idle", turns.cpu(name, f"  {name} beside it"))
        yield Figure("tui_idle", turns.rss(name, f"  {name} beside it"))
