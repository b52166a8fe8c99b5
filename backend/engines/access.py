"""What another process of ours needs to reach the same engine."""

from __future__ import annotations

from pathlib import Path

from backend.domain.engine import EngineAccess
from backend.domain.errors import EngineUnavailable
from backend.engines.connection import EngineConnection


async def engine_access(connection: EngineConnection) -> EngineAccess:
    """The address and the TLS material as text. Raises EngineUnavailable."""
    version = await connection.call(lambda client: str(client.api_version))
    remote = connection.address.remote
    if remote is not None:
        return EngineAccess(
            remote.url,
            version,
            remote.ca_pem,
            remote.cert_pem,
            remote.key_pem,
            ssh_private_key=remote.ssh_private_key,
            ssh_host_key=remote.ssh_host_key,
        )
    tls = connection.address.tls
    if tls is None:
        return EngineAccess(connection.address.base_url, version)
    cert, key = tls.cert or (None, None)
    files = [str(tls.ca_cert) if tls.ca_cert else None, cert, key]
    try:
        ca_pem, cert_pem, key_pem = await connection.offload(
            lambda: [None if file is None else Path(file).read_text() for file in files]
        )
    except OSError as error:
        raise EngineUnavailable(f"the engine's certificates cannot be read: {error}") from error
    return EngineAccess(connection.address.base_url, version, ca_pem, cert_pem, key_pem, verify=tls.verify is not False)
