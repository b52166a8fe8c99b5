"""Theme files: the bundled ones, a user's own, and what is said about broken ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.widgets import Static

from themes.loader import DEFAULT_DARK, DEFAULT_LIGHT, ThemeError, load_themes, read_theme
from themes.semantics import BASE_COLORS, SEMANTIC_VARIABLES

GOOD = """
name = "mine"
dark = true
[colors]
""" + "\n".join(f'{name} = "#{index:02d}1020"' for index, name in enumerate(BASE_COLORS))


def write(folder: Path, text: str, name: str = "mine.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_two_themes_of_our_own_dark_and_light() -> None:
    themes = load_themes().themes
    assert themes[DEFAULT_DARK].dark and not themes[DEFAULT_LIGHT].dark


def test_every_meaning_has_a_colour_even_where_the_file_says_nothing(tmp_path: Path) -> None:
    theme = read_theme(write(tmp_path, GOOD))
    assert theme.variables.keys() >= SEMANTIC_VARIABLES.keys()
    assert theme.variables["status-running"] == theme.success


def test_a_variable_may_name_a_colour(tmp_path: Path) -> None:
    theme = read_theme(write(tmp_path, GOOD + '\n[variables]\nstatus-running = "error"\nmark = "#abcdef"'))
    assert (theme.variables["status-running"], theme.variables["mark"]) == (theme.error, "#abcdef")


def test_user_themes_join_and_replace_bundled_ones(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    write(tmp_path, GOOD.replace('"mine"', '"harbor"'), "other.toml")
    themes = load_themes(tmp_path).themes
    assert themes["mine"].primary == "#001020"
    assert themes["harbor"].primary == "#001020"
    assert "daylight" in themes


def test_a_broken_user_theme_is_told_and_the_rest_loads(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    write(tmp_path, "name = ", "broken.toml")
    loaded = load_themes(tmp_path)
    assert "mine" in loaded.themes
    assert len(loaded.problems) == 1 and loaded.problems[0].startswith("broken.toml: not TOML")


def test_no_folder_is_no_problem(tmp_path: Path) -> None:
    assert load_themes(tmp_path / "absent").problems == ()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text.replace('name = "mine"', 'name = "a b"'), "“name” must be"),
        (lambda text: text.replace("dark = true", 'dark = "yes"'), "“dark” must be true or false"),
        (lambda text: text.replace("#001020", "blue-ish"), "primary: 'blue-ish' is no #rrggbb"),
        (lambda text: text.replace('primary = "#001020"', ""), "[colors] lacks primary"),
        (lambda text: text + '\nsurfaces = "#000000"', "did you mean “surface”?"),
        (lambda text: text + '\n[variables]\nstatus-runing = "error"', "did you mean “status-running”?"),
        (lambda text: text + "\n[variables]\nmark = 3", "mark: 3 is neither #rrggbb nor a name"),
        (lambda text: "colors = 1\n" + text.split("[colors]")[0], "a table [colors] is needed"),
        (lambda text: "extra = 1\n" + text, "unknown key “extra”"),
        (lambda text: "\x00", "not TOML"),
    ],
)
def test_faults_name_the_file_and_what_to_change(tmp_path: Path, change: object, told: str) -> None:
    path = write(tmp_path, change(GOOD))  # type: ignore[operator]
    with pytest.raises(ThemeError) as caught:
        read_theme(path)
    assert str(caught.value).startswith("mine.toml: ") and told in str(caught.value)


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ThemeError, match="not UTF-8"):
        read_theme(path)


@pytest.mark.parametrize("name", [DEFAULT_DARK, DEFAULT_LIGHT])
async def test_an_app_can_wear_them(name: str) -> None:
    class Wearing(App[None]):
        CSS = "Static { color: $status-failed; background: $panel; }"

        def get_theme_variable_defaults(self) -> dict[str, str]:
            return {"status-failed": "#000000"}

        def compose(self) -> ComposeResult:
            yield Static("text")

    app = Wearing()
    async with app.run_test() as pilot:
        app.register_theme(load_themes().themes[name])
        app.theme = name
        await pilot.pause()
        assert app.query_one(Static).styles.color.hex.lower() == load_themes().themes[name].variables["status-failed"]
