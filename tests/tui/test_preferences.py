"""The settings file: read with care, written without losing what else it holds."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tui.preferences import Preferences, load_preferences, save_choice, with_flags


def test_no_file_is_the_defaults(tmp_path: Path) -> None:
    assert load_preferences(tmp_path / "none.toml") == Preferences()


def test_nonsense_becomes_warnings(tmp_path: Path) -> None:
    path = tmp_path / "tui.toml"
    path.write_text('theme = 3\nkeymap = "emacs"\nkeys = 1\n[contexts.prod]\nport = 1\n')
    found = load_preferences(path)
    assert (found.theme, found.keymap, dict(found.keys)) == ("", "k9s", {})
    assert len(found.warnings) == 4
    path.write_text("not [toml")
    assert load_preferences(path).warnings


def test_a_choice_is_kept_beside_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "tui.toml"
    save_choice(path, keymap="lazydocker")
    path.write_text(path.read_text() + '[keys]\ndelete = "ctrl+k"\n[contexts.prod]\nurl = "https://example.com"\n')
    found = save_choice(path, theme="daylight")
    assert found == Preferences(
        "daylight", "lazydocker", keys={"delete": "ctrl+k"}, contexts={"prod": "https://example.com"}
    )
    assert tomllib.loads(path.read_text())["keymap"] == "lazydocker"
    assert with_flags(found, theme="harbor", keymap=None).theme == "harbor"


def test_a_file_that_is_not_toml_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "tui.toml"
    path.write_text("not [toml")
    with pytest.raises(ValueError):
        save_choice(path, theme="harbor")
    assert path.read_text() == "not [toml"
