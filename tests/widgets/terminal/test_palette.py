"""Colours as the outer terminal has them."""

from __future__ import annotations

import pytest
from rich.console import Console
from rich.style import Style as RichStyle
from textual._ansi_theme import MONOKAI
from textual.filter import ANSIToTruecolor, Monochrome

from tests.widgets.terminal.test_emulator_faults import fed
from widgets.terminal.palette import Palette, styled_underlines

BASE = RichStyle.parse("#e0e0e0 on #101010")


def look(sgr: str):  # type: ignore[no-untyped-def]  # the emulator's style
    return fed(f"\x1b[{sgr}m").pen


def sgr(parameters: str, **how: object) -> str:
    return Palette(BASE, **how).sgr(look(parameters))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("parameters", "how", "drawn"),
    [
        ("38;2;1;2;3", {}, "0;38;2;1;2;3;48;2;16;16;16"),
        ("38;5;208", {}, "0;38;5;208;48;2;16;16;16"),
        ("31", {}, "0;31;48;2;16;16;16"),
        ("91;44", {}, "0;91;44"),
        ("31", {"theme": MONOKAI}, "0;38;2;244;0;95;48;2;16;16;16"),
        ("", {}, "0;38;2;224;224;224;48;2;16;16;16"),
        ("1;3;4;5;7;8;9;53", {"system": None}, "0;1;3;5;7;8;9;53;4"),
        ("21", {"system": None}, "0;21"),
        ("4:3;58:2::1:2:3", {"system": None}, "0;4"),
        ("4:3;58:2::1:2:3", {"underlines": True, "system": None}, "0;4:3;58:2::1:2:3"),
        ("38;2;255;0;0", {"system": "256"}, "0;38;5;196;48;5;233"),
        ("38;5;208", {"system": "256"}, "0;38;5;208;48;5;233"),
        ("38;2;255;0;0;48;2;0;0;0", {"system": "standard"}, "0;31;40"),
        ("2;38;2;200;100;0;48;2;0;0;0", {"theme": MONOKAI}, None),
        ("2;31", {}, "0;2;31;48;2;16;16;16"),
        ("38;2;255;0;0;48;5;21", {"monochrome": True}, "0;38;2;54;54;54;48;2;18;18;18"),
        ("31", {"changed": {1: 0x0A0B0C, 266: 0xFFFFFF, 267: 0x000001}}, "0;38;2;10;11;12;48;2;0;0;1"),
        ("", {"changed": {266: 0xFFFFFF}}, "0;38;2;255;255;255;48;2;16;16;16"),
    ],
)
def test_looks_become_what_the_outer_terminal_has(parameters: str, how: dict[str, object], drawn: str | None) -> None:
    made = sgr(parameters, **how)
    if drawn is None:  # dimmed by the theme: a darker colour, as Textual does it
        assert ";2;" not in made.split("38;")[0] and "38;2;" in made and "38;2;200;100;0" not in made
    else:
        assert made == f"\x1b[{drawn}m"


@pytest.mark.parametrize("system", ["truecolor", "256", "standard"])
@pytest.mark.parametrize("parameters", ["", "31", "92;44", "38;2;9;99;199", "48;2;250;128;7", "1;38;2;0;200;0;7"])
def test_colours_are_those_that_rich_would_choose(system: str, parameters: str) -> None:
    filters = [ANSIToTruecolor(MONOKAI)]
    palette = Palette(BASE, system=system, theme=MONOKAI, filters=filters)
    console = Console(color_system=system, force_terminal=True, legacy_windows=False)  # type: ignore[arg-type]
    style = palette.rich(look(parameters))
    style._ansi = None  # Rich keeps what it made for another system
    expected = style.render("x", color_system=console._color_system)
    assert set(expected.split("x")[0][2:-1].split(";")) == set(palette.sgr(look(parameters))[4:-1].split(";"))


def test_greys_are_textuals() -> None:
    palette = Palette(BASE, theme=MONOKAI, monochrome=True, filters=[ANSIToTruecolor(MONOKAI), Monochrome()])
    for parameters in ("31", "38;2;9;99;199", "48;5;208"):
        style = palette.rich(look(parameters))
        assert style.color is not None and style.color.triplet is not None
        assert f"38;2;{';'.join(map(str, style.color.triplet))}" in palette.sgr(look(parameters))


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7006"}, True),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, True),
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "tmux-256color", "TERM_PROGRAM": "WezTerm"}, False),
        ({"TERM": "xterm-kitty", "TMUX": "/tmp/x"}, False),
        ({"TERM": "linux"}, False),
        ({}, False),
    ],
)
def test_styled_underlines_only_where_they_are_known(environment: dict[str, str], expected: bool) -> None:
    assert styled_underlines(environment) is expected
