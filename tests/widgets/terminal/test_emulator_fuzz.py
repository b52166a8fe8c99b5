"""Made-up programs in our emulator and in Ghostty: the same examples in every run. `make fuzz` goes on with others."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.widgets.terminal.comparison import compared
from tests.widgets.terminal.robustness import check_robust
from tests.widgets.terminal.streams import Program, programs

AGREEMENT = 0.98
# The examples do not depend on the code of these tests, so that nothing but the seed and hypothesis chooses them.
FIXED = settings(
    max_examples=500,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_what_programs_print_looks_the_same() -> None:
    """Text, looks, the cursor and whether it waits to wrap; which lines wrapped once is no more than told apart."""
    told: Counter[str] = Counter()
    unexplained: list[str] = []

    @FIXED
    @seed(1)
    @given(program=programs(hostile=False, resizes=0))
    def compare(program: Program) -> None:
        case = compared(program)
        told["the same" if case.differs <= {"wrapped"} else case.reason or "unexplained"] += 1
        if case.differs and case.reason is None:
            unexplained.append(str(case))

    compare()
    assert not unexplained, "\n\n".join(unexplained)
    assert told["the same"] >= AGREEMENT * told.total(), told


def test_what_differs_is_explained() -> None:
    unexplained: list[str] = []

    @FIXED
    @seed(2)
    @given(program=programs(hostile=True))
    def compare(program: Program) -> None:
        case = compared(program)
        if case.differs and case.reason is None:
            unexplained.append(str(case))

    compare()
    assert not unexplained, "\n\n".join(unexplained)


@FIXED
@seed(3)
@given(program=programs(hostile=True))
def test_nothing_breaks_and_no_cut_matters(program: Program) -> None:
    check_robust(program)


def test_nothing_grows_without_bound() -> None:
    """Whatever comes over and over, an emulator keeps no more of it than it said."""

    @settings(FIXED, max_examples=20)
    @seed(4)
    @given(program=programs(hostile=True, resizes=0))
    def check(program: Program) -> None:
        check_robust(Program(program.size, program.parts * 20, (program.size,) * 19))

    check()
