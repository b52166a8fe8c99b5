"""What the tables of deployments and environments, and the overviews, show alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tui.presentation.words import UNKNOWN
from widgets.table_columns import Column

T = TypeVar("T")
LABEL_CELLS = 11


def figure_column(
    key: str, label: str, value: Callable[[T], float | None], shown: Callable[[float | None], str], priority: int
) -> Column[T]:
    """A narrow column of figures; the largest come first when one sorts by it."""
    return Column(
        key,
        label,
        lambda row: shown(value(row)),
        sort=value,
        align="right",
        min_width=5,
        priority=priority,
        descending_first=True,
    )


def field_line(label: str, value: str, token: str = "") -> list[tuple[str, str]]:
    """A label and what it has, as a line of (text, style token) spans."""
    return [(f"{label:<{LABEL_CELLS}}", "muted"), (value or UNKNOWN, token)]
