"""Feeds made-up programs to our emulator and to Ghostty's until it is stopped: `make fuzz [ARGS="--seconds N"]`.

    python -m tests.widgets.terminal.fuzz [--seconds N] [--seed N] [--realistic]

Tells how many agree and why the others differ. What nothing explains is printed once it was made as small as it gets.
1 where there was any, or where our emulator broke.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Sequence

from hypothesis import HealthCheck, given, seed, settings

from tests.widgets.terminal.comparison import Case, compared
from tests.widgets.terminal.robustness import check_robust
from tests.widgets.terminal.streams import Program, programs

_EXAMPLES = 400


class _Unexplained(AssertionError):
    def __init__(self, case: Case) -> None:
        super().__init__(str(case))


def _round(number: int, hostile: bool, told: Counter[str]) -> str | None:
    """One round of examples from this seed; what it found, made small."""
    shrinking = False

    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        database=None,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @seed(number)
    @given(program=programs(hostile=hostile))
    def check(program: Program) -> None:
        nonlocal shrinking
        try:
            check_robust(program)
            case = compared(program)
            if not shrinking:
                told[("the same" if not case.differs else case.reason) or "unexplained"] += 1
            if case.differs and case.reason is None:
                raise _Unexplained(case)
        except Exception:
            shrinking = True
            raise

    try:
        check()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.widgets.terminal.fuzz")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="how long (default: until stopped)")
    parser.add_argument("--seed", type=int, default=None, help="of the first round (default: any)")
    parser.add_argument("--realistic", action="store_true", help="only what programs print")
    chosen = parser.parse_args(arguments)
    number = random.randrange(1 << 30) if chosen.seed is None else chosen.seed
    told: Counter[str] = Counter()
    found = 0
    end = time.monotonic() + chosen.seconds
    try:
        while time.monotonic() < end:
            shown = _round(number, not chosen.realistic and bool(number % 2), told)
            if shown is not None:
                found += 1
                print(f"\nseed {number}: {shown}\n", flush=True)
            number += 1
            total = told.total()
            print(f"{total:,} programs, {100 * told['the same'] / total:.1f} % the same, {found} found", flush=True)
    except KeyboardInterrupt:
        print()
    for why, count in told.most_common():
        print(f"{count:8,}  {why}")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
