"""What the backend costs while 100 replicas run and nobody asks for anything."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks import processes
from benchmarks.options import Options
from benchmarks.report import Figure, Measured
from benchmarks.server import new_server
from tests.images.build import build_static_image

TARGET_PERCENT = 5.0
SETTLE_SECONDS = 10.0


def run(options: Options) -> Iterator[Figure]:
    image = build_static_image()
    deployments, replicas = options.pick(10, 3), 10
    cpu: list[float] = []
    rss: list[float] = []
    ingress_cpu: list[float] = []
    ingress_rss: list[float] = []
    with new_server() as server:
        empty = processes.rss_mb(server.backend_pids())
        server.until_ready(*[server.deploy(f"idle-{n}", image, replicas=replicas) for n in range(deployments)])
        time.sleep(SETTLE_SECONDS)
        for _ in range(options.pick(3, 2)):
            groups = {"backend": server.backend_pids, "ingress": server.ingress_pids}
            used = processes.usage_of(groups, options.pick(30, 10))
            cpu.append(used["backend"].cpu_percent)
            rss.append(used["backend"].rss_mb)
            ingress_cpu.append(used["ingress"].cpu_percent)
            ingress_rss.append(used["ingress"].rss_mb)
    count = deployments * replicas
    yield Figure("backend_idle", Measured.of(f"backend, {count} replicas", "%", cpu), target=TARGET_PERCENT)
    yield Figure("backend_idle", Measured.of(f"backend, {count} replicas", "MB", rss))
    yield Figure("backend_idle", Measured.of("backend, none", "MB", [empty]))
    yield Figure("backend_idle", Measured.of("ingress", "%", ingress_cpu))
    yield Figure("backend_idle", Measured.of("ingress", "MB", ingress_rss))
