"""Recordings of terminals: asciicast v2, as https://docs.asciinema.org/manual/asciicast/v2/ has it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

MAX_FILE_BYTES: Final = 64 * 1024 * 1024
"""Longer recordings are not read: all of it is held in memory, so that any moment can be gone to."""

MAX_COLUMNS: Final = 1000
MAX_ROWS: Final = 1000
_LONGEST: Final = 366 * 24 * 3600.0

Kind = Literal["o", "r", "m"]


class CastError(Exception):
    """The file is no recording that can be shown; the message says why."""


@dataclass(frozen=True, slots=True)
class CastEvent:
    """`o`: output; `r`: a new size, `80x24`; `m`: a mark, with its label. `time` is in seconds from the beginning."""

    time: float
    kind: Kind
    data: str

    @property
    def size(self) -> tuple[int, int] | None:
        """Columns and rows of a resize that makes sense."""
        columns, _, rows = self.data.partition("x")
        if self.kind != "r" or not (columns.isascii() and columns.isdecimal() and rows.isascii() and rows.isdecimal()):
            return None
        return _size(int(columns[:5]), int(rows[:5]))


@dataclass(frozen=True, slots=True)
class Recording:
    """What a file holds. `left_out` counts lines that made no sense and were passed over."""

    columns: int
    rows: int
    title: str
    events: tuple[CastEvent, ...]
    left_out: int = 0

    @property
    def duration(self) -> float:
        """Seconds from the beginning to the last event."""
        return self.events[-1].time if self.events else 0.0


def header_line(columns: int, rows: int, *, timestamp: int, title: str, term: str) -> str:
    """The first line of a file."""
    header = {"version": 2, "width": columns, "height": rows, "timestamp": timestamp, "env": {"TERM": term}}
    return json.dumps({**header, "title": title} if title else header) + "\n"


def event_line(time: float, kind: Literal["o", "i", "r", "m"], data: str) -> str:
    """One line of a file."""
    return json.dumps([round(time, 6), kind, data], ensure_ascii=False) + "\n"


def read_cast(path: Path) -> Recording:
    """Reads a file, so call it in a thread. Lines that make no sense, such as the last one of a recording that was cut
    off, are passed over and counted. Raises CastError."""
    try:
        if not path.is_file():
            raise CastError(f"{path} is no file." if path.exists() else f"There is no file {path}.")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise CastError(f"{path} is longer than {MAX_FILE_BYTES // 2**20} MiB.")
        text = path.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise CastError(f"{path} cannot be read: {error.strerror or error}.") from error
    first, _, rest = text.partition("\n")
    header = _header(first, path)
    limit: Any = header.get("idle_time_limit")
    events, left_out = _events(rest, float(limit) if _is_number(limit) and limit > 0 else math.inf)
    columns, rows = _size(header["width"], header["height"])
    title = header.get("title")
    return Recording(columns, rows, title if isinstance(title, str) else "", tuple(events), left_out)


def _header(line: str, path: Path) -> dict[str, Any]:
    header = _json(line)
    if not isinstance(header, dict):
        raise CastError(f"{path} is no recording: its first line is no asciicast header.")
    version = header.get("version")
    if version != 2 or isinstance(version, bool):
        raise CastError(f"{path} is no recording of asciicast version 2.")
    for name in ("width", "height"):
        value = header.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise CastError(f"{path} is no recording: its {name} makes no sense.")
    return header


def _events(text: str, idle_limit: float) -> tuple[list[CastEvent], int]:
    events: list[CastEvent] = []
    left_out = 0
    now = before = 0.0
    for line in text.split("\n"):
        if not line.strip():
            continue
        event = _json(line)
        if not (
            isinstance(event, list) and len(event) == 3 and _is_number(event[0])
            and isinstance(event[1], str) and isinstance(event[2], str)
        ):  # fmt: skip
            left_out += 1
            continue
        time, kind, data = event
        if kind in ("o", "r", "m"):
            # Time never runs backwards, and never further than anybody would wait.
            now = min(now + min(max(0.0, time - before), idle_limit), _LONGEST)
            before = max(before, time)
            events.append(CastEvent(now, kind, data))
    return events, left_out


def _json(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _size(columns: int, rows: int) -> tuple[int, int]:
    return min(max(1, columns), MAX_COLUMNS), min(max(1, rows), MAX_ROWS)
