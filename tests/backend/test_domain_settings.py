"""The settings of HTTPS, certificates and DNS lookups."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.settings import CONFIG_DIR_VARIABLE, Settings, SettingsError, load_settings


def load(folder: Path, **variables: str) -> Settings:
    environment = {CONFIG_DIR_VARIABLE: str(folder), "PILOTHOUSE_DATA_DIR": str(folder / "data")}
    return load_settings({}, environment | {f"PILOTHOUSE_{name.upper()}": value for name, value in variables.items()})


def test_https_is_off_until_it_has_a_port(tmp_path: Path) -> None:
    assert not load(tmp_path).serves_https
    assert load(tmp_path, ingress_https_port="8443").serves_https
    assert not load(tmp_path, ingress_https_port="8443", tls_mode="off").serves_https
    with pytest.raises(SettingsError, match="needs a port"):
        load(tmp_path, tls_mode="internal")
    with pytest.raises(SettingsError, match="already that of"):
        load(tmp_path, ingress_https_port="8443", ingress_port="8443")


def test_resolvers_have_ports_or_not(tmp_path: Path) -> None:
    given = "9.9.9.9, 127.0.0.1:5353, 2620:fe::fe, [::1]:53, [::2]"
    assert load(tmp_path, dns_resolver=given).dns_resolver == (
        ("9.9.9.9", 53),
        ("127.0.0.1", 5353),
        ("2620:fe::fe", 53),
        ("::1", 53),
        ("::2", 53),
    )
    for wrong in ("dns.example.com", "1.2.3.4:", "1.2.3.4:0", "1.2.3.4:x", "[::1", "1.2.3"):
        with pytest.raises(SettingsError, match="dns_resolver"):
            load(tmp_path, dns_resolver=wrong)


def test_public_addresses_are_addresses(tmp_path: Path) -> None:
    assert load(tmp_path, public_addresses="203.0.113.7,2001:DB8::0:7").public_addresses == (
        "203.0.113.7",
        "2001:db8::7",
    )
    with pytest.raises(SettingsError, match="public_addresses"):
        load(tmp_path, public_addresses="example.com")


def test_a_directory_is_reached_over_https(tmp_path: Path) -> None:
    directory = "https://acme.example.com/directory"
    assert load(tmp_path, acme_directory=directory).acme_directory == directory
    with pytest.raises(SettingsError, match="acme_directory"):
        load(tmp_path, acme_directory="http://acme.example.com/directory")
