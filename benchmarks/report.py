"""What a benchmark says: figures, each perhaps beside another one and a target, as lines and as JSON."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

Unit = Literal["s", "ms", "%", "MB", "/s", "MB/s", ""]


@dataclass(frozen=True, slots=True)
class Measured:
    """The median of some turns. `unit` `%` is of one core; `MB` is 10^6 bytes; `""` is a count."""

    label: str
    unit: Unit
    turns: tuple[float, ...]

    @classmethod
    def of(cls, label: str, unit: Unit, turns: Iterable[float]) -> Measured:
        return cls(label, unit, tuple(turns))

    @property
    def value(self) -> float:
        return statistics.median(self.turns)

    @property
    def shown(self) -> str:
        value = self.value
        if not self.unit:
            return f"{value:,.0f}"
        digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 0.1 or self.unit != "s" else 3
        return f"{value:.{digits}f} {self.unit}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line. With `other`, `target` is the largest good ratio of ours to it; without, the largest good value of
    ours, in its unit. With `at_least` it is the smallest instead. `target` None: only told."""

    name: str
    ours: Measured
    other: Measured | None = None
    target: float | None = None
    at_least: bool = False

    @property
    def ratio(self) -> float | None:
        if self.other is None:
            return None
        return self.ours.value / self.other.value if self.other.value else float("inf")

    @property
    def verdict(self) -> Literal["ok", "MISSED", ""]:
        if self.target is None:
            return ""
        judged = self.ours.value if self.ratio is None else self.ratio
        return "ok" if (judged >= self.target if self.at_least else judged <= self.target) else "MISSED"

    def line(self) -> str:
        parts = [f"{self.name:<22}", f"{self.ours.label:<34}{self.ours.shown:>9}"]
        if self.other is not None:
            parts.append(f"{self.other.label:<30}{self.other.shown:>9}   ratio {self.ratio:5.2f}")
        if self.target is not None:
            unit = f" {self.ours.unit}".rstrip() if self.other is None else ""
            sign = ">=" if self.at_least else "<="
            parts.append(f"target {sign} {self.target:g}{unit}   {self.verdict}")
        return "   ".join(parts)


@dataclass(frozen=True, slots=True)
class Note:
    """One line without figures: why something is not compared."""

    name: str
    text: str

    def line(self) -> str:
        return f"{self.name:<22}   {self.text}"


@dataclass(slots=True)
class Report:
    """Prints figures as they come, and keeps them."""

    figures: list[Figure] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)

    def add(self, line: Figure | Note) -> None:
        if isinstance(line, Figure):
            self.figures.append(line)
        else:
            self.notes.append(line)
        print(line.line(), flush=True)

    def failed(self, name: str, reason: str) -> None:
        """A benchmark that could not be carried out."""
        self.failures[name] = reason
        print(f"{name:<22}   could not be measured: {reason}", flush=True)

    def summary(self) -> dict[str, Any]:
        """What `--json` writes."""
        return {
            "figures": [_as_json(figure) for figure in self.figures],
            "notes": [asdict(note) for note in self.notes],
            "failures": self.failures,
        }

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(self.summary(), indent=1) + "\n", encoding="utf-8")


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of them do not exceed."""
    ordered = sorted(values)
    at = max(0, -(-len(ordered) * percent // 100) - 1)
    return ordered[min(int(at), len(ordered) - 1)]


def _as_json(figure: Figure) -> dict[str, Any]:
    found: dict[str, Any] = {"name": figure.name, "ours": _measured_as_json(figure.ours)}
    if figure.other is not None:
        found |= {"other": _measured_as_json(figure.other), "ratio": figure.ratio}
    if figure.target is not None:
        found |= {"target": figure.target, "met": figure.verdict == "ok"}
    return found


def _measured_as_json(measured: Measured) -> dict[str, Any]:
    return asdict(measured) | {"median": measured.value}
