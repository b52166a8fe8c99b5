"""How long to wait before another try."""

from __future__ import annotations

# Beyond this many doublings any first pause is longer than any slowest one, and at last no float holds it.
_MOST_DOUBLINGS = 32


def growing_pause(first: float, tries: int, slowest: float) -> float:
    """`first` seconds, doubled for each of the tries made before, at most `slowest`."""
    return min(first * 2.0 ** min(tries, _MOST_DOUBLINGS), slowest)
