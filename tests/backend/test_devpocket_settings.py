"""Settings of the DevPocket surface: Google, regions, its listener and its limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.domain.rate_limits import RateClass
from backend.rate_limiting import limits_of
from backend.setting_parsers import BindAddress, as_rate_limits
from backend.settings import Settings, SettingsError, load_settings


def _load(tmp_path: Path, **environment: str) -> Settings:
    places = {"PILOTHOUSE_CONFIG_DIR": str(tmp_path), "PILOTHOUSE_DATA_DIR": str(tmp_path)}
    return load_settings({}, places | environment)


def test_google_and_regions(tmp_path: Path) -> None:
    plain = _load(tmp_path)
    assert (plain.google_client_id, plain.google_jwks_url, plain.cluster_regions) == ((), "", ())
    set_up = _load(
        tmp_path,
        GOOGLE_CLIENT_ID="one.apps.googleusercontent.com, two.apps.googleusercontent.com",
        PILOTHOUSE_GOOGLE_JWKS_URL="https://keys.example.com/certs",
        PILOTHOUSE_CLUSTER_REGIONS="GRA11, SBG5,GRA11",
    )
    assert set_up.google_client_id == ("one.apps.googleusercontent.com", "two.apps.googleusercontent.com")
    assert set_up.google_jwks_url == "https://keys.example.com/certs"
    assert set_up.cluster_regions == ("GRA11", "SBG5")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GOOGLE_CLIENT_ID", "two\nlines"),
        ("PILOTHOUSE_GOOGLE_JWKS_URL", "file:///etc/passwd"),
        ("PILOTHOUSE_CLUSTER_REGIONS", "x" * 201),
    ],
)
def test_values_that_cannot_be(tmp_path: Path, variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        _load(tmp_path, **{variable: value})


def test_its_own_listener(tmp_path: Path) -> None:
    assert _load(tmp_path, PILOTHOUSE_BIND="devpocket=127.0.0.1:8000").bind == (
        BindAddress("devpocket", "127.0.0.1", 8000),
    )


def test_documented_limits() -> None:
    limits = {kind: limit for (surface, kind), limit in limits_of(()).items() if surface == "devpocket"}
    assert limits == {RateClass.AUTHENTICATION: 5, RateClass.GENERAL: 100, RateClass.CONNECTIONS: 10}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("all=7", (7, 7, 7)),
        ("none", (0, 0, 0)),
        ("devpocket.general=500, devpocket.connections=20", (5, 500, 20)),
        ("authentication=50", (50, 100, 10)),
        ("container-engine.all=1", (5, 100, 10)),
    ],
)
def test_settings_change_them(raw: Any, expected: tuple[int, int, int]) -> None:
    limits = limits_of(as_rate_limits(raw))
    kinds = (RateClass.AUTHENTICATION, RateClass.GENERAL, RateClass.CONNECTIONS)
    assert tuple(limits["devpocket", kind] for kind in kinds) == expected
