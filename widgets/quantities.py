"""Numbers as people read them: cores, bytes, rates, milliseconds, durations; and round values for an axis."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

Unit = Literal["cores", "bytes", "rate", "ms", "percent", "count"]

_BYTE_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def _digits(value: float) -> str:
    """Three figures at most, no trailing zeros: 0.25, 1.5, 12.3, 480."""
    if value == 0:
        return "0"
    text = f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_cores(value: float) -> str:
    """Cores: "120m" under one, "1.5" from one on."""
    if 0 < abs(value) < 0.9995:
        return f"{_digits(value * 1000)}m"
    return _digits(value)


def format_bytes(value: float) -> str:
    """Bytes with binary units: "512 MiB"."""
    power = 0
    while abs(value) >= 1023.5 and power < len(_BYTE_UNITS) - 1:
        value /= 1024
        power += 1
    return f"{_digits(value) if power else f'{value:.0f}'} {_BYTE_UNITS[power]}"


def format_rate(value: float) -> str:
    """Events a second: "12.5/s", "1.2k/s"."""
    return f"{format_count(value)}/s"


def format_count(value: float) -> str:
    """A plain number, thousands as k: "12.3k"."""
    for limit, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit * 0.9995:
            return f"{_digits(value / limit)}{suffix}"
    return _digits(value)


def format_milliseconds(value: float) -> str:
    """Milliseconds: "12 ms", from a second on "1.5 s"."""
    return f"{_digits(value / 1000)} s" if abs(value) >= 999.5 else f"{_digits(value)} ms"


def format_percent(value: float) -> str:
    """`value` is already in percent."""
    return f"{_digits(value)} %"


def format_duration(seconds: float) -> str:
    """An age in at most two units: "12s", "4m", "3h12m", "5d"."""
    left = max(0, int(seconds))
    if left < 60:
        return f"{left}s"
    if left < 3600:
        return f"{left // 60}m" if left >= 600 else f"{left // 60}m{left % 60:02d}s"
    if left < 86_400:
        return f"{left // 3600}h{left % 3600 // 60:02d}m"
    return f"{left // 86_400}d" if left >= 10 * 86_400 else f"{left // 86_400}d{left % 86_400 // 3600:02d}h"


FORMATS: dict[Unit, Callable[[float], str]] = {
    "cores": format_cores,
    "bytes": format_bytes,
    "rate": format_rate,
    "ms": format_milliseconds,
    "percent": format_percent,
    "count": format_count,
}

FLOORS: dict[Unit, float] = {"cores": 0.01, "bytes": 1024**2, "rate": 1, "ms": 1, "percent": 1, "count": 1}
"""Least top of an axis, so that noise near zero does not look like a mountain."""


def axis_top(highest: float, unit: Unit) -> float:
    """The round value at or above `highest` where an axis ends; halves of it are round too."""
    highest = max(highest, FLOORS[unit])
    if unit == "bytes":
        return float(2 ** math.ceil(math.log2(highest)))
    power = 10.0 ** math.floor(math.log10(highest))
    return next((step * power for step in (1, 2, 4, 5, 8) if highest <= step * power * (1 + 1e-9)), 10 * power)
