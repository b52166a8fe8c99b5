"""Connections to an engine behind TLS with client certificates, from texts in PEM."""

from __future__ import annotations

import asyncio
import os
import shutil
import ssl
import tempfile
from pathlib import Path

from backend.domain.errors import Invalid
from backend.engines.relay import CannotDial, Reader, Writer, reason_of

DIAL_SECONDS = 8.0


class TlsDialler:
    """See `backend.engines.relay.Dialler`."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext) -> None:
        self._host = host
        self._port = port
        self._context = context

    async def dial(self) -> tuple[Reader, Writer]:
        try:
            async with asyncio.timeout(DIAL_SECONDS):
                return await asyncio.open_connection(self._host, self._port, ssl=self._context)
        except TimeoutError as error:
            raise CannotDial(f"no answer within {DIAL_SECONDS:g} s") from error
        except ssl.SSLCertVerificationError as error:
            raise CannotDial(f"its certificate does not hold: {error.verify_message}") from error
        except ssl.SSLError as error:
            raise CannotDial(f"TLS failed: {error.reason or 'the handshake was refused'}") from error
        except OSError as error:
            raise CannotDial(reason_of(error)) from error

    async def close(self) -> None:
        """There is nothing that is kept."""


def client_context(ca: str | None, certificate: str, key: str) -> ssl.SSLContext:
    """What presents this certificate and trusts this authority alone (without one, the system's). Raises Invalid at
    docker.ca_certificate or docker.client_certificate.

    The library reads files only: they are in a folder of mode 0700 and are gone when this returns."""
    context = ssl.create_default_context() if ca is None else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if ca is not None:
            context.load_verify_locations(cadata=ca)
    except (ssl.SSLError, ValueError) as error:
        raise Invalid.at("docker.ca_certificate", "docker.ca_certificate is no certificate in PEM") from error
    folder = Path(tempfile.mkdtemp(prefix="pilothouse-"))
    try:
        certificate_file, key_file = folder / "cert.pem", folder / "key.pem"
        for file, text in ((certificate_file, certificate), (key_file, key)):
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
                opened.write(text)
        # An empty password: one that is asked for at a terminal would stop the server.
        context.load_cert_chain(certificate_file, key_file, password=b"")
    except (ssl.SSLError, ValueError) as error:
        raise Invalid.at(
            "docker.client_certificate",
            "docker.client_certificate and docker.client_key are no pair of certificate and unencrypted key in PEM",
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return context
