"""A registry that knows one image and never hands out what it is made of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

_TYPE = "application/vnd.docker.distribution.manifest.list.v2+json"
_CHILD = f"sha256:{'0' * 64}"
_PLATFORMS = [
    {
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "size": 2,
        "digest": _CHILD,
        "platform": {"architecture": architecture, "os": "linux"},
    }
    for architecture in ("amd64", "arm64")
]
_LIST = json.dumps({"schemaVersion": 2, "mediaType": _TYPE, "manifests": _PLATFORMS}).encode()


@contextmanager
def stuck_registry() -> Iterator[str]:
    """The reference of its image. On loopback, where the engine asks for no TLS."""
    over = Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.endswith(_CHILD):
                over.wait()
            body = _LIST if "/manifests/" in self.path else b"{}"
            self.send_response(200)
            self.send_header("Content-Type", _TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Docker-Content-Digest", f"sha256:{hashlib.sha256(body).hexdigest()}")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}/stuck/app:1"
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()
