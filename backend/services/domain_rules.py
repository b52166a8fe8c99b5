"""What may be a custom domain."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

import idna

from backend.domain.errors import Invalid

MAX_DOMAINS = 50
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
# Names that stay on one machine, or that no DNS may hold.
_NOWHERE = ("localhost", "localdomain", "invalid", "onion", "arpa")
_NOWHERE_BUT = ("home.arpa",)
_LONGEST = 253
_FIELD = "domain"


class ReservedNames:
    """The platform's own names: the suffix of apps with all below it, the API's hosts, and the parents of both,
    since a page under a parent can set cookies for them."""

    def __init__(self, suffix: str, api_hosts: Iterable[str]) -> None:
        self._suffix = suffix
        own = [suffix, *(host for host in api_hosts if not _is_address(host))]
        self._refused = {parent for name in own for parent in _with_parents(name)}

    def holds(self, name: str) -> bool:
        return name in self._refused or name.endswith(f".{self._suffix}")


def checked_domain(given: str, reserved: ReservedNames) -> str:
    """The name in lower case and A-labels, without a dot at the end. Raises Invalid at `domain`."""
    shown = repr(given if len(given) <= 100 else given[:97] + "...")
    name = given.strip().removesuffix(".").lower()
    if name.startswith("*"):
        raise Invalid.at(_FIELD, f"{shown} is a wildcard: add each name by itself")
    if _is_address(name):
        raise Invalid.at(_FIELD, f"{shown} is an address, not a name")
    if any(mark in name for mark in ("/", ":", "@")):
        raise Invalid.at(_FIELD, f"{shown} is more than a host name: leave out scheme, port and path")
    try:
        name = name if name.isascii() else idna.encode(name, uts46=True).decode().lower()
    except idna.IDNAError as error:
        raise Invalid.at(_FIELD, f"{shown} is no host name: {error}") from error
    labels = name.split(".")
    if len(name) > _LONGEST or not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        raise Invalid.at(
            _FIELD,
            f"{shown} is no host name: labels of 1 to 63 of a-z, 0-9 and '-', joined by dots, "
            f"at most {_LONGEST} in all",
        )
    if _is_nowhere(name):
        raise Invalid.at(_FIELD, f"{shown} is a name that only this machine knows")
    if len(labels) < 2:
        raise Invalid.at(_FIELD, f"{shown} has no dot: give the whole name, such as shop.example.com")
    if reserved.holds(name):
        raise Invalid.at(_FIELD, f"{shown} belongs to the platform itself")
    return name


def _is_nowhere(name: str) -> bool:
    def under(endings: tuple[str, ...]) -> bool:
        return any(name == ending or name.endswith(f".{ending}") for ending in endings)

    return under(_NOWHERE) and not under(_NOWHERE_BUT)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _with_parents(name: str) -> list[str]:
    labels = name.lower().strip(".").split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]
