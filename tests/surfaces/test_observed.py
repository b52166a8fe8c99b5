"""Uptime in words."""

from __future__ import annotations

import pytest

from backend.surfaces.observed import format_uptime


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0s"),
        (-3, "0s"),
        (45, "45s"),
        (60, "1m 0s"),
        (3600, "1h 0m 0s"),
        (9045, "2h 30m 45s"),
        (90061, "1d 1h 1m 1s"),
        (86400, "1d 0h 0m 0s"),
    ],
)
def test_leading_units_that_are_zero_are_left_out(seconds: int, words: str) -> None:
    assert format_uptime(seconds) == words
