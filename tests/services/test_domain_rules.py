"""Which names may be custom domains."""

from __future__ import annotations

import pytest

from backend.domain.errors import Invalid
from backend.services.domain_rules import ReservedNames, checked_domain

RESERVED = ReservedNames("apps.example.com", ["127.0.0.1", "::1", "api.example.org", "console.pilothouse.test"])


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("shop.example.net", "shop.example.net"),
        ("  Shop.Example.NET. ", "shop.example.net"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("a.b.c.d.e.example", "a.b.c.d.e.example"),
        ("printer.home.arpa", "printer.home.arpa"),
        ("other.example.com", "other.example.com"),
        ("sub.api.example.org", "sub.api.example.org"),
        (f"{'a' * 63}.example", f"{'a' * 63}.example"),
    ],
)
def test_names_that_are_taken(given: str, name: str) -> None:
    assert checked_domain(given, RESERVED) == name


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("", "no host name"),
        (".", "no host name"),
        ("*.example.net", "wildcard"),
        ("127.0.0.1", "an address"),
        ("[::1]", "an address"),
        ("::1", "an address"),
        ("1.2.3.4.5", "no host name"),
        ("https://shop.example.net", "leave out scheme"),
        ("shop.example.net:443", "leave out scheme"),
        ("shop.example.net/path", "leave out scheme"),
        ("user@example.net", "leave out scheme"),
        ("shop", "no dot"),
        ("a..example", "no host name"),
        ("-a.example", "no host name"),
        ("a_b.example", "no host name"),
        ("a b.example", "no host name"),
        ("{http.request.host}.example", "no host name"),
        ("a\n.example", "no host name"),
        (f"{'a' * 64}.example", "no host name"),
        (".".join(["abcdefgh"] * 30), "no host name"),
        ("\ud800.example", "no host name"),
        ("\u202e.example", "no host name"),
        ("localhost", "only this machine"),
        ("app.localhost", "only this machine"),
        ("localhost.localdomain", "only this machine"),
        ("7.0.0.127.in-addr.arpa", "only this machine"),
        ("apps.example.com", "platform itself"),
        ("shop.apps.example.com", "platform itself"),
        ("a.b.apps.example.com", "platform itself"),
        ("example.com", "platform itself"),
        ("api.example.org", "platform itself"),
        ("example.org", "platform itself"),
        ("PILOTHOUSE.test", "platform itself"),
    ],
)
def test_names_that_are_refused(given: str, says: str) -> None:
    with pytest.raises(Invalid, match=says) as refused:
        checked_domain(given, RESERVED)
    assert [fault.field for fault in refused.value.fields] == ["domain"]
