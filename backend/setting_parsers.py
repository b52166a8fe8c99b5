"""What a setting's raw value (text of a flag or variable, or a TOML value) becomes. Parsers raise Rejected."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from backend.domain.errors import Invalid
from backend.domain.quantities import parse_cpu, parse_memory
from backend.domain.rate_limits import RateClass

SURFACES = ("container-engine", "container-engine-snake", "devpocket")
TENANT_PREFIX_LENGTH = 23
_MAILBOX = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Requests a minute, 0 for no limit; of every surface, or class, where None."""

    surface: str | None
    kind: RateClass | None
    limit: int


class Rejected(Exception):
    """A value that a setting cannot have; the text adds to what is allowed, where there is something to add."""


@dataclass(frozen=True, slots=True)
class BindAddress:
    """A surface served at the root of its own listener."""

    surface: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.surface}={host}:{self.port}"


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a listener on that host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def as_text(raw: Any) -> str:
    if not isinstance(raw, str) or not raw.strip() or not raw.isprintable():
        raise Rejected
    return raw.strip()


def as_path(raw: Any) -> str:
    return raw if hasattr(raw, "__fspath__") else as_text(raw)


def as_integer(least: int, most: int) -> Callable[[Any], int]:
    """A parser of a whole number within bounds."""

    def parse(raw: Any) -> int:
        if isinstance(raw, bool) or not isinstance(raw, int | str):
            raise Rejected
        if isinstance(raw, str) and not re.fullmatch(r"\s*[0-9]{1,12}\s*", raw):
            raise Rejected
        if not least <= int(raw) <= most:
            raise Rejected
        return int(raw)

    return parse


def as_cpu(raw: Any) -> int:
    """Millicores."""
    return _as_quantity(raw, parse_cpu)


def as_size(raw: Any) -> int:
    """Bytes."""
    return _as_quantity(raw, parse_memory)


def _as_quantity(raw: Any, parse: Callable[[str], int]) -> int:
    if isinstance(raw, bool) or not isinstance(raw, str | int):
        raise Rejected
    try:
        return parse(str(raw))
    except Invalid as error:
        raise Rejected(error.message) from error


def as_boolean(raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    word = as_text(raw).lower()
    if word in ("true", "1", "yes", "on"):
        return True
    if word in ("false", "0", "no", "off"):
        return False
    raise Rejected


def as_choice(*choices: str) -> Callable[[Any], str]:
    """A parser of one of some words."""

    def parse(raw: Any) -> str:
        word = as_text(raw).lower()
        if word not in choices:
            raise Rejected
        return word

    return parse


def as_secret(least: int) -> Callable[[Any], str]:
    """A parser of a text of a least length."""

    def parse(raw: Any) -> str:
        if not isinstance(raw, str) or len(raw) < least:
            raise Rejected
        return raw

    return parse


def as_url(*schemes: str) -> Callable[[Any], str]:
    """A parser of an address whose scheme starts with one of some words (`sqlite+aiosqlite://` is `sqlite`)."""

    def parse(raw: Any) -> str:
        url = as_text(raw)
        scheme, separator, _ = url.partition("://")
        if not separator or not any(scheme.split("+")[0] in (s, f"{s}ql") for s in schemes):
            raise Rejected
        return url

    return parse


def as_web_address(raw: Any) -> str:
    """An http or https address of a host, as it was written."""
    url = as_text(raw)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Rejected(str(error)) from error
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise Rejected
    if parts.username is not None or parts.fragment:
        raise Rejected("it must not have a user name, a password or a fragment")
    if not url.isascii() or " " in url:
        raise Rejected("other letters than ASCII must be encoded, and names spelled xn--...")
    return url


def as_mail_address(raw: Any) -> str:
    """A plain address, also one of a private network's domain."""
    name, at, domain = as_text(raw).rpartition("@")
    if not at or not _MAILBOX.fullmatch(name):
        raise Rejected
    return f"{name}@{as_domain_suffix(domain)}"


def as_webhook_secret(raw: Any) -> str:
    """`whsec_` and 24 to 64 bytes in base64."""
    prefix, encoded = as_text(raw)[:6], as_text(raw)[6:]
    try:
        length = len(base64.b64decode(encoded, validate=True))
    except binascii.Error as error:
        raise Rejected from error
    if prefix != "whsec_" or not 24 <= length <= 64:
        raise Rejected
    return prefix + encoded


def as_host(raw: Any) -> str:
    text = as_text(raw).lower()
    if text.startswith("[") != text.endswith("]"):
        raise Rejected("a bracket has no counterpart")
    host = text.removeprefix("[").removesuffix("]")
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return as_domain_suffix(host)


def as_domain_suffix(raw: Any) -> str:
    name = as_text(raw).lower().strip(".")
    if len(name) > 190 or not all(_LABEL.match(label) for label in name.split(".")):
        raise Rejected
    return name


def _as_list(raw: Any) -> list[Any]:
    if isinstance(raw, str):
        return [part for part in (part.strip() for part in raw.split(",")) if part]
    if isinstance(raw, list | tuple):
        return list(raw)
    raise Rejected


def as_words(raw: Any) -> tuple[str, ...]:
    """Texts of at most 200 characters, each once, in their order."""
    words = [as_text(part) for part in _as_list(raw)]
    if any(len(word) > 200 for word in words):
        raise Rejected("each may have at most 200 characters")
    return tuple(dict.fromkeys(words))


def as_names(raw: Any) -> tuple[str, ...]:
    return tuple(as_host(part) for part in _as_list(raw))


def as_bindings(raw: Any) -> tuple[BindAddress, ...]:
    return tuple(_as_binding(part) for part in _as_list(raw))


def _as_binding(raw: Any) -> BindAddress:
    surface, equals, address = as_text(raw).partition("=")
    host, colon, port = address.rpartition(":")
    if not equals or not colon:
        raise Rejected
    if surface not in SURFACES:
        raise Rejected(f"the surfaces are {', '.join(SURFACES)}")
    return BindAddress(surface, as_host(host), as_integer(1, 65535)(port))


def as_networks(raw: Any) -> tuple[str, ...]:
    """Addresses and networks in CIDR."""
    try:
        return tuple(str(ipaddress.ip_network(as_text(part))) for part in _as_list(raw))
    except ValueError as error:
        raise Rejected(str(error)) from error


def as_rate_limits(raw: Any) -> tuple[RateLimit, ...]:
    """`none`, or `[SURFACE.]CLASS=NUMBER` or `all=NUMBER`, several separated by commas; in TOML also a table. What
    comes later goes over what came before."""
    if isinstance(raw, str) and raw.strip().lower() in ("none", "off", "0"):
        return (RateLimit(None, None, 0),)
    if isinstance(raw, dict):
        parts = [
            part
            for name, value in raw.items()
            for part in (
                [f"{name}.{k}={v}" for k, v in value.items()] if isinstance(value, dict) else [f"{name}={value}"]
            )
        ]
    else:
        parts = _as_list(raw)
    return tuple(_as_rate_limit(as_text(part)) for part in parts)


def _as_rate_limit(text: str) -> RateLimit:
    name, equals, number = text.partition("=")
    surface, _, kind = name.strip().rpartition(".")
    if not equals:
        raise Rejected
    if surface and surface not in SURFACES:
        raise Rejected(f"the surfaces are {', '.join(SURFACES)}")
    if kind != "all" and kind not in tuple(RateClass):
        raise Rejected(f"the classes are {', '.join(RateClass)} and all")
    count = 0 if number.strip().lower() == "none" else as_integer(0, 10**9)(number)
    return RateLimit(surface or None, None if kind == "all" else RateClass(kind), count)


def as_addresses(raw: Any) -> tuple[str, ...]:
    """IP addresses."""
    try:
        return tuple(str(ipaddress.ip_address(as_text(part).strip("[]"))) for part in _as_list(raw))
    except ValueError as error:
        raise Rejected(str(error)) from error


def as_resolvers(raw: Any) -> tuple[tuple[str, int], ...]:
    """IP addresses of DNS servers with their ports: 53 where none is given."""
    return tuple(_as_resolver(as_text(part)) for part in _as_list(raw))


def _as_resolver(text: str) -> tuple[str, int]:
    host, port = text, "53"
    if text.startswith("["):
        host, bracket, after = text[1:].partition("]")
        if not bracket or (after and not after.startswith(":")):
            raise Rejected
        port = after[1:] if after else port
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    (address,) = as_addresses([host])
    return address, as_integer(1, 65535)(port)


def as_network_pool(raw: Any) -> str:
    try:
        pool = ipaddress.IPv4Network(as_text(raw))
    except ValueError as error:
        raise Rejected(str(error)) from error
    if not pool.is_private or not 8 <= pool.prefixlen <= TENANT_PREFIX_LENGTH:
        raise Rejected
    return str(pool)
