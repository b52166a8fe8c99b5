"""A deployment of a present image, from POST until its URL answers, against `docker run` until its port answers."""

from __future__ import annotations

import secrets
import subprocess
import time
from collections.abc import Iterator

from benchmarks.options import Options
from benchmarks.raw_http import until_answers
from benchmarks.report import Figure, Measured
from benchmarks.server import Server, new_server
from tests.backend.running_backend import free_ports
from tests.images.build import build_static_image

TARGET_ONE = 1.5
TARGET_TEN = 3.0
MANY = 10


def run(options: Options) -> Iterator[Figure]:
    image = build_static_image()
    turns = options.pick(9, 3)
    engine: list[float] = []
    engine_many: list[float] = []
    one: list[float] = []
    first_of_many: list[float] = []
    all_of_many: list[float] = []
    with new_server() as server:
        _deploy(server, image, 1)  # the tenant's network is made by its first deployment
        for turn in range(turns):
            engine.append(_docker_run(image))
            one.append(_deploy(server, image, 1)[0])
            if turn % 3 == 0:
                engine_many.append(_docker_run_many(image))
            url, ready = _deploy(server, image, MANY)
            first_of_many.append(url)
            all_of_many.append(ready)
    single = Measured.of("POST to URL, 1 replica", "s", one)
    yield Figure("deploy_to_url", single, Measured.of("docker run to port", "s", engine), TARGET_ONE)
    yield Figure("deploy_to_url", Measured.of(f"POST to URL, {MANY} replicas", "s", first_of_many), single, TARGET_TEN)
    yield Figure("deploy_to_url", Measured.of(f"POST to {MANY} replicas ready", "s", all_of_many), single, TARGET_TEN)
    together = Measured.of(f"{MANY} docker run at once", "s", engine_many)
    yield Figure("deploy_to_url", Measured.of(f"POST to {MANY} replicas ready", "s", all_of_many), together)


def _deploy(server: Server, image: str, replicas: int) -> tuple[float, float]:
    """Seconds until the URL answers, and until all replicas are ready."""
    name = f"bench-{secrets.token_hex(4)}"
    server.token()
    began = time.monotonic()
    deployment = server.deploy(name, image, replicas=replicas)
    until_answers(server.ingress_port, f"{name}.localhost")
    answered = time.monotonic() - began
    server.until_ready(deployment)
    ready = time.monotonic() - began
    server.until_gone(deployment)
    return answered, ready


def _docker_run(image: str) -> float:
    [port] = free_ports(1)
    name = f"pilothouse-bench-{secrets.token_hex(4)}"
    try:
        began = time.monotonic()
        process = _start(name, port, image)
        until_answers(port, "127.0.0.1")
        took = time.monotonic() - began
        process.wait()
        return took
    finally:
        _remove(name)


def _docker_run_many(image: str) -> float:
    """Seconds until the last of many that are started at once answers."""
    names = [f"pilothouse-bench-{secrets.token_hex(4)}" for _ in range(MANY)]
    ports = free_ports(MANY)
    try:
        began = time.monotonic()
        processes = [_start(name, port, image) for name, port in zip(names, ports, strict=True)]
        for port in ports:
            until_answers(port, "127.0.0.1")
        took = time.monotonic() - began
        for process in processes:
            process.wait()
        return took
    finally:
        _remove(*names)


def _start(name: str, port: int, image: str) -> subprocess.Popen[bytes]:
    # The port is chosen beforehand: to ask for it afterwards would cost docker a command more.
    command = ["docker", "run", "-d", "--name", name, "-p", f"127.0.0.1:{port}:80", image]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def _remove(*names: str) -> None:
    subprocess.run(["docker", "rm", "-f", *names], stdout=subprocess.DEVNULL, check=True)
