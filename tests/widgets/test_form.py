"""Forms say what is wrong next to the field, and submit only what is right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.message import Message
from textual.widgets import Input, TextArea

from tests.widgets.screen_text import screen_lines
from widgets.form import (
    Field,
    FieldError,
    Form,
    IntegerField,
    PairsField,
    SelectField,
    SwitchField,
    TextField,
    format_pairs,
    parse_pairs,
)


def lower(value: str) -> str | None:
    return None if value == value.lower() else "Use lower case letters."


FIELDS: list[Field] = [
    TextField(key="name", label="Name", required=True, help="Becomes the host name.", check=lower),
    IntegerField(key="port", label="Port", value=8080, minimum=1, maximum=65535),
    SelectField(key="cpu", label="CPU", options=[("half a core", "500m"), ("one core", "1")], value="1"),
    SwitchField(key="probe", label="Health check"),
    PairsField(key="env", label="Environment", value={"A": "1"}),
]


class FormApp(App[None]):
    def __init__(self, fields: list[Field] = FIELDS, **options: Any) -> None:
        super().__init__()
        self.fields, self.options = fields, options
        self.told: list[Message] = []

    def compose(self) -> ComposeResult:
        self.form = Form(self.fields, submit_label="Deploy", **self.options)
        yield self.form

    def on_mount(self) -> None:
        self.form.focus_first()

    def on_form_submitted(self, event: Form.Submitted) -> None:
        self.told.append(event)

    def on_form_cancelled(self, event: Form.Cancelled) -> None:
        self.told.append(event)

    @property
    def submitted(self) -> list[dict[str, Any]]:
        return [event.values for event in self.told if isinstance(event, Form.Submitted)]


async def test_enter_submits_parsed_values() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        assert not app.form.changed
        await pilot.press(*"api", "enter")
        assert app.submitted == [{"name": "api", "port": 8080, "cpu": "1", "probe": False, "env": {"A": "1"}}]
        assert app.form.changed


async def test_what_is_wrong_stands_under_the_field_and_the_cursor_goes_there() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"api", "tab")
        app.form.set_value("port", "70000")
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.submitted == []
        assert app.form.errors == {"port": "Port must be from 1 to 65535."}
        shown = screen_lines(app)
        at = next(i for i, text in enumerate(shown) if "Port" in text)
        assert "✗ Port must be from 1 to 65535." in shown[at + 1]
        assert app.form.rows["port"].input.has_focus
        app.form.set_value("port", "80")
        await pilot.pause()
        assert app.form.errors == {}
        await pilot.press("ctrl+s")
        assert app.submitted[0]["port"] == 80


async def test_a_field_is_judged_when_it_is_left() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"API")
        assert app.form.errors == {}
        await pilot.press("tab")
        await pilot.pause()
        assert app.form.errors == {"name": "Use lower case letters."}


async def test_a_needed_field_left_empty_is_told_on_submit_only() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("tab")
        assert app.form.errors == {}
        await pilot.press("ctrl+s")
        assert app.form.errors == {"name": "Name is needed."}


async def test_help_shows_while_nothing_is_wrong() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert any("Becomes the host name." in text for text in screen_lines(app))


async def test_esc_leaves_and_buttons_work_by_mouse() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"api", "escape")
        assert isinstance(app.told[-1], Form.Cancelled)
        await pilot.click("#submit")
        assert len(app.submitted) == 1
        await pilot.click("#cancel")
        assert isinstance(app.told[-1], Form.Cancelled)


async def test_all_fields_are_reached_by_keys_alone() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"api", "tab", "tab")
        await pilot.press("enter", "up", "enter")
        await pilot.press("tab", "space", "tab")
        await pilot.press("enter", *"B=x y")
        await pilot.press("ctrl+s")
        values = app.submitted[0]
        assert (values["cpu"], values["probe"], values["env"]) == ("500m", True, {"A": "1", "B": "x y"})


async def test_rules_over_several_fields_and_faults_found_elsewhere() -> None:
    def check(values: Mapping[str, Any]) -> dict[str, str]:
        return {"env": "PORT is set by the port field."} if "PORT" in values["env"] else {}

    app = FormApp(check=check)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"api")
        app.form.set_value("env", "PORT=1")
        await pilot.pause()
        await pilot.press("ctrl+s")
        assert app.form.errors == {"env": "PORT is set by the port field."}
        app.form.set_value("env", "")
        app.form.busy = True
        await pilot.press("ctrl+s")
        assert app.submitted == []
        app.form.set_error("name", "The name api is taken.")
        await pilot.pause()
        assert app.form.errors["name"] == "The name api is taken."
        assert app.form.query(Input).first().has_focus and not app.form.busy
        app.form.set_form_error("The engine is down.")
        await pilot.pause()
        assert any("The engine is down." in text for text in screen_lines(app))


async def test_a_long_form_scrolls_and_keeps_its_buttons_in_view() -> None:
    app = FormApp([TextField(key=f"f{i}", label=f"Field {i}", help="help") for i in range(30)], fill=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "Deploy (ctrl+s)" in "\n".join(screen_lines(app))
        app.form.rows["f29"].input.focus()
        await pilot.pause()
        await pilot.wait_for_animation()
        shown = "\n".join(screen_lines(app))
        assert "Field 29" in shown and "Deploy (ctrl+s)" in shown


async def test_tab_leaves_the_pairs_editor() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        area = app.query_one(TextArea)
        area.focus()
        await pilot.press("tab")
        assert not area.has_focus and area.text == "A=1"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("A=1\nB", "Line 2: write NAME=value"),
        ("=x", "Line 1: “” is no name"),
        ("1A=x", "Line 1: “1A” is no name"),
        ("A=1\nA=2", "Line 2: A stands there twice"),
    ],
)
def test_pairs_tell_the_line_that_is_wrong(text: str, told: str) -> None:
    with pytest.raises(FieldError, match=told):
        parse_pairs(text)


def test_pairs_keep_what_follows_the_first_equals_sign() -> None:
    pairs = {"URL": "postgres://u:p@h/db?a=b", "EMPTY": "", "SPACED": " x "}
    assert parse_pairs(format_pairs(pairs)) == pairs
    assert parse_pairs("# a comment\n\nA=1") == {"A": "1"}


def test_an_optional_number_may_be_empty() -> None:
    field = IntegerField(key="n", label="N", minimum=1)
    assert field.parse(" ") is None
    with pytest.raises(FieldError, match="at least 1"):
        field.parse("0")
    with pytest.raises(FieldError, match="whole number"):
        field.parse("1.5")


async def test_a_focused_text_of_several_lines_keeps_them_all() -> None:
    app = FormApp()
    async with app.run_test(size=(80, 30)) as pilot:
        area = app.query_one(TextArea)
        area.focus()
        await pilot.pause()
        assert area.has_focus
        assert area.content_size.height == area.size.height == area.outer_size.height > 1
