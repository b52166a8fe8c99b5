"""Ages, sizes, rates and status words as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

UNKNOWN = "–"
STATUS_SIGNS = {
    "running": "●",
    "pending": "◌",
    "updating": "◐",
    "scaling": "◐",
    "starting": "◌",
    "stopping": "◌",
    "stopped": "○",
    "failed": "✖",
}
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def age(moment: datetime | None, now: datetime) -> str:
    """At most two units, short: `42s`, `5m`, `3h12m`, `6d4h`. A moment ahead of our clock counts as now."""
    if moment is None:
        return UNKNOWN
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = max(0, int((now - moment).total_seconds()))
    if seconds < 60:
        return f"{seconds}s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes}m"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}h{minutes}m" if minutes and hours < 10 else f"{hours}h"
    days, hours = divmod(hours, 24)
    return f"{days}d{hours}h" if hours and days < 10 else f"{days}d"


def size(count: float | None) -> str:
    """Bytes in binary units with three figures at most: `512 B`, `12.5 MiB`, `1.2 GiB`."""
    if count is None:
        return UNKNOWN
    value = float(count)
    for unit in _UNITS:
        if value < 1024 or unit == _UNITS[-1]:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1024
    raise AssertionError("unreachable")


def short_size(count: float | None) -> str:
    """For narrow columns: `512B`, `12M`, `1.2G`."""
    if count is None:
        return UNKNOWN
    value = float(count)
    for unit in ("B", "K", "M", "G", "T"):
        if value < 1000 or unit == "T":
            return f"{value:.0f}{unit}" if unit in "BK" or value >= 10 else f"{value:.1f}{unit}"
        value /= 1024
    raise AssertionError("unreachable")


def cores(value: float | None) -> str:
    """CPU in use: millicores under one core, else cores: `3m`, `250m`, `1.50`."""
    if value is None:
        return UNKNOWN
    return f"{value * 1000:.0f}m" if value < 1 else f"{value:.2f}"


def rate(value: float | None) -> str:
    """Per second: `0`, `0.4`, `12`, `1.2k`."""
    if value is None:
        return UNKNOWN
    if value >= 1000:
        return f"{value / 1000:.1f}k"
    return f"{value:.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def milliseconds(value: float | None) -> str:
    if value is None:
        return UNKNOWN
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


def status_sign(status: str) -> str:
    """A sign that tells statuses apart without colour."""
    return STATUS_SIGNS.get(status, "?")


def reason_words(reason: str) -> str:
    """`waiting_for_health` as words."""
    return reason.replace("_", " ").replace("-", " ").strip()


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def when(moment: datetime, now: datetime) -> str:
    """Local time of day, with the date where it was not today."""
    local = moment.astimezone()
    return clock(moment) if local.date() == now.astimezone().date() else local.strftime("%d %b %H:%M")


def clock(moment: datetime) -> str:
    """Local time of day."""
    return moment.astimezone().strftime("%H:%M:%S")
