"""The main job by keys: deploy, look, scale, open a shell, stop, start, delete."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.backend.running_backend import RunningBackend
from tests.tui.driving import text_of, type_text, until, until_gone, until_shown
from tui.app import PilothouseApp


def status_of(app: PilothouseApp, name: str) -> Any:
    state = app.main.state
    found = [d for d in state.deployments.values() if d.app_name == name] if state else []
    return found[0] if found else None


async def deploy(pilot: Any, name: str, image: str, port: str = "80") -> None:
    await pilot.press("n")
    await until_shown(pilot, "Deploy an image")
    await type_text(pilot, name)
    await pilot.press("tab")
    await type_text(pilot, image)
    await pilot.press("tab", "ctrl+u")
    await type_text(pilot, port)
    await pilot.press("ctrl+s")


async def test_the_whole_job_by_keys(app: PilothouseApp, backend: RunningBackend, static_image: str) -> None:
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until_shown(pilot, "No deployments yet", "Press n to deploy")
        await deploy(pilot, "job", static_image)
        await until(pilot, lambda: (d := status_of(app, "job")) and d.status == "running", "a running app")
        await until_shown(pilot, "● running", f"http://job.localhost:{backend.ingress_port}")
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{backend.ingress_port}", trust_env=False, timeout=30
        ) as client:
            answer = await client.get("/", headers={"Host": "job.localhost"})
        assert answer.text == "hello from a container\n"

        await pilot.press("l")
        await until_shown(pilot, "following")
        assert "Search" in text_of(pilot).splitlines()[-1]
        await pilot.press("escape", "h")
        await until_shown(pilot, "job created from", "replica 0 is ready")

        await pilot.press("escape", "S")
        await until_shown(pilot, "Scale job")
        await pilot.press("up", "ctrl+s")
        await until(pilot, lambda: status_of(app, "job").ready == 2, "two replicas")
        for count in ("1", "2"):
            await pilot.press("colon")
            await type_text(pilot, f"scale job {count}")
            await pilot.press("enter")
            await until_shown(pilot, f"Scaling job to {count}")
            await until(pilot, lambda count=count: status_of(app, "job").replicas == int(count), "the new number")
        await until(pilot, lambda: status_of(app, "job").ready == 2, "two replicas again")

        await pilot.press("s")
        await until_shown(pilot, "^\\ leaves", "Leave the shell")
        await type_text(pilot, "echo $((40+2))-from-the-replica")
        await pilot.press("enter")
        await until_shown(pilot, "42-from-the-replica")
        await pilot.press("ctrl+backslash")
        await until(pilot, lambda: app.main.table.has_focus, "the list")

        await pilot.press("x")
        await until_shown(pilot, "Stop job?", f"http://job.localhost:{backend.ingress_port} answers no more")
        await pilot.press("n")
        await until_gone(pilot, "Stop job?")
        assert status_of(app, "job").status == "running"
        await pilot.press("x")
        await until_shown(pilot, "Stop job?")
        await pilot.press("enter")
        await until(pilot, lambda: status_of(app, "job").status == "stopped", "a stopped app")
        await pilot.press("u")
        await until(pilot, lambda: status_of(app, "job").status == "running", "a running app")

        await pilot.press("D")
        await until_shown(pilot, "Delete job?", f"http://job.localhost:{backend.ingress_port}", "2 replicas")
        await pilot.press("n")
        assert status_of(app, "job") is not None
        await pilot.press("D")
        await until_shown(pilot, "Delete job?")
        await pilot.press("y")
        await until(pilot, lambda: status_of(app, "job") is None, "the end of the app")
        await until_shown(pilot, "No deployments yet")


async def test_server_faults_stand_at_their_fields_and_nothing_typed_is_lost(app: PilothouseApp) -> None:
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until_shown(pilot, "No deployments yet")
        await deploy(pilot, "bad", "no-such-image-anywhere")
        await until_shown(pilot, "was not found", "bad", "no-such-image-anywhere")
        form = app.screen.query_one("Form")
        assert list(form.errors) == ["image"]
        assert form.rows["image"].input.has_focus
        await pilot.press("escape")
        await until_gone(pilot, "Deploy an image")
        assert status_of(app, "bad") is None


async def test_a_local_fault_is_said_before_anything_is_sent(app: PilothouseApp) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_shown(pilot, "No deployments yet")
        await deploy(pilot, "Not-A-Label", "busybox", port="70000")
        form = app.screen.query_one("Form")
        await until(pilot, lambda: form.errors.keys() >= {"name", "port"}, "both faults")
        assert "not-a-label" in form.errors["name"]
        assert not form.busy


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_every_screen_fits(app: PilothouseApp, size: tuple[int, int]) -> None:
    async with app.run_test(size=size, notifications=True) as pilot:
        await until_shown(pilot, "No deployments yet")
        assert all(len(line) <= size[0] for line in text_of(pilot).splitlines())
        await pilot.press("n")
        await until_shown(pilot, "Cancel (esc)", "Deploy (ctrl+s)")
        await pilot.press("escape", "question_mark")
        await until_shown(pilot, "Keys (like k9s", "Deploy an image")
        await pilot.press("escape", "ctrl+p")
        await until_shown(pilot, "Search for commands")
        await pilot.press("escape")
        for key, word in (
            ("3", "Nothing selected"),
            ("4", "Memory"),
            ("5", "Nothing selected"),
            ("6", "Nothing selected"),
            ("7", "Nothing selected"),
            ("2", "Nothing selected"),
        ):
            await pilot.press(key)
            await until_shown(pilot, word)
            assert "7 Domains" in text_of(pilot)
        for key, word in (("A", "API keys ("), ("N", "Notifications")):
            await pilot.press(key)
            await until_shown(pilot, word, "Esc Close")
            await pilot.press("escape")
            await until_gone(pilot, "Esc Close")


async def test_commands_the_mouse_and_the_other_keymap(app: PilothouseApp) -> None:
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until_shown(pilot, "No deployments yet")
        await pilot.press("colon")
        await pilot.pause()
        await type_text(pilot, "frobnicate")
        await pilot.press("enter")
        await until_shown(pilot, "There is no command 'frobnicate'")
        await pilot.press("colon")
        await pilot.pause()
        await type_text(pilot, "metr")
        await pilot.press("tab", "enter")
        await until(pilot, lambda: app.main.detail.tab == "metrics", "the metrics")
        await pilot.press("K")
        await until(pilot, lambda: app.preferences.keymap == "lazydocker", "the other keys")
        await pilot.press("m")
        await until(pilot, lambda: app.main.detail.tab == "logs", "the logs, by lazydocker's key")
        await pilot.click("#hints", offset=(2, 0))
        await until_shown(pilot, "Search: enter goes to matches")
        await pilot.press("escape", "1")
        await until(pilot, lambda: app.main.table.has_focus, "the list")
        await until(pilot, lambda: "New" in text_of(pilot).splitlines()[-1], "the list's hints")
        await pilot.click("#hints", offset=(2, 0))
        await until_shown(pilot, "Deploy an image")
