"""Whom a request without a credential is counted as."""

from __future__ import annotations

from typing import Any

import pytest

from backend.surfaces.client_address import UNKNOWN, ClientAddresses

PROXIES = ("10.0.0.0/8", "fd00::/8")


def _scope(peer: str | None, *forwarded: str) -> Any:
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    return {"client": (peer, 1) if peer else None, "headers": headers}


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["203.0.113.9, 198.51.100.7, 10.2.2.2"], "198.51.100.7"),
        ("10.0.0.1", ["203.0.113.9", "198.51.100.7,10.2.2.2"], "198.51.100.7"),
        ("10.0.0.1", ["203.0.113.9, nonsense, 10.2.2.2"], "10.2.2.2"),
        ("10.0.0.1", ["nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["10.3.3.3"], "10.3.3.3"),
        ("10.0.0.1", ["198.51.100.7:4711"], "198.51.100.7"),
        ("10.0.0.1", ["[2001:db8:1:2:3::1]:4711"], "2001:db8:1:2::/64"),
        ("::ffff:10.0.0.1", ["::ffff:198.51.100.7"], "198.51.100.7"),
        ("fd00::1", ["2001:db8:1:2:ffff::9"], "2001:db8:1:2::/64"),
        ("2001:db8:1:2:3:4:5:6", ["198.51.100.7"], "2001:db8:1:2::/64"),
        ("10.0.0.1", ["\xff\xfe"], "10.0.0.1"),
        (None, ["198.51.100.7"], UNKNOWN),
    ],
)
def test_addresses(peer: str | None, forwarded: list[str], expected: str) -> None:
    assert ClientAddresses(PROXIES).of(_scope(peer, *forwarded)) == expected


def test_nobody_is_trusted_by_itself() -> None:
    assert ClientAddresses().of(_scope("127.0.0.1", "198.51.100.7")) == "127.0.0.1"
