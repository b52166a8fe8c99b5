"""What a running app shows, as lines of text."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.geometry import Region
from textual.widget import Widget


def lines_of(widget: Widget) -> list[str]:
    """The lines a widget draws now, without trailing blanks."""
    region = Region(0, 0, widget.outer_size.width, widget.outer_size.height)
    return ["".join(segment.text for segment in strip).rstrip() for strip in widget.render_lines(region)]


def screen_lines(app: App[Any]) -> list[str]:
    """The lines of the whole screen, without trailing blanks."""
    update = app.screen._compositor.render_full_update()
    return ["".join(segment.text for segment in strip).rstrip() for strip in update.strips]
