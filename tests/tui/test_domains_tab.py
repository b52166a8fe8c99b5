"""Domains of one's own: added by a form, explained, removed after a question."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.backend.running_backend import RunningBackend
from tests.tui.driving import text_of, type_text, until, until_gone, until_shown
from tui.app import PilothouseApp


@pytest.fixture
def deployed(backend: RunningBackend, static_image: str) -> Iterator[str]:
    """A deployment's id; it is gone afterwards."""
    with backend.tcp(backend.owner_token()) as api:
        made = api.post("/v1/deployments", json={"appName": "shop", "image": static_image, "port": 80})
        assert made.status_code == 201, made.text
        try:
            yield made.json()["id"]
        finally:
            api.delete(f"/v1/deployments/{made.json()['id']}")


async def test_add_look_and_remove(app: PilothouseApp, backend: RunningBackend, deployed: str) -> None:
    async with app.run_test(size=(200, 50), notifications=True) as pilot:
        await until_shown(pilot, "shop")
        await pilot.press("7")
        await until_shown(pilot, "Press a to add a domain", "a adds one", "Remove")
        size = app.main.detail.outer_size
        await pilot.click("#detail", offset=(size.width - 6, size.height - 1))
        await until_shown(pilot, "A domain for shop")
        await pilot.press("escape")
        # In the list `D` deletes the deployment; here it must not, with or without a domain.
        await pilot.press("D")
        await until_shown(pilot, "There is no domain to remove")
        await pilot.press("a")
        await until_shown(pilot, "A domain for shop")
        await type_text(pilot, "https://www.example.com/x")
        await pilot.press("ctrl+s")
        await until_shown(pilot, "Only the host name")
        app.screen.query_one("Form").set_value("domain", "shop.localhost")  # type: ignore[attr-defined]
        await pilot.press("ctrl+s")
        form = app.screen.query_one("Form")
        await until(pilot, lambda: list(form.errors) == ["domain"], "the backend's refusal")  # type: ignore[attr-defined]
        form.set_value("domain", "www.shop-of-ann.example.com")  # type: ignore[attr-defined]
        await pilot.press("ctrl+s")
        await until_shown(pilot, "www.shop-of-ann.example.com", "CNAME", "shop.localhost", "TXT", "_pilothouse.www")
        assert "pilothouse-verification=" in text_of(pilot)
        await pilot.press("c")
        record = "www.shop-of-ann.example.com. CNAME shop.localhost.\n"
        await until(pilot, lambda: app.clipboard.startswith(record), "the record")
        await pilot.press("D")
        await until_shown(pilot, "Remove the domain www.shop-of-ann.example.com?")
        await pilot.press("y")
        await until_shown(pilot, "Press a to add a domain")
        with backend.tcp(backend.owner_token()) as api:
            assert api.get(f"/v1/deployments/{deployed}/domains").json() == {"domains": []}


async def test_what_another_does_is_seen_and_the_history_tells_of_it(
    app: PilothouseApp, backend: RunningBackend, deployed: str
) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_shown(pilot, "shop")
        await pilot.press("colon")
        await pilot.pause()
        await type_text(pilot, "domains shop")
        await pilot.press("enter")
        await until_shown(pilot, "Press a to add a domain")
        with backend.tcp(backend.owner_token()) as api:
            added = api.post(f"/v1/deployments/{deployed}/domains", json={"domain": "api.of-ann.example.com"})
            assert added.status_code == 201, added.text
            await until_shown(pilot, "api.of-ann.example.com")
            api.delete(f"/v1/deployments/{deployed}/domains/{added.json()['id']}")
            await until_gone(pilot, "api.of-ann.example.com")
        await pilot.press("6")
        await until_shown(pilot, "domain api.of-ann.example.com removed", "by you")
        await pilot.press("escape")
        size = app.main.detail.outer_size
        await pilot.click("#detail", offset=(size.width - 4, size.height - 1))
        await until_shown(pilot, "what people asked for")
        await until_gone(pilot, "replica 0 is ready")
