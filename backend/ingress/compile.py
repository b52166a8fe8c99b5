"""Routes to Caddy's JSON. Pure: same input, same output.

Two Caddy processes serve an installation, because Caddy replaces its HTTP servers whole at every config load, and Go's
HTTP/1 server then drops the requests that reach a connection of the old server in that moment:

- the *door* holds the public ports, has a config that never changes, and hands every request to the router;
- the *router* listens on a unix socket, knows the routes, and is loaded anew whenever they change. What it drops at a
  load it has not begun to handle, so the door sends it again and no client sees a failure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from backend.domain.errors import Invalid
from backend.domain.ingress import Route
from backend.ingress.tls import TLS_SERVER, TlsOptions, authority, question_route, storage, tls_apps, tls_server

JsonObject = dict[str, object]

RETIRED_ID = "retired-upstreams"
"""`@id` of the router's entry that keeps Caddy counting the requests of upstreams that left their routes."""

SERVER = "pilothouse"
HOST_FIELD = "host"
UPSTREAM_FIELD = "upstream"

_FANOUT = 8
_BUFFERED_BODY_BYTES = 65536
# The lengths that `_BUFFERED_BODY_BYTES` surely holds: up to 59,999.
_SMALL_LENGTH = "^([0-9]{1,4}|[1-5][0-9]{4})$"
_IDEMPOTENT = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]
_EVERY_METHOD = [*_IDEMPOTENT, "POST", "PATCH"]
# A negative interval flushes each write. Exactly -1 would also keep a request running at the app after its client left.
_FLUSH_AT_ONCE = -2
# The counts survive a load (a round robin's turn does not), and slow or long requests weigh.
_LEAST_BUSY: JsonObject = {"selection_policy": {"policy": "least_conn"}}
_IN_TURN: JsonObject = {"selection_policy": {"policy": "round_robin"}, "retries": 12}
_MARK_DOWN: JsonObject = {"passive": {"max_fails": 1, "fail_duration": "1s"}}
# Proxies to nobody. It lasts longer than `fail_duration`, so that one fault on each replica is waited out.
_WAIT: JsonObject = {
    "handler": "reverse_proxy",
    "upstreams": [],
    "load_balancing": {"retries": 1, "try_interval": "1100ms"},
}
# The errors after which a request may be sent again, as Caddy decides it within a handler: any of a GET, and those that
# came before anything was sent, which only their text tells.
_MAY_BE_SENT_AGAIN: list[JsonObject] = [
    {"method": ["GET"], "vars": {"{http.error.status_code}": ["502", "503", "504"]}},
    {"vars_regexp": {"{http.error.message}": {"pattern": "^(dial |no upstreams available)"}}},
]
_HOST = re.compile(r"^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$")
_ADDRESS = re.compile(r"^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}$")


@dataclass(frozen=True, slots=True)
class LogFiles:
    """Where a process writes. `access` is None where it writes no access log."""

    errors: Path
    access: Path | None = None


def compile_door(
    *,
    listen: str,
    port: int,
    admin_socket: Path,
    router_socket: Path,
    logs: LogFiles,
    tls: TlsOptions | None = None,
) -> JsonObject:
    """The config of the process that holds the public ports; HTTPS is served with `tls` only."""
    server: JsonObject = {
        "listen": [authority(listen, port)],
        "automatic_https": {"disable": True},
        "protocols": ["h1", "h2c"],
        "read_header_timeout": "10s",
        "idle_timeout": "2m",
        "routes": [
            # A body that is whole in memory can be sent again, whatever the method; see the module's docstring.
            {
                "match": [{"header_regexp": {"Content-Length": {"pattern": _SMALL_LENGTH}}}],
                "handle": [_to_router(router_socket, _EVERY_METHOD, buffered=True)],
                "terminal": True,
            },
            {"handle": [_to_router(router_socket, _IDEMPOTENT, buffered=False)]},
        ],
        "errors": {"routes": [{"handle": [_answer(503, "the ingress is starting, try again", retry_after=1)]}]},
    }
    if tls is None:
        return _config(admin_socket, logs, {SERVER: server})
    config = _config(admin_socket, logs, {SERVER: server, TLS_SERVER: tls_server(listen, tls, server)})
    apps = {**_object(config, "apps"), **tls_apps(listen, port, tls)}
    return {**config, "storage": storage(tls), "apps": apps}


def compile_router(routes: Sequence[Route], *, admin_socket: Path, router_socket: Path, logs: LogFiles) -> JsonObject:
    """The config of the process that knows the routes. The order of the routes does not matter. Raises Invalid for a
    host that is no DNS name or that two routes claim, and for an upstream that is no `host:port`."""
    by_host = _routes_by_host(routes)
    hosts = sorted(by_host)
    served = [(host, by_host[host]) for host in hosts if by_host[host].upstreams]
    single = [(host, _serve_single(route)) for host, route in served if len(route.upstreams) == 1]
    server: JsonObject = {
        "listen": [f"unix/{router_socket}|0600"],
        "automatic_https": {"disable": True},
        "protocols": ["h1"],
        # Only the door can connect to the socket: its X-Forwarded-For is the client's.
        "trusted_proxies_unix": True,
        "routes": [
            question_route(by_host),
            {
                "handle": [
                    {"handler": "log_append", "key": HOST_FIELD, "value": "{http.request.host}"},
                    {"handler": "log_append", "key": UPSTREAM_FIELD, "value": "{http.reverse_proxy.upstream.hostport}"},
                ]
            },
            *_serve_several([(host, route) for host, route in served if len(route.upstreams) > 1]),
            *_tree(single),
            *_unavailable([(host, by_host[host]) for host in hosts if not by_host[host].upstreams]),
            {"handle": [_answer(404, "no app has this name")], "terminal": True},
        ],
        "errors": {
            "routes": [{"handle": [_answer("{http.error.status_code}", "the app did not answer", retry_after=1)]}]
        },
        "logs": {"default_logger_name": "access"},
    }
    return _config(admin_socket, logs, {SERVER: server})


def with_routes_of(config: JsonObject, other: Mapping[str, object]) -> JsonObject:
    """`config` with the routes of another config made by `compile_router`."""
    routes = _dig(other, "apps", "http", "servers", SERVER, "routes")
    return _with_routes(config, routes) if routes else config


def with_retired(config: JsonObject, addresses: Iterable[str]) -> JsonObject:
    """`config` with exactly these retired upstreams: out of use, but their requests in flight are still counted."""
    routes = _dig(config, "apps", "http", "servers", SERVER, "routes")
    serving = [route for route in routes if not _is_retired(route)]
    return _with_routes(config, [*serving, *_retired(sorted(addresses))])


def retired_upstreams(config: Mapping[str, object]) -> set[str]:
    """The retired addresses in a config made by `compile_router`."""
    for route in _dig(config, "apps", "http", "servers", SERVER, "routes"):
        if _is_retired(route):
            return _dials(route)
    return set()


def upstreams(config: Mapping[str, object]) -> set[str]:
    """Every upstream address in a config made by `compile_router`, retired ones too."""
    return _dials(_dig(config, "apps", "http", "servers", SERVER, "routes"))


def upstreams_by_host(config: Mapping[str, object]) -> dict[str, frozenset[str]]:
    """The addresses that requests for each host are led to, in a config made by `compile_router`; hosts that are known
    but not served are left out."""
    found: dict[str, frozenset[str]] = {}
    pending = list(_dig(config, "apps", "http", "servers", SERVER, "routes"))
    while pending:
        route = pending.pop()
        if _is_retired(route):
            continue
        handlers = _dig(route, "handle")
        nested = [inner for handler in handlers for inner in _dig(handler, "routes")]
        pending += nested
        addresses = frozenset() if nested else _dials(handlers)
        if addresses:
            hosts = [host for match in _dig(route, "match") for host in _dig(match, "host")]
            found |= {str(host): frozenset(addresses) for host in hosts}
    return found


def listen_addresses(config: Mapping[str, object]) -> set[str]:
    """The addresses that a config's servers listen at."""
    servers = _object(config, "apps", "http", "servers")
    return {str(address) for server in servers.values() for address in _dig(server, "listen")}


def _with_routes(config: JsonObject, routes: Sequence[object]) -> JsonObject:
    server = _object(config, "apps", "http", "servers", SERVER)
    return {**config, "apps": {"http": {"servers": {SERVER: {**server, "routes": list(routes)}}}}}


def _is_retired(route: object) -> bool:
    return isinstance(route, dict) and route.get("@id") == RETIRED_ID


def _object(value: object, *keys: str) -> JsonObject:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _dig(value: object, *keys: str) -> list[object]:
    found = _object(value, *keys[:-1]).get(keys[-1])
    return found if isinstance(found, list) else []


def _dials(value: object) -> set[str]:
    if isinstance(value, list):
        return {address for item in value for address in _dials(item)}
    if isinstance(value, dict):
        dial = value.get("dial")
        return {dial} if isinstance(dial, str) else _dials(list(value.values()))
    return set()


def _routes_by_host(routes: Sequence[Route]) -> dict[str, Route]:
    found: dict[str, Route] = {}
    seen: set[str] = set()
    for route in routes:
        if route.id in seen:
            raise Invalid(f"two routes have the id {route.id!r}")
        seen.add(route.id)
        for name in route.hosts:
            host = name.lower()
            # Caddy expands {placeholders} in hosts and addresses: only plain names may pass.
            if not _HOST.fullmatch(host):
                raise Invalid(f"{name!r} is not a host name that can be routed")
            if found.setdefault(host, route) is not route:
                raise Invalid(f"the host {host} belongs to two routes, {found[host].id} and {route.id}")
        for upstream in route.upstreams:
            if not _ADDRESS.fullmatch(upstream.address):
                raise Invalid(f"{upstream.address!r} is not an upstream address: write host:port")
    return found


def _tree(hosts: Sequence[tuple[str, JsonObject]]) -> list[JsonObject]:
    """Caddy tries routes one after another; nested groups of hosts keep the tries near 8 * log8(n)."""
    if len(hosts) <= _FANOUT:
        return [{"match": [{"host": [host]}], "handle": [handler], "terminal": True} for host, handler in hosts]
    size = _FANOUT
    while size * _FANOUT < len(hosts):
        size *= _FANOUT
    groups = [hosts[start : start + size] for start in range(0, len(hosts), size)]
    return [
        {
            "match": [{"host": [host for host, _ in group]}],
            "handle": [{"handler": "subroute", "routes": _tree(group)}],
            "terminal": True,
        }
        for group in groups
    ]


def _unavailable(routes: Sequence[tuple[str, Route]]) -> list[JsonObject]:
    """One entry for all hosts that get the same answer: of a thousand apps most may be stopped, and each handler costs
    Caddy work at every load. It searches long lists of hosts by halves."""
    by_text: dict[str, list[str]] = {}
    for host, route in routes:
        by_text.setdefault(route.unavailable_text, []).append(host)
    return [
        {"match": [{"host": hosts}], "handle": [_answer(503, text, retry_after=2)], "terminal": True}
        for text, hosts in sorted(by_text.items())
    ]


def _serve_single(route: Route) -> JsonObject:
    # There is nowhere else to go: marking it down would only turn one fault into many.
    return _to_replicas(route, {**_LEAST_BUSY, "retries": 3, "try_interval": "100ms"})


def _serve_several(served: Sequence[tuple[str, Route]]) -> list[JsonObject]:
    """The hosts of apps with several replicas. Caddy ends the wait for a next try, without that try, when the request's
    config is replaced, and from then on marks nobody down for it. So nothing waits while there are replicas to try, and
    the last tries take them in turn: one that failed has the fewest requests of all."""
    if not served:
        return []
    first, last = [], []
    for host, route in served:
        once_each = {**_LEAST_BUSY, "retries": min(len(route.upstreams) - 1, 3)}
        first.append((host, {**_to_replicas(route, once_each), "health_checks": _MARK_DOWN}))
        last.append((host, {**_to_replicas(route, _IN_TURN), "health_checks": _MARK_DOWN}))
    waited: JsonObject = {"handler": "subroute", "routes": [{"handle": [_WAIT]}], "errors": {"routes": _tree(last)}}
    failed: JsonObject = {
        "handler": "error",
        "status_code": "{http.error.status_code}",
        "error": "{http.error.message}",
    }
    errors = [{"match": _MAY_BE_SENT_AGAIN, "handle": [waited], "terminal": True}, {"handle": [failed]}]
    handler: JsonObject = {"handler": "subroute", "routes": _tree(first), "errors": {"routes": errors}}
    return [{"match": [{"host": [host for host, _ in served]}], "handle": [handler], "terminal": True}]


def _to_replicas(route: Route, balancing: JsonObject) -> JsonObject:
    return {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": address} for address in sorted({upstream.address for upstream in route.upstreams})],
        "transport": {
            "protocol": "http",
            "dial_timeout": "2s",
            "response_header_timeout": "10m",
            "compression": False,
            # Shorter than the idle timeout of common app servers (2 to 5 s), so that a request does not meet a
            # connection that the app is just closing.
            "keep_alive": {"enabled": True, "idle_timeout": "1500ms", "max_idle_conns_per_host": 128},
        },
        # Failed dials are tried again for any request, failed answers for GET only.
        "load_balancing": balancing,
        "flush_interval": _FLUSH_AT_ONCE,
        "stream_close_delay": "24h",
    }


def _retired(addresses: Sequence[str]) -> list[JsonObject]:
    """Behind the terminal 404 no request gets here; being named is what keeps Caddy's count of an upstream alive."""
    if not addresses:
        return []
    proxy: JsonObject = {"handler": "reverse_proxy", "upstreams": [{"dial": address} for address in addresses]}
    return [{"@id": RETIRED_ID, "handle": [proxy]}]


def _to_router(router_socket: Path, retried_methods: Sequence[str], *, buffered: bool) -> JsonObject:
    handler: JsonObject = {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": f"unix/{router_socket}"}],
        "transport": {
            "protocol": "http",
            "dial_timeout": "2s",
            "compression": False,
            "keep_alive": {"enabled": True, "idle_timeout": "60s", "max_idle_conns_per_host": 512},
        },
        # Three seconds: a router that died is started again within them.
        "load_balancing": {"retries": 150, "try_interval": "20ms", "retry_match": [{"method": list(retried_methods)}]},
        "flush_interval": _FLUSH_AT_ONCE,
    }
    if buffered:
        handler["request_buffers"] = _BUFFERED_BODY_BYTES
    return handler


def _answer(status: int | str, text: str, *, retry_after: int | None = None) -> JsonObject:
    headers = {"Content-Type": ["text/plain; charset=utf-8"], "Cache-Control": ["no-store"]}
    if retry_after is not None:
        headers["Retry-After"] = [str(retry_after)]
    # Braces would be expanded as placeholders, which reach files and the environment.
    body = text.replace("{", "\\{").rstrip() + "\n"
    return {"handler": "static_response", "status_code": status, "headers": headers, "body": body}


def _config(admin_socket: Path, logs: LogFiles, servers: JsonObject) -> JsonObject:
    return {
        "admin": {"listen": f"unix/{admin_socket}|0600", "config": {"persist": False}},
        "logging": _logging(logs),
        "apps": {"http": {"servers": servers}},
    }


def _logging(logs: LogFiles) -> JsonObject:
    # Clients' addresses, headers and URIs (which may carry tokens) are never written.
    private = ["remote_ip", "remote_port", "client_ip", "uri", "headers", "tls"]
    sinks: JsonObject = {
        "default": {
            "level": "ERROR",
            "writer": _rolled(logs.errors, megabytes=5, keep=2),
            "encoder": _without([f"request>{name}" for name in private]),
            "exclude": ["http.log.access"],
        }
    }
    if logs.access is not None:
        sinks["access"] = {
            "level": "INFO",
            "writer": _rolled(logs.access, megabytes=16, keep=4),
            # The request is left out whole, which is also the cheapest; `log_append` writes what we count by.
            "encoder": _without(["request", "resp_headers", "bytes_read", "user_id"]),
            "include": ["http.log.access.access"],
        }
    return {"logs": sinks}


def _without(fields: Sequence[str]) -> JsonObject:
    return {
        "format": "filter",
        "wrap": {"format": "json"},
        "fields": {name: {"filter": "delete"} for name in fields},
    }


def _rolled(path: Path, *, megabytes: int, keep: int) -> JsonObject:
    return {
        "output": "file",
        "filename": str(path),
        "mode": "0600",
        "roll": True,
        "roll_size_mb": megabytes,
        "roll_keep": keep,
        "roll_keep_days": 7,
        "roll_gzip": False,
    }
