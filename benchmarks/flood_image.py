"""Images that write log lines, at a steady rate or as many as asked for, and listen so that they count as healthy."""

from __future__ import annotations

import hashlib
import io
import tarfile

import docker
from docker.errors import ImageNotFound

_PROGRAM = b"""
import itertools, os, socket, sys, time
server = socket.create_server(("", int(os.environ.get("PORT", "80"))), backlog=64)
rate, burst = int(os.environ.get("RATE", "5000")), 50
words = "GET /api/v1/orders/{0:08d} 200 {1} ms user={2} region=eu-central cache=hit bytes={3}"
levels = ("INFO", "INFO", "INFO", "DEBUG", "WARN", "INFO", "ERROR", "INFO")
due = time.monotonic()
for first in itertools.count(0, burst):
    numbers = range(first, first + burst)
    lines = [levels[n % 8] + " flood " + words.format(n, n % 97, n % 1013, n % 65521) for n in numbers]
    sys.stdout.write("\\n".join(lines) + "\\n")
    sys.stdout.flush()
    due += burst / rate
    time.sleep(max(0.0, due - time.monotonic()))
"""
_BURST_PROGRAM = b"""
import os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
words = "flood GET /api/v1/orders/{0:08d} 200 {1} ms user={2} region=eu-central cache=hit bytes={3}"
levels = ("INFO", "INFO", "INFO", "DEBUG", "WARN", "INFO", "ERROR", "INFO")
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        _, mark, count = (self.path + "/0").split("/")[:3]
        lines = [levels[n % 8] + " " + words.format(n, n % 97, n % 1013, n % 65521) for n in range(int(count) - 1)]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
        if mark:
            sys.stdout.write("\\n".join([*lines, "INFO " + mark]) + "\\n")
            sys.stdout.flush()
    def log_message(self, form, *values):
        pass
print("INFO listening", flush=True)
HTTPServer(("", int(os.environ.get("PORT", "80"))), Handler).serve_forever()
"""
_DOCKERFILE = b'FROM python:3.11-slim\nCOPY flood.py /flood.py\nCMD ["python3", "-u", "/flood.py"]\n'


def build_flood_image() -> str:
    """Its name, which follows from its content. It writes RATE lines a second, by default 5,000, of some 90 bytes."""
    return _build("flood", _PROGRAM)


def build_burst_image() -> str:
    """As above, but silent: `GET /<mark>/<count>` has it write that many lines as fast as it can, the last of which
    is `INFO <mark>`."""
    return _build("burst", _BURST_PROGRAM)


def _build(name: str, program: bytes) -> str:
    tag = f"pilothouse-bench/{name}:{hashlib.sha256(program + _DOCKERFILE).hexdigest()[:12]}"
    client = docker.from_env().api
    try:
        client.inspect_image(tag)
        return tag
    except ImageNotFound:
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for name, data in (("flood.py", program), ("Dockerfile", _DOCKERFILE)):
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(data), 0o644
                tar.addfile(entry, io.BytesIO(data))
        archive.seek(0)
        faults = [
            line["error"]
            for line in client.build(fileobj=archive, custom_context=True, tag=tag, decode=True, rm=True)
            if "error" in line
        ]
        if faults:
            raise RuntimeError(f"{tag} cannot be built: {faults}") from None
        return tag
    finally:
        client.close()
