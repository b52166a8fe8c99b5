"""Whether the door has a certificate for a name: by asking for it as a client does."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from backend.domain.errors import Unavailable
from backend.domain.ingress import Certificate

logger = logging.getLogger(__name__)

_HANDSHAKE_SECONDS = 60.0  # an authority may take its time, and the door waits for it in the handshake
_LOOK_SECONDS = 0.5
_PATIENT_SECONDS = 5.0
_RECENT_SECONDS = 300.0
_LOG_TAIL_BYTES = 256 * 1024


async def served_certificate(host: str, port: int, name: str, error_log: Path) -> Certificate:
    """Shake hands for `name`, which also makes the door obtain the certificate, and read what it serves. Raises
    Unavailable with what the authority said, as far as the door's log knows it; the door goes on trying for a while."""
    began = datetime.now(UTC).timestamp()
    handshake = asyncio.create_task(_shown(host, port, name))
    try:
        while not (await asyncio.wait({handshake}, timeout=_LOOK_SECONDS))[0]:
            # After a refusal the door tries again by itself, a minute or more later, and lets clients wait: we need
            # not, whether it was refused now or shortly before.
            waited = datetime.now(UTC).timestamp() - began
            since = began if waited < _PATIENT_SECONDS else began - _RECENT_SECONDS
            if reason := await asyncio.to_thread(_last_refusal, error_log, name, since):
                raise Unavailable(reason)
            if waited > _HANDSHAKE_SECONDS:
                raise Unavailable(f"no certificate was issued within {_HANDSHAKE_SECONDS:.0f} seconds")
        try:
            shown = handshake.result()
        except ssl.SSLError as error:
            reason = await asyncio.to_thread(_last_refusal, error_log, name, began)
            raise Unavailable(reason or "the ingress has no certificate for it") from error
        except OSError as error:
            raise Unavailable(f"the ingress does not answer at its HTTPS port: {error}") from error
    finally:
        handshake.cancel()
    return _checked(x509.load_der_x509_certificate(shown), name)


async def _shown(host: str, port: int, name: str) -> bytes:
    # Who signed is no question here: the internal authority is not trusted, nor is that of a test.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    _, writer = await asyncio.open_connection(
        host, port, ssl=context, server_hostname=name, ssl_handshake_timeout=2 * _HANDSHAKE_SECONDS
    )
    try:
        shown: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return shown
    finally:
        writer.close()


def _checked(certificate: x509.Certificate, name: str) -> Certificate:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    if name not in names.get_values_for_type(x509.DNSName):
        raise Unavailable("the ingress serves a certificate of another name")
    if certificate.not_valid_after_utc <= datetime.now(UTC):
        raise Unavailable(f"the certificate ended at {certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}")
    issuer = certificate.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    return Certificate(name, str(issuer[0].value) if issuer else "", certificate.not_valid_after_utc)


def _last_refusal(error_log: Path, name: str, since: float) -> str | None:
    """What an authority last said about the name, after a Unix time."""
    try:
        with error_log.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - _LOG_TAIL_BYTES))
            lines = file.read().splitlines()
    except OSError as error:
        logger.warning("the ingress's log cannot be read: %s", error)
        return None
    for line in reversed(lines):
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # cut off at the start of the tail
        if not isinstance(entry, dict) or entry.get("ts", 0) < since:
            continue
        if entry.get("identifier") == name and "error" in entry:
            return f"the certificate authority refused: {str(entry['error'])[:500]}"
    return None
