"""How thorough a run is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """`quick` is a look whether a benchmark works: few turns, short windows, fewer containers."""

    quick: bool = False

    def pick(self, full: int, quick: int) -> int:
        return quick if self.quick else full
