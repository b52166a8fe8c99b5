"""Which addresses a webhook may reach: the internet's, not this machine's surroundings."""

from __future__ import annotations

import ipaddress
from ipaddress import IPv4Address, IPv6Address

# Services that a cloud offers to its machines under an address that looks like any other.
_METADATA = frozenset({IPv4Address("168.63.129.16")})
# Networks whose last 32 bits are an IPv4 address: NAT64, SIIT, and the compatible form of old.
_EMBEDDING = tuple(ipaddress.IPv6Network(one) for one in ("64:ff9b::/96", "::ffff:0:0:0/96", "::/96"))
_LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")


def never_reachable(address: IPv4Address | IPv6Address) -> str | None:
    """Why no webhook goes there, whatever the settings; None where one may."""
    inner = _inner(address)
    if inner.is_multicast or inner.is_unspecified or inner == IPv4Address("255.255.255.255"):
        return "is no address of one receiver"
    return None


def not_public(address: IPv4Address | IPv6Address) -> str | None:
    """Why this address is no public one, in words that follow it; None where it is."""
    inner = _inner(address)
    if inner.is_loopback:
        return "is a loopback address"
    if inner.is_link_local:
        return "is a link-local address, where clouds keep their metadata"
    if inner in _METADATA:
        return "is a cloud's metadata service"
    if inner.is_private or not inner.is_global or inner in _LOCAL_NAT64:
        return "is a private or reserved address"
    return never_reachable(inner)


def _inner(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 one stands for, where it does: packets end up there."""
    if isinstance(address, IPv4Address):
        return address
    if address.is_unspecified or address.is_loopback:
        return address
    if any(address in network for network in _EMBEDDING):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address.teredo:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour or address
