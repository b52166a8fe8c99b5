"""What the user chose for the app: theme, keymap, own keys. One TOML file in the platform's config folder.

theme = "pilothouse-dark"
notifications = true      # false: nothing pops up; N still shows what happened
keymap = "k9s"            # or "lazydocker"
[keys]                    # own keys of single actions, by the names in tui/actions.py
delete = "ctrl+k"
[contexts.prod]           # remote backends; the app asks for a login unless PILOTHOUSE_API_KEY is set
url = "https://platform.example.com"
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tui.actions import DEFAULT_KEYMAP, KEYMAPS

FILE_NAME = "tui.toml"
CONFIG_DIR_VARIABLE = "PILOTHOUSE_CONFIG_DIR"


@dataclass(frozen=True, slots=True)
class Preferences:
    """`theme` empty means the default theme. `warnings` says what in the file could not be used."""

    theme: str = ""
    keymap: str = DEFAULT_KEYMAP
    muted: bool = False
    keys: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def preferences_file() -> Path:
    """Where the file is, whether or not it exists."""
    folder = os.environ.get(CONFIG_DIR_VARIABLE)
    if not folder:
        from platformdirs import user_config_dir

        folder = user_config_dir("pilothouse", appauthor=False)
    return Path(folder) / FILE_NAME


def load_preferences(path: Path) -> Preferences:
    """Reads the file. A file that cannot be read or a value that makes no sense becomes a warning, not an error:
    the app opens all the same."""
    import tomllib

    try:
        raw = tomllib.loads(path.read_text())
    except FileNotFoundError:
        return Preferences()
    except (OSError, ValueError) as error:
        return Preferences(warnings=(f"{path}: {error}",))
    return _checked(raw, path)


def _checked(raw: Mapping[str, Any], path: Path) -> Preferences:
    warnings: list[str] = []
    theme = raw.get("theme", "")
    if not isinstance(theme, str):
        warnings.append(f"{path}: theme must be a text")
        theme = ""
    keymap = raw.get("keymap", DEFAULT_KEYMAP)
    if keymap not in KEYMAPS:
        warnings.append(f"{path}: keymap must be one of {', '.join(KEYMAPS)}")
        keymap = DEFAULT_KEYMAP
    notifications = raw.get("notifications", True)
    if not isinstance(notifications, bool):
        warnings.append(f"{path}: notifications must be true or false")
        notifications = True
    keys = raw.get("keys", {})
    if not isinstance(keys, dict) or not all(isinstance(value, str) for value in keys.values()):
        warnings.append(f"{path}: [keys] must map action names to keys")
        keys = {}
    contexts: dict[str, str] = {}
    raw_contexts = raw.get("contexts", {})
    for name, entry in raw_contexts.items() if isinstance(raw_contexts, dict) else ():
        if isinstance(entry, dict) and isinstance(entry.get("url"), str):
            contexts[name] = entry["url"]
        else:
            warnings.append(f"{path}: [contexts.{name}] needs a url")
    return Preferences(
        theme=theme,
        keymap=keymap,
        muted=not notifications,
        keys=keys,
        contexts=contexts,
        warnings=tuple(warnings),
    )


def save_choice(
    path: Path, *, theme: str | None = None, keymap: str | None = None, muted: bool | None = None
) -> Preferences:
    """Stores what was chosen in the app and leaves the rest of the file's values as they are. Raises OSError,
    and ValueError where the file is not TOML: then it is not overwritten."""
    import tomllib

    import tomli_w

    raw: dict[str, Any] = tomllib.loads(path.read_text()) if path.exists() else {}
    if theme is not None:
        raw["theme"] = theme
    if keymap is not None:
        raw["keymap"] = keymap
    if muted is not None:
        raw["notifications"] = not muted
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(handle, "w") as file:
        file.write(tomli_w.dumps(raw))
    Path(temporary).replace(path)
    return _checked(raw, path)


def with_flags(preferences: Preferences, *, theme: str | None, keymap: str | None) -> Preferences:
    """Command-line flags go over the file."""
    return replace(preferences, theme=theme or preferences.theme, keymap=keymap or preferences.keymap)
