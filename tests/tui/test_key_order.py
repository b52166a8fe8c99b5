"""Many keys that come at once go where they would go one by one."""

from __future__ import annotations

from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from tests.tui.driving import text_of, until, until_shown
from tui.app import PilothouseApp
from tui.panels.command_line import CommandLine
from tui.screens.deploy_form import DeployForm

SIZE = (100, 40)
NAMES = {"\t": "tab", "\n": "enter", ":": "colon", "/": "slash", "\x13": "ctrl+s", "\x15": "ctrl+u", "\x1b": "escape"}


def burst(pilot: Pilot[None], text: str) -> None:
    """All the keys in the app's queue before it takes the first, as from one read of the terminal."""
    for character in text:
        pilot.app.post_message(events.Key(NAMES.get(character, character), character))


def form_values(pilot: Pilot[None]) -> dict[str, str]:
    form = pilot.app.screen
    assert isinstance(form, DeployForm)
    return {key: row.input.value for key, row in form.query_one("Form").rows.items() if isinstance(row.input, Input)}


async def test_a_form_is_opened_and_filled_by_one_burst(app: PilothouseApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await until_shown(pilot, "No deployments yet.")
        burst(pilot, "nweb\tnginx:latest\t\x157000\t3")
        await until(
            pilot,
            lambda: isinstance(app.screen, DeployForm) and form_values(pilot)["replicas"].endswith("3"),
            "the last field",
        )
        values = form_values(pilot)
        assert (values["name"], values["image"], values["port"]) == ("web", "nginx:latest", "7000")


async def test_what_is_sent_is_what_was_typed_before(app: PilothouseApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await until_shown(pilot, "No deployments yet.")
        burst(pilot, "nweb\tnginx:latest\t\x1570000\x13")
        await until_shown(pilot, "✗")
        assert form_values(pilot)["port"] == "70000"
        assert "65535" in text_of(pilot)


async def test_text_behind_a_colon_never_acts_on_the_list(app: PilothouseApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await until_shown(pilot, "No deployments yet.")
        burst(pilot, "1:frobnicate")
        await until(pilot, lambda: app.main.query(CommandLine) and app.main.query_one(Input).value, "the line")
        await until(pilot, lambda: app.main.query_one(Input).value == "frobnicate", "all of the text")
        assert app.screen is app.main
        burst(pilot, "\x1b2:xD\x1b1/nothing\n:help\n")
        await until_shown(pilot, "Keys")
        assert app.main.table.filter_text == "nothing"


async def test_a_widget_that_never_ends_holds_keys_up_only_shortly(app: PilothouseApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await until_shown(pilot, "No deployments yet.")
        gone = Input()
        await app.main.mount(gone)
        app.main.set_focus(gone)
        await gone.remove()
        burst(pilot, ":abc")
        await until(pilot, lambda: app.main.query(CommandLine) and app.main.query_one(Input).value == "abc", "the line")
