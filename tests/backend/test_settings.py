"""Flags over environment over file; every fault names the setting, where it came from and what is allowed."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from backend.settings import SettingsError, load_secret, load_settings
from backend.wire.rendezvous import DEFAULT_PORT


def _environment(folder: Path, toml: str = "", **variables: str) -> dict[str, str]:
    (folder / "config.toml").write_text(toml)
    return {"PILOTHOUSE_CONFIG_DIR": str(folder), "PILOTHOUSE_DATA_DIR": str(folder / "data"), **variables}


def test_defaults(tmp_path: Path) -> None:
    settings = load_settings(environment=_environment(tmp_path))
    assert (settings.host, settings.port, settings.ingress_port) == ("127.0.0.1", DEFAULT_PORT, 8080)
    assert (settings.domain_suffix, settings.registration, settings.strict_login) == ("localhost", "open", False)
    assert settings.data_dir == tmp_path / "data"


def test_which_place_wins(tmp_path: Path) -> None:
    environment = _environment(tmp_path, 'port = 1001\ningress_port = 1002\ndomain_suffix = "a.example"', PORT="1003")
    settings = load_settings({"ingress_port": "1004", "host": None}, environment)
    assert (settings.port, settings.ingress_port, settings.domain_suffix) == (1003, 1004, "a.example")


@pytest.mark.parametrize(
    ("flags", "toml", "variables", "words"),
    [
        ({"port": "x"}, "", {}, ["port:", "'x'", "the flag --port", "1 to 65535"]),
        ({}, "", {"PORT": "70000"}, ["port:", "'70000'", "the environment variable PORT", "1 to 65535"]),
        ({}, "port = true", {}, ["port:", "True", "config.toml", "1 to 65535"]),
        ({}, "", {"DOMAIN_SUFFIX": "no spaces"}, ["domain_suffix:", "DNS name"]),
        ({}, "", {"PILOTHOUSE_STRICT_LOGIN": "perhaps"}, ["strict_login:", "true or false"]),
        ({}, 'network_pool = "8.8.8.0/24"', {}, ["network_pool:", "private IPv4 network"]),
        ({"bind": ["nope=127.0.0.1:1"]}, "", {}, ["bind:", "--bind", "container-engine"]),
        ({"bind": ["container-engine=1"]}, "", {}, ["bind:", "SURFACE=HOST:PORT"]),
        ({"bind": ["container-engine=[::1:9103"]}, "", {}, ["bind:", "SURFACE=HOST:PORT", "bracket"]),
        ({"host": "[::1"}, "", {}, ["host:", "bracket"]),
        ({"bind": ["container-engine=::1]:9103"]}, "", {}, ["bind:", "SURFACE=HOST:PORT", "bracket"]),
        ({}, "colour = 1", {}, ["colour:", "no such setting"]),
        ({}, "port = = 1", {}, ["config.toml", "cannot be read"]),
        ({"port": "8080"}, "", {}, ["ingress_port:", "port 8080 is already that of port"]),
    ],
)
def test_faults(
    tmp_path: Path, flags: dict[str, object], toml: str, variables: dict[str, str], words: list[str]
) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings(flags, _environment(tmp_path, toml, **variables))
    for word in words:
        assert word in str(error.value)


def test_all_faults_at_once_and_no_secret_in_them(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings(environment=_environment(tmp_path, PORT="0", JWT_SECRET="short", DATABASE_URL="x://u:hidden@h"))
    assert len(error.value.faults) == 3
    assert "short" not in str(error.value)
    assert "hidden" not in str(error.value)


@pytest.mark.parametrize(
    ("host", "given", "expected"),
    [("127.0.0.1", None, "open"), ("::1", None, "open"), ("0.0.0.0", None, "closed"), ("0.0.0.0", "open", "open")],
)
def test_registration_is_open_by_itself_only_on_loopback(
    tmp_path: Path, host: str, given: str | None, expected: str
) -> None:
    settings = load_settings({"host": host, "registration": given}, _environment(tmp_path))
    assert settings.registration == expected
    assert bool(settings.warnings) == (expected == "closed")


def test_secrets_are_made_once_and_private(tmp_path: Path) -> None:
    first = load_secret(tmp_path, "jwt")
    assert load_secret(tmp_path, "jwt") == first != load_secret(tmp_path, "encryption")
    path = tmp_path / "secrets" / "jwt.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.write_text("damaged")
    with pytest.raises(SettingsError, match="damaged"):
        load_secret(tmp_path, "jwt")
