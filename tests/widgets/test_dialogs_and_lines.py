"""The confirm dialog, the footer of keys and the status line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult

from tests.widgets.screen_text import lines_of, screen_lines
from widgets.confirm import Confirmation, ConfirmDialog
from widgets.key_hints import KeyHint, KeyHints, fit_hints
from widgets.status_line import Component, StatusLine

LOSSES = ["3 running replicas", "the URL http://api.localhost:8080"]


class AskingApp(App[None]):
    def __init__(self, confirmation: Confirmation) -> None:
        super().__init__()
        self.confirmation = confirmation
        self.answers: list[bool | None] = []

    def on_mount(self) -> None:
        self.push_screen(ConfirmDialog(self.confirmation), self.answers.append)


@pytest.mark.parametrize(
    ("keys", "answer"),
    [(["y"], True), (["n"], False), (["escape"], False), (["enter"], False), (["tab", "enter"], True)],
)
async def test_a_dangerous_question_is_answered_by_keys_and_enter_alone_is_no(keys: list[str], answer: bool) -> None:
    app = AskingApp(Confirmation("Stop api?", LOSSES, "Stop"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*keys)
        await pilot.pause()
        assert app.answers == [answer]


async def test_the_dialog_names_what_is_lost() -> None:
    app = AskingApp(Confirmation("Delete [api]?", LOSSES, "Delete"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        shown = "\n".join(screen_lines(app))
        assert all(text in shown for text in ("Delete [api]?", *LOSSES))


async def test_where_the_name_must_be_typed_nothing_else_confirms() -> None:
    app = AskingApp(Confirmation("Delete api?", LOSSES, "Delete", typed_name="api"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("y", "enter")
        await pilot.click("#confirm")
        assert app.answers == []
        await pilot.press("backspace", *"api", "enter")
        await pilot.pause()
        assert app.answers == [True]


async def test_buttons_answer_by_mouse() -> None:
    app = AskingApp(Confirmation("Stop api?", LOSSES, "Stop"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.click("#confirm")
        await pilot.pause()
        assert app.answers == [True]


HINTS = [KeyHint("enter", "open"), KeyHint("l", "logs"), KeyHint("s", "shell"), KeyHint("?", "help", keep=True)]


class BarsApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.pressed: list[str] = []
        self.components: list[str] = []

    def compose(self) -> ComposeResult:
        yield StatusLine("local", [Component("engine", "ok"), Component("ingress", "down", "port 8080 is taken")])
        yield KeyHints(HINTS)

    def on_key_hints_pressed(self, event: KeyHints.Pressed) -> None:
        self.pressed.append(event.key)

    def on_status_line_component_pressed(self, event: StatusLine.ComponentPressed) -> None:
        self.components.append(event.component.name)


async def test_hints_are_clickable() -> None:
    app = BarsApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        hints = app.query_one(KeyHints)
        text = lines_of(hints)[0]
        assert text.strip() == "enter open  l logs  s shell  ? help"
        await pilot.click(hints, offset=(text.index("logs"), 0))
        assert app.pressed == ["l"]


async def test_a_narrow_footer_keeps_help() -> None:
    app = BarsApp()
    async with app.run_test(size=(24, 10)) as pilot:
        await pilot.pause()
        assert lines_of(app.query_one(KeyHints))[0].strip() == "enter open  ? help"


@given(st.lists(st.tuples(st.text("abc", min_size=1, max_size=6), st.text("xyz ", max_size=9)), max_size=12))
def test_hints_never_exceed_the_width(pairs: list[tuple[str, str]]) -> None:
    chosen = fit_hints(list(dict.fromkeys(KeyHint(*pair) for pair in pairs)), 40)
    assert cell_len("  ".join(f"{hint.key} {hint.label}" for hint in chosen)) <= 40


async def test_the_state_of_components_shows_by_shape() -> None:
    app = BarsApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        line = app.query_one(StatusLine)
        text = lines_of(line)[0]
        assert text.startswith(" local") and text.endswith("● engine  ✗ ingress")
        await pilot.click(line, offset=(text.index("ingress"), 0))
        assert app.components == ["ingress"]
        line.components = (Component("engine", "starting", "connecting"),)
        await pilot.pause()
        assert lines_of(line)[0].endswith("◐ engine")
