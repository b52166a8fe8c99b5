"""Processor time and memory of processes, from /proc."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGESIZE")


@dataclass(frozen=True, slots=True)
class Usage:
    """Over a window: percent of one core, and resident 10^6 bytes at its end."""

    cpu_percent: float
    rss_mb: float


def tree(pid: int) -> list[int]:
    """The process and all that descend from it; those that ended meanwhile are not in it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, open_ends = [], [pid]
    while open_ends:
        one = open_ends.pop()
        if _stat(one):
            found.append(one)
            open_ends += children.get(one, [])
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of these processes, and of their children that have ended."""
    total = 0
    for pid in pids:
        fields = _stat(pid)
        total += sum(int(field) for field in fields[11:15])
    return total / _TICKS_PER_SECOND


def rss_mb(pids: Iterable[int]) -> float:
    """Resident memory of these processes. What they share is counted for each."""
    total = 0
    for pid in pids:
        fields = _stat(pid)
        total += int(fields[21]) * _PAGE_BYTES if fields else 0
    return total / 1e6


def tree_of(pid: int) -> Callable[[], list[int]]:
    """A group for `usage_of`: the process and its descendants."""
    return lambda: tree(pid)


def usage_of(groups: dict[str, Callable[[], list[int]]], seconds: float) -> dict[str, Usage]:
    """What each group of processes uses over the same window. A group names its processes anew at the end, since
    a tree may have grown."""
    began = time.monotonic()
    before = {name: cpu_seconds(find()) for name, find in groups.items()}
    time.sleep(seconds)
    elapsed = time.monotonic() - began
    found = {}
    for name, find in groups.items():
        pids = find()
        spent = max(0.0, cpu_seconds(pids) - before[name])
        found[name] = Usage(100 * spent / elapsed, rss_mb(pids))
    return found


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat from the state on, after the command's name; empty where it ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []
