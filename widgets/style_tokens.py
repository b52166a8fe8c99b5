"""Meaning to colour: a style token such as `status-running` becomes a Rich style of the current theme.

A token is a theme variable. Themes of ours define all of them; any other Textual theme gets them from its base colours.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from rich.style import Style
from textual.color import Color, ColorParseError
from textual.widget import Widget

FALLBACKS: dict[str, str] = {
    "muted": "foreground-muted",
    "mark": "warning",
    "match-background": "warning-muted",
    "status-pending": "warning",
    "status-running": "success",
    "status-updating": "accent",
    "status-scaling": "accent",
    "status-starting": "accent",
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
    "plot-5": "warning",
    "plot-6": "secondary",
    "plot-limit": "error",
    "plot-axis": "foreground-muted",
}
"""Every token the widgets use, and the variable of any Textual theme that stands in for it."""

BOLD = frozenset({"log-fatal", "mark", "status-failed", "component-down"})
_BACKGROUNDS = frozenset({"match-background"})


def token_style(widget: Widget, token: str) -> Style:
    """The style of `token` in the theme now in use; the null style for "" and for names no theme knows."""
    if not token:
        return Style.null()
    return _resolve(widget.app.theme_variables, token)


def _resolve(variables: Mapping[str, str], token: str) -> Style:
    value = variables.get(token) or variables.get(FALLBACKS.get(token, ""), "")
    if not value:
        return Style.null()
    return _style(value, variables.get("background", "#000000"), token in BOLD, token in _BACKGROUNDS)


@lru_cache(maxsize=512)
def _style(value: str, background: str, bold: bool, as_background: bool) -> Style:
    try:
        color = Color.parse(value)
        if color.a < 1:
            color = Color.parse(background).blend(color, color.a, alpha=1)
    except ColorParseError:
        # "auto 60%" and the like mean something only to Textual's own style resolution.
        return Style(bold=bold or None)
    if as_background:
        return Style(bgcolor=color.rich_color)
    return Style(color=color.rich_color, bold=bold or None)
