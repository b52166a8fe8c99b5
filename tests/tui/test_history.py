"""What changed, when, by whom and why it failed: told by the history, and by a notification that leads there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.backend.running_backend import RunningBackend
from tests.tui.driving import text_of, until, until_gone, until_shown
from tui.app import PilothouseApp

SECRET = "hunter2"


@pytest.fixture
def deployed(backend: RunningBackend, app_image: str) -> Iterator[str]:
    with backend.tcp(backend.owner_token()) as api:
        made = api.post("/v1/deployments", json={"appName": "story", "image": app_image, "port": 8000})
        assert made.status_code == 201, made.text
        try:
            yield made.json()["id"]
        finally:
            api.delete(f"/v1/deployments/{made.json()['id']}")


async def test_an_update_and_one_that_failed(app: PilothouseApp, backend: RunningBackend, deployed: str) -> None:
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until_shown(pilot, "story", "1/1")
        with backend.tcp(backend.owner_token()) as api:
            change = {"envVars": {"TOKEN": SECRET}, "resources": {"memory": "192Mi"}, "replicas": 2}
            assert api.put(f"/v1/deployments/{deployed}", json=change).status_code == 200
            await until_shown(pilot, "story is running", "The update is through")
            focused = app.focused
            await pilot.press("h")
            await until_shown(pilot, "memory 128Mi → 192Mi", "replicas 1 → 2", "env TOKEN added", "by you")
            assert SECRET not in text_of(pilot)
            await pilot.press("escape")
            await until(pilot, lambda: app.focused is focused, "the list")

            change = {"envVars": {"TOKEN": SECRET, "EXIT_CODE": "7"}}
            assert api.put(f"/v1/deployments/{deployed}", json=change).status_code == 200
        await until_shown(pilot, "story was rolled back")
        assert app.focused is focused
        await pilot.press("N")
        await until_shown(pilot, "Notifications", "story was rolled back", "Go there")
        await pilot.press("enter")
        await until_gone(pilot, "Go there")
        await until(pilot, lambda: app.main.detail.tab == "history", "the history")
        await pilot.press("t", "t")
        await until_shown(pilot, "what went wrong", "rolled back", "exited with code 7")
        await until_gone(pilot, "is ready")
        await pilot.press("n")
        await until(pilot, lambda: app.main.table.selected_key == deployed, "the deployment")

        await pilot.press("escape", "M")
        await until(pilot, lambda: app.preferences.muted, "mute")
        await until_shown(pilot, "Notifications muted")
        await pilot.press("M")
        await until(pilot, lambda: not app.preferences.muted, "notifications")
