"""Kubernetes resource quantities: `100m` or `0.5` of CPU, `128Mi` or `1G` of memory.

Source: the Kubernetes API conventions on quantities; the container-engine documents use the same form.
"""

from __future__ import annotations

import re
from decimal import Decimal

from backend.domain.errors import Invalid
from backend.domain.shown import shown

_PATTERN = re.compile(r"^(?P<number>\d{1,18}(?:\.\d{1,9})?)(?P<suffix>m|k|Ki|M|Mi|G|Gi|T|Ti)?\Z", re.ASCII)
_BYTES = {
    None: 1,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}

MIN_CPU_MILLICORES = 10
MAX_CPU_MILLICORES = 1_024_000
MIN_MEMORY_BYTES = 6 * 2**20  # the least that the Docker engine accepts
MAX_MEMORY_BYTES = 2**44
MIN_STORAGE_BYTES = 2**20


def parse_cpu(text: str, field: str = "resources.cpu") -> int:
    """Millicores of a CPU quantity: `"100m"` is 100, `"1.5"` is 1500. Raises Invalid."""
    match = _PATTERN.match(text)
    if not match or match["suffix"] not in (None, "m"):
        raise Invalid.at(
            field, f"{shown(text)} is not a CPU quantity: use millicores such as '250m' or cores such as '0.5'"
        )
    value = Decimal(match["number"])
    millicores = value if match["suffix"] == "m" else value * 1000
    if millicores != millicores.to_integral_value():
        raise Invalid.at(field, f"{shown(text)} is finer than one millicore: the smallest step is '1m'")
    if not MIN_CPU_MILLICORES <= millicores <= MAX_CPU_MILLICORES:
        raise Invalid.at(
            field,
            f"{shown(text)} is out of range: from {MIN_CPU_MILLICORES}m to {MAX_CPU_MILLICORES // 1000} cores",
        )
    return int(millicores)


def parse_memory(text: str, field: str = "resources.memory") -> int:
    """Bytes of a memory quantity: `"128Mi"` is 134217728. Raises Invalid."""
    return _parse_bytes(text, field, "memory", MIN_MEMORY_BYTES)


def parse_storage(text: str, field: str = "resources.storage") -> int:
    """Bytes of a storage quantity: `"10Gi"` is 10737418240. Raises Invalid."""
    return _parse_bytes(text, field, "storage", MIN_STORAGE_BYTES)


def _parse_bytes(text: str, field: str, noun: str, least: int) -> int:
    match = _PATTERN.match(text)
    if not match or match["suffix"] == "m":
        raise Invalid.at(field, f"{shown(text)} is not a {noun} quantity: use '128Mi', '1Gi' or '512M'")
    size = int(Decimal(match["number"]) * _BYTES[match["suffix"]])
    if not least <= size <= MAX_MEMORY_BYTES:
        raise Invalid.at(field, f"{shown(text)} is out of range: from {least // 2**20}Mi to 16Ti")
    return size
