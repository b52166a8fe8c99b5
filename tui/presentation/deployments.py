"""The rows of the deployments table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.presentation.figures import figure_column
from tui.presentation.words import cores, rate, reason_words, short_size, status_sign
from widgets.table_columns import Cell, Column

if TYPE_CHECKING:
    from backend.wire.pilothouse import DeploymentModel, LiveMetricModel

BUSY = frozenset({"pending", "updating", "scaling", "starting", "stopping"})
# Trouble first, then what is on its way, then what is at rest.
_STATUS_ORDER = ("failed", "pending", "starting", "updating", "scaling", "stopping", "running", "stopped")


def old_serving(deployment: DeploymentModel) -> int:
    """How many ready replicas are of another generation than the one that should run: they serve during an update."""
    return sum(
        replica.phase == "ready" and replica.generation != deployment.generation for replica in deployment.replica_list
    )


def serves(deployment: DeploymentModel) -> bool:
    """Whether any replica answers, new or old."""
    return deployment.ready > 0 or old_serving(deployment) > 0


@dataclass(frozen=True, slots=True)
class DeploymentRow:
    """What the columns show of one deployment. Metrics are rounded to what a cell can tell, so that a row compares
    equal, and is not drawn again, while nothing that is visible changed. None while unknown or not running."""

    name: str
    status: str
    reason: str
    ready: int
    replicas: int
    restarts: int
    image: str
    cpu: float | None
    memory: float | None
    requests: float | None
    created: float
    stale: bool = False
    old: int = 0


def deployment_row(
    deployment: DeploymentModel, sample: LiveMetricModel | None, *, stale: bool = False
) -> DeploymentRow:
    """A row from the last known state. While the connection is down (`stale`) live figures are left out: an old
    figure that looks like a new one misleads."""
    shown = sample if sample is not None and not stale and serves(deployment) else None
    return DeploymentRow(
        name=deployment.app_name,
        status=deployment.status,
        reason=deployment.reason,
        ready=deployment.ready,
        replicas=deployment.replicas,
        restarts=deployment.restart_count,
        image=deployment.image,
        cpu=round(shown.cpu_cores, 3) if shown else None,
        memory=round(shown.memory_bytes / 2**20, 1) * 2**20 if shown else None,
        requests=round(shown.requests_per_second, 1) if shown else None,
        created=deployment.created_at.timestamp(),
        stale=stale,
        old=old_serving(deployment),
    )


def status_cell(row: DeploymentRow) -> Cell:
    """Sign and word; while something is under way the finer reason, which tells more than the status."""
    word = row.status
    reason = reason_words(row.reason)
    if reason and reason != row.status and (row.status in BUSY or row.status == "failed" or "back" in row.reason):
        word = reason
    return Cell(f"{status_sign(row.status)} {word}", "muted" if row.stale else f"status-{row.status}")


def ready_cell(row: DeploymentRow) -> Cell:
    """Ready ones of those wanted; while an update lets old ones serve, what serves, and behind it how many are new."""
    if row.old and row.ready < row.replicas:
        return Cell(f"{min(row.old + row.ready, row.replicas)}/{row.replicas} ↻{row.ready}", "status-updating")
    complete = row.ready >= row.replicas or row.status == "stopped"
    return Cell(f"{row.ready}/{row.replicas}", "" if complete else "status-pending")


def columns() -> list[Column[DeploymentRow]]:
    """Name, status and readiness always; the rest as the width allows."""
    return [
        Column(
            "name",
            "NAME",
            lambda row: row.name,
            sort=lambda row: row.name,
            cut="middle",
            min_width=24,
            max_width=63,
            flex=3,
        ),
        Column(
            "status",
            "STATUS",
            status_cell,
            sort=lambda row: _STATUS_ORDER.index(row.status) if row.status in _STATUS_ORDER else 0,
            min_width=11,
            max_width=22,
        ),
        Column("ready", "READY", ready_cell, sort=lambda row: (row.replicas - row.ready, row.replicas), align="right"),
        figure_column("cpu", "CPU", lambda row: row.cpu, cores, priority=2),
        figure_column("memory", "MEM", lambda row: row.memory, short_size, priority=2),
        figure_column("requests", "REQ/s", lambda row: row.requests, rate, priority=3),
        Column(
            "restarts",
            "RST",
            lambda row: Cell(str(row.restarts), "status-pending" if row.restarts else "muted"),
            sort=lambda row: row.restarts,
            align="right",
            min_width=3,
            priority=4,
            descending_first=True,
        ),
        Column(
            "image",
            "IMAGE",
            lambda row: Cell(row.image, "muted"),
            sort=lambda row: row.image,
            cut="middle",
            min_width=12,
            max_width=44,
            flex=2,
            priority=5,
        ),
    ]


def filter_text(row: DeploymentRow) -> str:
    """What the filter of the list looks in."""
    return f"{row.name} {row.status} {row.reason} {row.image}"


def counts_title(total: int, shown: int, filter_words: str) -> str:
    """The panel's title: how many there are, and how many the filter lets through."""
    return f"Deployments ({shown} of {total}: {filter_words})" if filter_words else f"Deployments ({total})"
