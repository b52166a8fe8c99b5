"""Pauses grow, and stay what they are however often something was tried."""

from __future__ import annotations

from backend.services.reconciler.pauses import growing_pause


def test_pauses_double_up_to_the_slowest() -> None:
    assert [growing_pause(5, tries, 30) for tries in range(5)] == [5, 10, 20, 30, 30]


def test_a_thing_may_fail_for_years() -> None:
    assert growing_pause(5, 100_000, 300) == 300
