"""The dialog shows the whole address, what is odd about it, and opens nothing by itself."""

from __future__ import annotations

import pytest
from textual.app import App

from widgets.terminal.link_dialog import LinkChoice, LinkDialog, warning


@pytest.mark.parametrize(
    ("address", "shown", "says"),
    [
        ("https://example.com/a", "click here", ""),
        ("https://example.com/a", "https://example.com", ""),
        ("https://evil.example/a", "https://example.com/a", "evil.example"),
        ("file:///etc/passwd", "x", "“file”"),
        ("javascript:alert(1)", "x", "“javascript”"),
        ("https://exаmple.com/", "x", "xn--exmple-4nf.com"),
        ("https://bank.example@evil.example/", "x", "evil.example"),
        ("https://[oops/", "x", "no proper address"),
    ],
)
def test_warnings(address: str, shown: str, says: str) -> None:
    text = warning(address, shown)
    assert says in text if says else text == ""


@pytest.mark.parametrize(
    ("keys", "choice"),
    [
        (["y"], LinkChoice.OPEN),
        (["c"], LinkChoice.COPY),
        (["escape"], LinkChoice.NOTHING),
        (["enter"], LinkChoice.NOTHING),
        (["right", "right", "enter"], LinkChoice.OPEN),
    ],
)
async def test_keys(keys: list[str], choice: LinkChoice) -> None:
    app: App[None] = App()
    chosen: list[LinkChoice | None] = []
    address = "https://example.com/" + "long/" * 60 + "end"
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(LinkDialog(address), chosen.append)
        await pilot.pause()
        drawn = "".join("".join(strip.text.split()) for strip in app.screen._compositor.render_strips())
        assert "long/end" in drawn.replace("│", "")
        await pilot.press(*keys)
        await pilot.pause()
    assert chosen == [choice]
