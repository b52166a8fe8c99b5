"""Themes from TOML files: the bundled ones beside this module, and a user's from a folder.

A theme file:

    name = "harbor"              # letters, digits, - and _
    dark = true
    [colors]                     # all of BASE_COLORS; #rrggbb
    primary = "#5aa9e6"
    [variables]                  # optional: meanings (see semantics.py) and Textual's variables
    status-running = "success"   # another name of [colors], or #rrggbb
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

from textual.design import ColorSystem
from textual.theme import Theme

from themes.semantics import BASE_COLORS, SEMANTIC_VARIABLES

DEFAULT_DARK = "harbor"
DEFAULT_LIGHT = "daylight"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}\Z")
_HEX = re.compile(r"#[0-9a-fA-F]{6}\Z")


class ThemeError(ValueError):
    """A theme file is not one; the message names the file and what to change."""


@dataclass(frozen=True, slots=True)
class LoadedThemes:
    """Themes by name, and what was wrong with the files that are none of them."""

    themes: dict[str, Theme]
    problems: tuple[str, ...]


def load_themes(user_folder: Path | None = None) -> LoadedThemes:
    """The bundled themes and those of `user_folder` (it need not exist); a user's replaces a bundled one by name.

    A broken user file is a problem to show, never a reason not to start.
    """
    themes = {theme.name: theme for theme in map(read_theme, sorted(Path(__file__).parent.glob("*.toml")))}
    problems: list[str] = []
    if user_folder is not None and user_folder.is_dir():
        for path in sorted(user_folder.glob("*.toml")):
            try:
                theme = read_theme(path)
            except ThemeError as error:
                problems.append(str(error))
            else:
                themes[theme.name] = theme
    return LoadedThemes(themes, tuple(problems))


def read_theme(path: Path) -> Theme:
    """The theme in one file.

    Raises:
        ThemeError: The file cannot be read or is no theme; all faults are named.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ThemeError(f"{path.name}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ThemeError(f"{path.name}: not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise ThemeError(f"{path.name}: not TOML: {error}") from error
    faults = _faults(document)
    if faults:
        raise ThemeError(f"{path.name}: {'; '.join(faults)}")
    return make_theme(document["name"], document["dark"], document["colors"], document.get("variables", {}))


def make_theme(name: str, dark: bool, colors: Mapping[str, str], variables: Mapping[str, str]) -> Theme:
    """A Textual theme with every semantic variable resolved to #rrggbb. All values must be valid."""
    plain = {key: _resolve(value, colors) for key, value in variables.items()}
    known = {**colors, "foreground-muted": _mix(colors["foreground"], colors["background"], 0.35)}
    known["warning-muted"] = _mix(colors["warning"], colors["background"], 0.7)
    known |= plain
    for key, fallback in SEMANTIC_VARIABLES.items():
        plain.setdefault(key, known[fallback])
    plain.setdefault("foreground-muted", known["foreground-muted"])
    theme = Theme(name=name, primary=colors["primary"], dark=dark, variables=plain)
    for key in BASE_COLORS:
        setattr(theme, key, colors[key])
    return theme


def _faults(document: dict[str, Any]) -> list[str]:
    faults = [f"unknown key “{key}”" for key in document if key not in ("name", "dark", "colors", "variables")]
    name = document.get("name")
    if not isinstance(name, str) or not _NAME.match(name):
        faults.append("“name” must be letters, digits, - and _")
    if not isinstance(document.get("dark"), bool):
        faults.append("“dark” must be true or false")
    colors = document.get("colors")
    if not isinstance(colors, dict):
        return [*faults, "a table [colors] is needed"]
    missing = [key for key in BASE_COLORS if key not in colors]
    if missing:
        faults.append(f"[colors] lacks {', '.join(missing)}")
    for key, value in colors.items():
        if key not in BASE_COLORS:
            faults.append(f"[colors] has no “{key}”{_nearest(key, BASE_COLORS)}")
        elif not isinstance(value, str) or not _HEX.match(value):
            faults.append(f"[colors] {key}: {value!r} is no #rrggbb")
    return faults + _variable_faults(document.get("variables", {}))


def _variable_faults(variables: Any) -> list[str]:
    if not isinstance(variables, dict):
        return ["[variables] must be a table"]
    faults: list[str] = []
    for key, value in variables.items():
        if key not in SEMANTIC_VARIABLES and key not in _textual_variables():
            faults.append(f"[variables] has no “{key}”{_nearest(key, [*SEMANTIC_VARIABLES, *_textual_variables()])}")
        if not isinstance(value, str) or not (_HEX.match(value) or value in BASE_COLORS):
            faults.append(f"[variables] {key}: {value!r} is neither #rrggbb nor a name of [colors]")
    return faults


def _nearest(key: str, known: Any) -> str:
    near = get_close_matches(key, list(known), n=1)
    return f" (did you mean “{near[0]}”?)" if near else ""


@lru_cache(maxsize=1)
def _textual_variables() -> frozenset[str]:
    return frozenset(ColorSystem(primary="#000000").generate())


def _resolve(value: str, colors: Mapping[str, str]) -> str:
    return colors.get(value, value)


def _mix(first: str, second: str, share: float) -> str:
    """`first` with `share` of `second` in it."""
    parts = [
        round(int(first[at : at + 2], 16) * (1 - share) + int(second[at : at + 2], 16) * share) for at in (1, 3, 5)
    ]
    return f"#{parts[0]:02x}{parts[1]:02x}{parts[2]:02x}"
