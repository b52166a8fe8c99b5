"""TLS at the door, as Caddy's JSON. Pure.

The door obtains certificates while a client shakes hands ("on demand"), so that a new name changes nothing in its
config. Whether a name may have one is a question to the router, which knows the names that are served: the answer does
not need the backend. The door asks by way of its own HTTP port, under its address instead of a host name, which no app
has.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

JsonObject = dict[str, object]

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
QUESTION_PATH = "/pilothouse/certificate"
TLS_SERVER = "pilothouse-tls"

# No public authority certifies these: their names exist in a network of one's own only.
LOCAL_ENDINGS = ("localhost", "test", "local", "internal", "home.arpa", "lan")
_DEEPEST_LOCAL_NAME = 6
_ANY_ADDRESS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """How the door serves HTTPS. `certificates` is the folder that keeps keys and certificates, mode 0700. With
    `acme`, names get theirs from the authority at `acme_directory` and local names from the internal one; without,
    all from the internal one. `acme_ca_root` is a PEM file to trust the directory by, in place of the system's."""

    port: int
    certificates: Path
    acme: bool = True
    acme_directory: str = LETS_ENCRYPT
    acme_email: str = ""
    acme_ca_root: Path | None = None


def dial_host(listen: str) -> str:
    """The address at which a listener is reached from this machine."""
    return _ANY_ADDRESS.get(listen, listen)


def authority(host: str, port: int) -> str:
    """`host:port`, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_local(name: str) -> bool:
    """Whether a host name gets its certificate from the internal authority in any case."""
    return any(name == ending or name.endswith(f".{ending}") for ending in LOCAL_ENDINGS)


def question_route(hosts: Iterable[str]) -> JsonObject:
    """The router's answer to `QUESTION_PATH?domain=NAME`: 200 for a name that is served, else 404."""
    return {
        "match": [
            {
                "path": [QUESTION_PATH],
                "vars_regexp": {"{http.request.host}": {"pattern": "^([0-9.]+|[0-9a-f]*:[0-9a-f:.]+)$"}},
            }
        ],
        "handle": [
            {"handler": "vars", "log_skip": True},
            # Long lists of hosts are searched by halves; those of other matchers are not.
            {"handler": "headers", "request": {"set": {"Host": ["{http.request.uri.query.domain}"]}}},
            {
                "handler": "subroute",
                "routes": [
                    {
                        "match": [{"host": sorted(hosts)}],
                        "handle": [{"handler": "static_response", "status_code": 200}],
                        "terminal": True,
                    },
                    {"handle": [{"handler": "static_response", "status_code": 404}]},
                ],
            },
        ],
        "terminal": True,
    }


def tls_server(listen: str, options: TlsOptions, server: JsonObject) -> JsonObject:
    """The HTTPS twin of the door's HTTP server."""
    return {
        **server,
        "listen": [authority(listen, options.port)],
        "protocols": ["h1", "h2"],
        "tls_connection_policies": [{}],
    }


def tls_apps(listen: str, http_port: int, options: TlsOptions) -> JsonObject:
    """Caddy's apps that obtain and keep certificates."""
    internal = {"module": "internal"}
    local = [pattern for ending in LOCAL_ENDINGS for pattern in _names_under(ending)]
    public = [_acme(listen, http_port, options)] if options.acme else [internal]
    return {
        "tls": {
            "automation": {
                "policies": [
                    {"subjects": local, "issuers": [internal], "on_demand": True},
                    {"issuers": public, "on_demand": True},
                ],
                "on_demand": {
                    "permission": {
                        "module": "http",
                        "endpoint": f"http://{authority(dial_host(listen), http_port)}{QUESTION_PATH}",
                    }
                },
            }
        },
        # Trusting the internal authority is for the machine's owner to do.
        "pki": {"certificate_authorities": {"local": {"name": "Pilothouse", "install_trust": False}}},
    }


def storage(options: TlsOptions) -> JsonObject:
    """Where Caddy keeps keys and certificates."""
    return {"module": "file_system", "root": str(options.certificates)}


def _acme(listen: str, http_port: int, options: TlsOptions) -> JsonObject:
    # Both challenges are answered by the door itself; the ports only tell that nothing else need listen.
    issuer: JsonObject = {
        "module": "acme",
        "ca": options.acme_directory,
        "challenges": {
            "http": {"alternate_port": http_port},
            "tls-alpn": {"alternate_port": options.port},
            "bind_host": listen,
        },
    }
    if options.acme_email:
        issuer["email"] = options.acme_email
    if options.acme_ca_root is not None:
        issuer["trusted_roots_pem_files"] = [str(options.acme_ca_root)]
    return issuer


def _names_under(ending: str) -> list[str]:
    """Patterns for all names of some labels under an ending: `*` stands for one label."""
    return [".".join([*("*" * depth), ending]) for depth in range(1, _DEEPEST_LOCAL_NAME)]
