"""A stand-in for Google's sign-in, which cannot be reached here: it signs ID tokens with real RSA keys and serves their
public halves."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

CLIENT_ID = "1234-pilothouse.apps.googleusercontent.com"


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Google:
    """`url` is where its keys are; `asked` counts how often they were fetched; `body` is what is served instead."""

    url: str = ""
    keys: dict[str, rsa.RSAPrivateKey] = field(default_factory=lambda: {"first": new_key()})
    asked: int = 0
    body: bytes | None = None

    def served(self) -> bytes:
        self.asked += 1
        if self.body is not None:
            return self.body
        keys = []
        for name, key in self.keys.items():
            public = json.loads(RSAAlgorithm.to_jwk(key.public_key()))
            keys.append(public | {"kid": name, "alg": "RS256", "use": "sig"})
        return json.dumps({"keys": keys}).encode()

    def token(
        self, *, key: str = "first", signed_by: rsa.RSAPrivateKey | None = None, now: float | None = None, **claims: Any
    ) -> str:
        """An ID token as Google makes them; a claim that is None is left out."""
        now = time.time() if now is None else now
        said = {
            "iss": "https://accounts.google.com",
            "aud": CLIENT_ID,
            "azp": CLIENT_ID,
            "sub": "110169484474386276334",
            "email": "grace@example.com",
            "email_verified": True,
            "name": "Grace Hopper",
            "picture": "https://lh3.googleusercontent.com/a/photo",
            "iat": int(now),
            "exp": int(now) + 3600,
        } | claims
        said = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(said, signed_by or self.keys[key], algorithm="RS256", headers={"kid": key})


@contextmanager
def google() -> Iterator[Google]:
    found = Google()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = found.served()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Not into the tests' output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}/certs"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
