"""A stand-in for a Kubernetes API server, which cannot run here: TLS, a token or a client certificate, and the two
documents that health is made of."""

from __future__ import annotations

import base64
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from tests.engines.certificates import write_certificates

TOKEN = "a-token-of-a-service-account"
VERSION = "v1.31.4"


@dataclass
class KubernetesServer:
    """`ready` has one truth a node; `pause` is waited before an answer; `status` is answered in place of 200."""

    port: int = 0
    folder: Path = Path()
    ready: list[bool] = field(default_factory=lambda: [True, True, True])
    pause: float = 0.0
    status: int = 200
    body: bytes | None = None
    page: int = 2
    asked: list[str] = field(default_factory=list)

    def kubeconfig(self, *, user: dict[str, Any] | None = None, **cluster: Any) -> str:
        """As `kubectl config view --flatten` shows it."""
        ca = base64.b64encode((self.folder / "ca.pem").read_bytes()).decode()
        where = {"server": f"https://127.0.0.1:{self.port}", "certificate-authority-data": ca} | cluster
        return yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "here", "cluster": where}],
                "users": [{"name": "me", "user": {"token": TOKEN} if user is None else user}],
                "contexts": [{"name": "me@here", "context": {"cluster": "here", "user": "me"}}],
                "current-context": "me@here",
            }
        )

    def client_certificate(self) -> dict[str, str]:
        """A user that proves itself with a certificate."""
        files = {"client-certificate-data": "cert.pem", "client-key-data": "key.pem"}
        return {name: base64.b64encode((self.folder / file).read_bytes()).decode() for name, file in files.items()}

    def answer(self, path: str) -> object:
        url = urlsplit(path)
        self.asked.append(url.path)
        if url.path == "/version/":
            return {
                "major": "1", "minor": "31", "gitVersion": VERSION, "gitCommit": "0", "gitTreeState": "clean",
                "buildDate": "2025-01-01T00:00:00Z", "goVersion": "go1.22", "compiler": "gc", "platform": "linux/amd64",
            }  # fmt: skip
        assert url.path == "/api/v1/nodes", path
        query = parse_qs(url.query)
        first = int(query.get("continue", ["0"])[0])
        last = min(first + self.page, len(self.ready))
        nodes = [
            {
                "metadata": {"name": f"node-{number}"},
                "status": {
                    "conditions": [
                        {"type": "MemoryPressure", "status": "False"},
                        {"type": "Ready", "status": "True" if self.ready[number] else "Unknown"},
                    ]
                },
            }
            for number in range(first, last)
        ]
        rest = {"continue": str(last)} if last < len(self.ready) else {}
        return {"apiVersion": "v1", "kind": "NodeList", "metadata": rest, "items": nodes}


@contextmanager
def kubernetes_server(folder: Path) -> Iterator[KubernetesServer]:
    write_certificates(folder, "127.0.0.1")
    found = KubernetesServer(folder=folder)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            time.sleep(found.pause)
            known = self.headers.get("Authorization") == f"Bearer {TOKEN}" or self.connection.getpeercert()  # type: ignore[attr-defined]
            status = found.status if known else 401
            body = found.body
            if body is None:
                failure = {"kind": "Status", "status": "Failure", "message": f"secret {TOKEN}", "code": status}
                body = json.dumps(found.answer(self.path) if status == 200 else failure).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Not into the tests' output."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Clients that refuse the certificate leave in the handshake."""

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(folder / "ca.pem"))
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    context.verify_mode = ssl.CERT_OPTIONAL
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    found.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
