"""NO_COLOR is respected: nothing is coloured, and states can still be told apart."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult

from themes.loader import DEFAULT_DARK, load_themes
from widgets.status_line import Component, StatusLine


class PlainApp(App[None]):
    def compose(self) -> ComposeResult:
        yield StatusLine("local", [Component("engine", "ok"), Component("ingress", "down")])

    def on_mount(self) -> None:
        self.register_theme(load_themes().themes[DEFAULT_DARK])
        self.theme = DEFAULT_DARK


async def test_no_colour_is_drawn_where_the_user_wants_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = PlainApp()
    async with app.run_test(size=(60, 5)) as pilot:
        await pilot.pause()
        lines = app.screen._compositor.render_full_update().strips
        segments = [segment for line in lines for strip in line for segment in strip]
        styles = [segment.style for segment in segments if segment.style]
        colors = [color.get_truecolor() for style in styles for color in (style.color, style.bgcolor) if color]
        assert colors and all(max(color) - min(color) <= 2 for color in colors)
        text = "".join(segment.text for segment in segments)
        assert "● engine" in text and "✗ ingress" in text
