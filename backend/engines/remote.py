"""Addresses of engines on other machines."""

from __future__ import annotations

from urllib.parse import urlsplit

from backend.domain.clusters import DockerAddress
from backend.domain.errors import Invalid
from backend.engines.address import EngineAddress
from backend.engines.relay import EngineRelay
from backend.engines.ssh_dialler import SshDialler
from backend.engines.tls_dialler import TlsDialler, client_context

TLS_PORT = 2376


def remote_address(address: DockerAddress) -> EngineAddress:
    """`ssh://[user@]host[:port][/path/of/its.sock]`, or `tcp://host[:port]` with certificates. Makes no request. Raises
    Invalid at the part of `docker` that cannot be used."""
    url = urlsplit(address.url)
    if url.scheme == "ssh":
        return EngineAddress(address.url, relay=EngineRelay(SshDialler.of(address)), remote=address)
    if address.cert_pem is None or address.key_pem is None:
        raise Invalid.at("docker.client_certificate", "docker.client_certificate and docker.client_key are required")
    context = client_context(address.ca_pem, address.cert_pem, address.key_pem)
    dialler = TlsDialler(url.hostname or "", url.port or TLS_PORT, context)
    return EngineAddress(address.url, relay=EngineRelay(dialler), remote=address)
