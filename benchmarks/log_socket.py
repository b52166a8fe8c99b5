"""How fast the log socket tells a log, against `docker logs --follow` on the same one: lines that are there already,
and a burst as it is written."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import IO

from benchmarks.flood_image import build_burst_image
from benchmarks.options import Options
from benchmarks.raw_http import RawConnection, get_request, until_answers
from benchmarks.raw_websocket import RawSocket
from benchmarks.report import Figure, Measured
from benchmarks.server import API, Server, new_server

# Two bursts a container: together they fit into its log before the engine begins a new file. Around that moment engines
# tell a follower some lines twice or late, which would be another measurement.
LINES = 25_000
TARGET = 0.5
_READ_BYTES = 1 << 20
_LEFT_OUT = b'"source":"pilothouse"'


@dataclass(frozen=True, slots=True)
class _Read:
    """What one reader got, and how many lines a socket was told that it missed."""

    lines: int
    seconds: float
    left_out: int = 0

    @property
    def rate(self) -> float:
        return self.lines / self.seconds


def run(options: Options) -> Iterator[Figure]:
    image = build_burst_image()
    lines = options.pick(LINES, 10_000)
    bursts: list[_Read] = []
    cli_bursts: list[_Read] = []
    whole: list[_Read] = []
    cli_whole: list[_Read] = []
    with new_server() as server:
        for turn in range(options.pick(5, 2)):
            app = _App(server, image)
            if turn % 2:  # neither always has the shorter log before it
                burst, cli_burst = app.burst(lines), app.cli_burst(lines)
            else:
                cli_burst, burst = app.cli_burst(lines), app.burst(lines)
            bursts.append(burst)
            cli_bursts.append(cli_burst)
            cli_whole.append(app.cli_whole())
            whole.append(app.whole())
            line_bytes = app.line_bytes
            app.remove()
    yield from _figures(f"socket, {whole[0].lines:,} lines there", whole, cli_whole, line_bytes)
    yield from _figures(f"socket, burst of {lines:,} lines", bursts, cli_bursts, line_bytes)
    yield Figure("log_socket", Measured.of("  left out of the burst", "", [each.left_out for each in bursts]))


def _figures(label: str, ours: list[_Read], cli: list[_Read], line_bytes: float) -> Iterator[Figure]:
    """`line_bytes` are those of the log, whatever they come wrapped in."""
    megabytes = line_bytes / 1e6
    yield Figure(
        "log_socket",
        Measured.of(label, "MB/s", [each.rate * megabytes for each in ours]),
        Measured.of("docker logs --follow", "MB/s", [each.rate * megabytes for each in cli]),
        TARGET,
        at_least=True,
    )
    yield Figure(
        "log_socket",
        Measured.of("  lines", "/s", [each.rate for each in ours]),
        Measured.of("  lines", "/s", [each.rate for each in cli]),
    )


class _App:
    """A deployment of one replica that writes lines when asked, and both ways to read them."""

    def __init__(self, server: Server, image: str) -> None:
        self._server = server
        self._name = f"burst-{secrets.token_hex(3)}"
        self._id = server.deploy(self._name, image)
        server.until_ready(self._id)
        until_answers(server.ingress_port, f"{self._name}.localhost")
        [self._container] = [name for name in server.containers() if f"-{self._id.partition('-')[2]}-" in name]
        self._last = "listening"
        with closing(self._socket("tail=1")) as socket:
            self._first_cursor = str(json.loads(_first(socket))["cursor"])
        self.line_bytes = 0.0  # known once the command line has read

    def remove(self) -> None:
        self._server.until_gone(self._id)

    def burst(self, lines: int) -> _Read:
        """Lines that the socket tells while they are written."""
        with closing(self._socket("tail=1")) as socket:
            _first(socket)
            mark = self._write(lines)
            return self._until_told(socket, mark, time.perf_counter())

    def cli_burst(self, lines: int) -> _Read:
        with _followed("--tail", "1", self._container) as output:
            os.read(output.fileno(), _READ_BYTES)
            mark = self._write(lines)
            return self._until_printed(output, mark, time.perf_counter())

    def whole(self) -> _Read:
        """Everything after the first line, from the handshake on."""
        began = time.perf_counter()
        with closing(self._socket(f"cursor={self._first_cursor}")) as socket:
            return self._until_told(socket, self._last, began)

    def cli_whole(self) -> _Read:
        began = time.perf_counter()
        with _followed(self._container) as output:
            return self._until_printed(output, self._last, began)

    def _socket(self, query: str) -> RawSocket:
        return RawSocket(self._server.port, f"{API}/deployments/{self._id}/logs/stream?{query}", self._server.token())

    def _write(self, lines: int) -> str:
        """Returns as the lines begin to be written; the last one ends with what is returned."""
        self._last = secrets.token_hex(8)
        connection = RawConnection(self._server.ingress_port)
        connection.seconds(get_request(f"/{self._last}/{lines}", f"{self._name}.localhost"))
        connection.close()
        return self._last

    def _until_told(self, socket: RawSocket, last: str, began: float) -> _Read:
        mark = f'INFO {last}"'.encode()
        lines = left_out = 0
        while True:
            for text in socket.read():
                if _LEFT_OUT in text:
                    left_out += int(text.partition(b'"message":"')[2].partition(b" ")[0])
                    continue
                lines += 1
                if mark in text:
                    return _Read(lines, time.perf_counter() - began, left_out)

    def _until_printed(self, output: IO[bytes], last: str, began: float) -> _Read:
        mark = f"INFO {last}\n".encode()
        lines = size = 0
        tail = b""
        while not tail.endswith(mark):
            data = os.read(output.fileno(), _READ_BYTES)
            if not data:
                raise RuntimeError(f"docker logs ended after {lines} lines")
            lines += data.count(b"\n")
            size += len(data)
            tail = (tail + data)[-len(mark) :]
        self.line_bytes = size / lines
        return _Read(lines, time.perf_counter() - began)


@contextmanager
def _followed(*words: str) -> Iterator[IO[bytes]]:
    """What `docker logs --follow` prints, for a block."""
    command = ["docker", "logs", "--follow", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0) as process:
        try:
            assert process.stdout is not None
            yield process.stdout
        finally:
            process.kill()


def _first(socket: RawSocket) -> bytes:
    """Once it is there, the socket follows."""
    while True:
        if texts := socket.read():
            return texts[0]
