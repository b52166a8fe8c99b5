"""Development environments, by keys: from the gallery to a running one, through its log, to its end."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.backend.running_backend import RunningBackend
from tests.tui.driving import text_of, type_text, until, until_gone, until_shown
from tui.app import PilothouseApp

COMMANDS = ["echo first-step", "echo second-step"]


@pytest.fixture
def template(backend: RunningBackend, app_image: str) -> Iterator[str]:
    """The slug of a template whose installation needs no network."""
    name = f"box-{secrets.token_hex(3)}"
    body = {
        "name": name,
        "display_name": f"The {name}",
        "description": "A box to try things in",
        "docker_image": app_image,
        "category": "operating_system",
        "tags": ["tests"],
        "default_resources": {"cpu": "250m", "memory": "256Mi", "storage": "1Gi"},
        "startup_commands": COMMANDS,
    }
    with _api(backend) as api:
        made = api.post("/templates", json=body)
        assert made.status_code in (200, 201), made.text
        yield name
        for environment in api.get("/environments").json():
            api.delete(f"/environments/{environment['id']}")
        api.delete(f"/templates/{made.json()['id']}")


def _api(backend: RunningBackend) -> httpx.Client:
    return httpx.Client(
        base_url=f"http://127.0.0.1:{backend.port}/devpocket/api/v1",
        headers={"Authorization": f"Bearer {backend.owner_token()}"},
        trust_env=False,
        timeout=60,
    )


async def test_from_the_gallery_to_its_end(app: PilothouseApp, backend: RunningBackend, template: str) -> None:
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until_shown(pilot, "No deployments yet")
        await pilot.press("v")
        await until_shown(pilot, "No environments yet", "Environments (0)")
        await pilot.press("n")
        await until_shown(pilot, "choose a template", "Python 3.11", f"The {template}")
        await _choose(app, pilot, template)
        await until_shown(pilot, f"New environment from The {template}", template)
        form = app.screen.query_one("Form")
        form.set_value("name", "Not A Name")  # type: ignore[attr-defined]
        await pilot.press("ctrl+s")
        await until_shown(pilot, "For example not-a-name")
        form.set_value("name", "workshop")  # type: ignore[attr-defined]
        form.set_value("memory", "100000Gi")  # type: ignore[attr-defined]
        await pilot.press("ctrl+s")
        await until(pilot, lambda: list(form.errors) == ["memory"], "the backend's refusal")  # type: ignore[attr-defined]
        form.set_value("memory", "192Mi")  # type: ignore[attr-defined]
        await pilot.press("ctrl+s")
        await until_gone(pilot, "New environment from")
        await until_shown(pilot, "workshop", "first-step", "second-step", "● running")
        await pilot.press("2")
        await until_shown(pilot, "Memory", "of 192Mi", "of 250m", "of 1Gi", "Home")
        await pilot.press("escape")

        await pilot.press("e")
        await until_shown(pilot, "Edit workshop")
        app.screen.query_one("Form").set_value("description", "for trying")  # type: ignore[attr-defined]
        await pilot.press("ctrl+s")
        await until_shown(pilot, "for trying")

        await pilot.press("u")
        await until_shown(pilot, "workshop is running: only a stopped one can be started")
        await pilot.press("x")
        await until_shown(pilot, "Stop workshop?", "Its home and what was installed stay")
        await pilot.press("y")
        await until_shown(pilot, "○ stopped")
        await pilot.press("s")
        await until_shown(pilot, "workshop is stopped: start it first")
        await pilot.press("u")
        await until_shown(pilot, "● running")

        await pilot.press("ctrl+t")
        await until_shown(pilot, "New terminal", "workshop  a terminal in the environment", "This machine")
        await pilot.press("escape")

        await pilot.press("D")
        await until_shown(pilot, "Delete workshop?", "Its home and every file in it are gone")
        await pilot.press("y", "enter")
        assert "Delete workshop?" in text_of(pilot), "only its name deletes it"
        await pilot.press("backspace")
        await type_text(pilot, "workshop")
        await pilot.press("enter")
        await until_shown(pilot, "No environments yet")
        with _api(backend) as api:
            assert api.get("/environments").json() == []
        await pilot.press("escape")
        await until_shown(pilot, "No deployments yet")


async def test_what_others_do_is_seen_and_the_cursor_stays(
    app: PilothouseApp, backend: RunningBackend, template: str
) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_shown(pilot, "No deployments yet")
        await pilot.press("colon")
        await pilot.pause()
        await type_text(pilot, "envs")
        await pilot.press("enter")
        await until_shown(pilot, "No environments yet")
        with _api(backend) as api:
            for name in ("bench", "anvil"):
                made = api.post("/environments", json={"name": name, "template_id": template})
                assert made.status_code == 201, made.text
                await until_shown(pilot, name)
        environments = app.environments
        assert environments is not None
        await until(pilot, lambda: environments.table.visible_keys[0] != environments.table.selected_key, "the order")
        assert "bench" in str(environments.selected()), "the cursor is on the object, not on the row"
        await pilot.press("slash")
        await type_text(pilot, "anv")
        await pilot.press("enter")
        await until_shown(pilot, "Environments (1 of 2: anv)")
        await pilot.press("question_mark")
        await until_shown(pilot, "Make an environment from a template")
        await pilot.press("escape")
        await pilot.press("ctrl+p")
        await pilot.pause()
        await type_text(pilot, "A full-screen")
        await until_shown(pilot, "A full-screen terminal in the environment")
        await pilot.press("escape")


async def test_an_installation_that_fails_is_told_and_can_be_tried_again(
    app: PilothouseApp, backend: RunningBackend, template: str, tmp_path: Path
) -> None:
    with _api(backend) as api:
        template_id = next(one["id"] for one in api.get("/templates").json() if one["name"] == template)
        changed = api.put(f"/templates/{template_id}", json={"startup_commands": ["echo about-to-fail", "exit 7"]})
        assert changed.status_code == 200, changed.text
        assert api.post("/environments", json={"name": "broken", "template_id": template}).status_code == 201
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until_shown(pilot, "No deployments yet")
        await pilot.press("v")
        await until_shown(pilot, "broken", "✖", "7")
        footer = text_of(pilot).splitlines()[-1]
        assert "Restart" in footer and "Stop" not in footer and "Start " not in footer, "only what can be done now"
        await pilot.press("l")
        await until_shown(pilot, "about-to-fail")
        await pilot.press("escape", "R")
        await until_shown(pilot, "Restarting broken")
        await pilot.press("n")
        await until_shown(pilot, "choose a template", f"The {template}")
        await _choose(app, pilot, template)
        await until_shown(pilot, "New environment from", template)
        await pilot.press("ctrl+s")
        environments = app.environments
        assert environments is not None

        def selected() -> str:
            one = environments.selected()
            return one.name if one is not None else ""

        await until(pilot, lambda: selected() == template, "the cursor on the new one")


async def _choose(app: PilothouseApp, pilot: object, template: str) -> None:
    """Moves the gallery's cursor to a template and takes it."""
    gallery = app.screen
    key = next(one.id for one in gallery._templates.values() if one.name == template)  # type: ignore[attr-defined]
    gallery.query_one("#templates").select(key)  # type: ignore[attr-defined]
    await pilot.press("enter")  # type: ignore[attr-defined]
