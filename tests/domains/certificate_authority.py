"""A real ACME server: Debian's pebble, which looks names up at the tests' DNS server."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DEADLINE_SECONDS = 60.0


class CertificateAuthority:
    """Start it with the ports at which the names that it certifies are served."""

    def __init__(self, folder: Path, port: int, management_port: int) -> None:
        self._folder = folder
        self._port = port
        self._management_port = management_port
        self._process: asyncio.subprocess.Process | None = None

    @property
    def directory(self) -> str:
        return f"https://127.0.0.1:{self._port}/dir"

    @property
    def root(self) -> Path:
        """The certificate by which clients know its directory."""
        return self._folder / "directory.pem"

    async def start(self, *, http_port: int, tls_port: int, name_server: str) -> CertificateAuthority:
        self._folder.mkdir(exist_ok=True)
        _make_certificate(self.root, self._folder / "directory.key")
        config = {
            "pebble": {
                "listenAddress": f"127.0.0.1:{self._port}",
                "managementListenAddress": f"127.0.0.1:{self._management_port}",
                "certificate": str(self.root),
                "privateKey": str(self._folder / "directory.key"),
                "httpPort": http_port,
                "tlsPort": tls_port,
            }
        }
        path = self._folder / "pebble.json"
        path.write_text(json.dumps(config))
        with (self._folder / "pebble.log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                "pebble", "-config", str(path), "-dnsserver", name_server,
                env=os.environ | {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"},
                stdout=log,
                stderr=log,
            )  # fmt: skip
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not await self._answers():
                assert self._process.returncode is None, self.log()
                await asyncio.sleep(0.05)
        return self

    async def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            self._process = None

    def log(self) -> str:
        return (self._folder / "pebble.log").read_text()

    async def _answers(self) -> bool:
        context = ssl.create_default_context(cafile=str(self.root))
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self._port, ssl=context)
        except OSError:
            return False
        writer.close()
        return True


def _make_certificate(certificate: Path, key: Path) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the tests' certificate authority")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
