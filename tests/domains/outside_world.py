"""A DNS server and a certificate authority for tests of a whole backend, in a thread of their own."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.backend.running_backend import RunningBackend, free_ports
from tests.domains.certificate_authority import CertificateAuthority
from tests.domains.name_server import NameServer

T = TypeVar("T")
SUFFIX = "apps.example.com"


class OutsideWorld:
    """`connect` tells a backend of it, before the backend starts; `close` ends it."""

    def __init__(self, folder: Path) -> None:
        self.names = NameServer()
        self.https_port, *ports = free_ports(3)
        self._authority = CertificateAuthority(folder, *ports)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._run(self.names.start())

    def connect(self, backend: RunningBackend) -> None:
        self._run(
            self._authority.start(
                http_port=backend.ingress_port, tls_port=self.https_port, name_server=self.names.address
            )
        )
        backend.extra_environment |= {
            "DOMAIN_SUFFIX": SUFFIX,
            "PILOTHOUSE_INGRESS_HTTPS_PORT": str(self.https_port),
            "PILOTHOUSE_ACME_DIRECTORY": self._authority.directory,
            "PILOTHOUSE_ACME_CA_ROOT": str(self._authority.root),
            "PILOTHOUSE_DNS_RESOLVER": self.names.address,
        }

    def get(self, name: str) -> httpx.Response:
        """`https://<name>/` as a browser asks for it, whoever signed the certificate."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with httpx.Client(verify=context, trust_env=False, timeout=30) as client:
            url = f"https://127.0.0.1:{self.https_port}/"
            return client.get(url, headers={"Host": name}, extensions={"sni_hostname": name})

    def close(self) -> None:
        self._run(self._authority.stop())
        self._loop.call_soon_threadsafe(self.names.stop)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)
