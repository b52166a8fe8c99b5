"""What is asked before apps are stopped, how a stopped one is started from where its shell would be, and the help."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.backend.running_backend import RunningBackend
from tests.tui.driving import text_of, until, until_shown
from tui.app import Options, PilothouseApp
from tui.preferences import Preferences


async def test_several_are_stopped_as_one_is_and_the_terminal_names_the_key_that_starts(
    backend: RunningBackend, static_image: str, tmp_path: Path
) -> None:
    preferences = Preferences(keys={"start": "B"})
    app = PilothouseApp(
        Options(data_dir=backend.data_dir, preferences=preferences, preferences_path=tmp_path / "tui.toml")
    )
    with backend.tcp(backend.owner_token()) as api:
        made = [
            api.post("/v1/deployments", json={"appName": name, "image": static_image, "port": 80}).json()["id"]
            for name in ("first", "second")
        ]
        try:
            await _stop_and_start(app, made)
        finally:
            for deployment in made:
                api.delete(f"/v1/deployments/{deployment}")


async def _stop_and_start(app: PilothouseApp, made: list[str]) -> None:
    def statuses() -> list[str]:
        known: dict[str, Any] = app.main.state.deployments if app.main.state else {}
        return [known[each].status for each in made if each in known]

    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until(pilot, lambda: statuses() == ["running"] * 2, "both apps")
        app.main.table.select(made[0])
        await pilot.press("x")
        await until_shown(pilot, "Stop first?", "1 replica of", "with all that they wrote", "answers no more until")
        await pilot.press("n", "space")
        app.main.table.select(made[1])
        await pilot.press("space", "x")
        await until_shown(
            pilot,
            "Stop 2 deployments?",
            "first: 1 replica, http://first.",
            "second: 1 replica, http://second.",
            "Their replicas end, with all that they wrote",
            "They answer no more until they are started",
        )
        await pilot.press("y")
        await until(pilot, lambda: statuses() == ["stopped"] * 2, "the end of both")
        app.main.table.select(made[0])
        await pilot.press("5")
        await until_shown(pilot, "first is stopped: press B to start it")
        await pilot.press("B")
        await until(pilot, lambda: statuses()[0] == "running", "the app again")


async def test_the_help_goes_to_its_end_and_back_as_it_says_of_lists(app: PilothouseApp) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_shown(pilot, "No deployments yet")
        await pilot.press("question_mark")
        await until_shown(pilot, "Deploy an image")
        assert "To that tenth; to the start" not in text_of(pilot)
        await pilot.press("G")
        await until_shown(pilot, "To that tenth; to the start")
        await pilot.press("g")
        await until_shown(pilot, "Deploy an image")
