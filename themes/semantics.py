"""The meanings that widgets and panels colour, and the base colour each has where a theme does not say."""

from __future__ import annotations

SEMANTIC_VARIABLES: dict[str, str] = {
    "muted": "foreground-muted",
    "mark": "accent",
    "match-background": "warning-muted",
    "status-pending": "warning",
    "status-running": "success",
    "status-updating": "primary",
    "status-scaling": "primary",
    "status-starting": "primary",
    "status-stopping": "warning",
    "status-stopped": "foreground-muted",
    "status-failed": "error",
    "health-healthy": "success",
    "health-unhealthy": "error",
    "health-unknown": "foreground-muted",
    "component-ok": "success",
    "component-starting": "warning",
    "component-down": "error",
    "component-unknown": "foreground-muted",
    "log-trace": "foreground-muted",
    "log-debug": "foreground-muted",
    "log-info": "foreground",
    "log-warning": "warning",
    "log-error": "error",
    "log-fatal": "error",
    "log-marker": "accent",
    "log-timestamp": "foreground-muted",
    "log-source": "secondary",
    "plot-1": "primary",
    "plot-2": "success",
    "plot-3": "accent",
    "plot-4": "error",
    "plot-5": "secondary",
    "plot-6": "warning",
    "plot-limit": "error",
    "plot-axis": "foreground-muted",
}
"""Variable name to the base colour or variable that it takes by default."""

BASE_COLORS = (
    "primary",
    "secondary",
    "accent",
    "foreground",
    "background",
    "surface",
    "panel",
    "success",
    "warning",
    "error",
)
"""Colours that a theme file must name under [colors]."""
