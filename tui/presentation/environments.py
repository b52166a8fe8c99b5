"""Environments: rows of their table, the overview with resources against their limits, and the gallery. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tui.presentation.figures import LABEL_CELLS, field_line, figure_column
from tui.presentation.words import UNKNOWN, age, cores, reason_words, short_size, size
from widgets.table_columns import Cell, Column

if TYPE_CHECKING:
    from backend.wire.devpocket_environments import TemplateResponse
    from backend.wire.pilothouse_environments import EnvironmentModel, EnvironmentUsageModel
    from tui.presentation.overview import Line

SIGNS = {"creating": "◌", "installing": "◐", "running": "●", "stopped": "○", "terminated": "◌", "error": "✖"}
# The tokens of the theme are named after the words of deployments.
TOKENS = {
    "creating": "status-pending",
    "installing": "status-updating",
    "running": "status-running",
    "stopped": "status-stopped",
    "terminated": "status-stopping",
    "error": "status-failed",
}
BUSY = frozenset({"creating", "installing", "terminated"})
_ORDER = ("error", "creating", "installing", "terminated", "running", "stopped")
BAR_CELLS = 20
NEARLY_FULL = 0.9


@dataclass(frozen=True, slots=True)
class EnvironmentRow:
    """What the columns show of one environment, rounded to what a cell can tell. None while not known."""

    name: str
    status: str
    reason: str
    template: str
    image: str
    cpu: float | None
    memory: float | None
    storage: float | None
    created: float
    stale: bool = False


def environment_row(
    environment: EnvironmentModel, usage: EnvironmentUsageModel | None, *, stale: bool = False
) -> EnvironmentRow:
    """Live figures only of what runs and is connected: an old figure that looks like a new one misleads."""
    live = usage if usage is not None and not stale and environment.status == "running" else None
    storage = usage.storage_bytes if usage is not None else None
    return EnvironmentRow(
        name=environment.name,
        status=environment.status,
        reason=environment.reason,
        template=environment.template_name,
        image=environment.image,
        cpu=round(live.cpu_cores, 2) if live and live.cpu_cores is not None else None,
        memory=_rounded(live.memory_bytes) if live else None,
        storage=_rounded(storage),
        created=environment.created_at.timestamp(),
        stale=stale,
    )


def _rounded(count: int | None) -> float | None:
    """So that the list does not flicker, and tells little from nothing."""
    if count is None:
        return None
    step = 2**20 / 10 if count >= 2**20 else 2**12
    return round(count / step) * step


def _status(row: EnvironmentRow) -> Cell:
    word = row.status
    reason = reason_words(row.reason)
    if reason and reason != row.status and row.status in (*BUSY, "error"):
        word = reason
    return Cell(f"{SIGNS.get(row.status, '?')} {word}", "muted" if row.stale else TOKENS.get(row.status, ""))


def columns() -> list[Column[EnvironmentRow]]:
    """Name and status always; the rest as the width allows."""
    return [
        Column("name", "NAME", lambda row: row.name, cut="middle", min_width=18, max_width=63, flex=3),
        Column(
            "status",
            "STATUS",
            _status,
            sort=lambda row: _ORDER.index(row.status) if row.status in _ORDER else 0,
            min_width=11,
            max_width=24,
        ),
        Column("template", "TEMPLATE", lambda row: row.template, min_width=8, max_width=24, flex=1, priority=2),
        figure_column("cpu", "CPU", lambda row: row.cpu, cores, priority=1),
        figure_column("memory", "MEM", lambda row: row.memory, short_size, priority=1),
        figure_column("storage", "DISK", lambda row: row.storage, short_size, priority=1),
        Column(
            "image",
            "IMAGE",
            lambda row: Cell(row.image, "muted"),
            cut="middle",
            min_width=12,
            max_width=44,
            flex=2,
            priority=3,
        ),
    ]


def counts_title(total: int, shown: int, filter_words: str) -> str:
    return f"Environments ({shown} of {total}: {filter_words})" if filter_words else f"Environments ({total})"


# --- overview -----------------------------------------------------------------------------------------------


def overview(
    environment: EnvironmentModel, usage: EnvironmentUsageModel | None, now: datetime, *, stale: bool = False
) -> list[Line]:
    """State first, then resources against their limits, then what it is."""
    token = TOKENS.get(environment.status, "")
    state: Line = [(f"{SIGNS.get(environment.status, '?')} {environment.status}", token)]
    reason = reason_words(environment.reason)
    if reason and reason != environment.status:
        state.append((f"  {reason}", token))
    if environment.status == "running" and environment.started_at is not None:
        state.append((f"  up {age(environment.started_at, now)}", "muted"))
    if stale:
        state.append(("  as last known", "status-pending"))
    lines: list[Line] = [state]
    if environment.message not in ("", environment.error_message, environment.status):
        lines += [[(part, "")] for part in environment.message.splitlines()]
    if environment.error_message:
        lines += [[("✖ ", "status-failed"), (part, "status-failed")] for part in environment.error_message.splitlines()]
    lines += [[], *_resources(environment, usage, stale), []]
    created, updated = age(environment.created_at, now), age(environment.updated_at, now)
    if environment.description:
        lines.append(field_line("About", environment.description))
    lines += [
        field_line("Template", environment.template_name),
        field_line("Image", environment.image),
        field_line("Port", str(environment.port)),
        field_line("Runs on", environment.cluster_id or "this engine"),
        field_line("Idle stop", _idle(environment.idle_stop_minutes)),
        field_line("Created", f"{created} ago, changed {updated} ago"),
        field_line("Activity", f"{age(environment.last_activity, now)} ago" if environment.last_activity else UNKNOWN),
        field_line("Home", "kept until the environment is deleted"),
    ]
    return lines


def _idle(minutes: int) -> str:
    return f"after {minutes} minutes without activity" if minutes else "never"


def _resources(environment: EnvironmentModel, usage: EnvironmentUsageModel | None, stale: bool) -> list[Line]:
    if usage is None:
        return [
            field_line("CPU", f"up to {environment.cpu_limit}"),
            field_line("Memory", f"up to {environment.memory_limit}"),
            field_line("Storage", f"up to {environment.storage_limit}"),
        ]
    live = not stale and environment.status == "running"
    cpu, memory = (usage.cpu_cores, usage.memory_bytes) if live else (None, None)
    storage = _gauge(
        "Storage", usage.storage_bytes, usage.storage_limit_bytes, size(usage.storage_bytes), environment.storage_limit
    )
    if not usage.storage_enforced:
        storage.append(("  not enforced here", "muted"))
    return [
        _gauge("CPU", cpu, usage.cpu_limit_cores, cores(cpu), environment.cpu_limit),
        _gauge("Memory", memory, usage.memory_limit_bytes, size(memory), environment.memory_limit),
        storage,
    ]


def _gauge(label: str, used: float | None, limit: float, shown: str, limit_words: str) -> Line:
    """A bar that is told apart without colour too, and the figures behind it."""
    share = 0.0 if used is None or limit <= 0 else min(1.0, used / limit)
    filled = round(share * BAR_CELLS)
    token = "status-failed" if share >= NEARLY_FULL else "status-running"
    return [
        (f"{label:<{LABEL_CELLS}}", "muted"),
        ("█" * filled, token),
        ("░" * (BAR_CELLS - filled), "muted"),
        (f"  {shown} of {limit_words}" if used is not None else f"  up to {limit_words}", ""),
    ]


# --- gallery ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TemplateRow:
    """One template of the gallery."""

    display_name: str
    category: str
    image: str
    limits: str
    used: int
    beta: bool


def template_row(template: TemplateResponse) -> TemplateRow:
    limits = template.default_resources
    return TemplateRow(
        display_name=template.display_name,
        category=reason_words(template.category),
        image=template.docker_image,
        limits=f"{limits.cpu} {limits.memory} {limits.storage}",
        used=template.usage_count,
        beta=template.status == "beta",
    )


def template_columns() -> list[Column[TemplateRow]]:
    return [
        Column(
            "name",
            "TEMPLATE",
            lambda row: f"{row.display_name} (beta)" if row.beta else row.display_name,
            min_width=16,
            max_width=32,
            flex=2,
        ),
        Column(
            "image", "IMAGE", lambda row: Cell(row.image, "muted"), cut="middle", min_width=14, max_width=40, flex=2
        ),
        Column("limits", "CPU MEM DISK", lambda row: row.limits, min_width=14, priority=1),
        Column("category", "KIND", lambda row: Cell(row.category, "muted"), min_width=9, max_width=22, priority=2),
        Column(
            "used", "USED", lambda row: str(row.used), sort=lambda row: row.used, align="right", min_width=4, priority=3
        ),
    ]


def template_lines(template: TemplateResponse | None) -> list[Line]:
    """What the selected template brings."""
    if template is None:
        return []
    lines: list[Line] = [[(template.description or template.display_name, "")]]
    if template.tags:
        lines.append([("  ".join(template.tags), "muted")])
    lines += [[("$ ", "muted"), (command, "")] for command in template.startup_commands]
    return lines


def suggested_name(template: str, taken: Sequence[str]) -> str:
    """`python`, `python-2`, ...: the first that is free."""
    if template not in taken:
        return template
    return next(name for number in range(2, len(taken) + 3) if (name := f"{template}-{number}") not in taken)
