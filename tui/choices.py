"""What the user chooses in the app and finds again the next time: theme, keymap, and whether notifications pop up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from textual.app import App

from tui.actions import KEYMAPS
from tui.keymaps import textual_keymap
from tui.preferences import Preferences, save_choice


class Choices(App[None]):
    """The part of the app that keeps them."""

    preferences: Preferences
    own_themes: list[str]

    @property
    def settings_file(self) -> Path:
        raise NotImplementedError

    def next_keymap(self) -> None:
        """Switches the keymap and keeps the choice."""
        at = KEYMAPS.index(self.preferences.keymap)
        self.preferences = replace(self.preferences, keymap=KEYMAPS[(at + 1) % len(KEYMAPS)])
        self.set_keymap(textual_keymap(self.preferences.keymap, self.preferences.keys))
        self._keep(keymap=self.preferences.keymap)
        self.notify(f"Keys like those of {self.preferences.keymap}. ? shows them all.", title="Keymap")

    def next_theme(self) -> None:
        """Switches to the next theme and keeps the choice."""
        names = [*self.own_themes, *sorted(name for name in self.available_themes if name not in self.own_themes)]
        self.choose_theme(names[(names.index(self.theme) + 1) % len(names)])

    def choose_theme(self, name: str) -> None:
        self.theme = name
        self.preferences = replace(self.preferences, theme=name)
        self._keep(theme=name)
        self.notify(name, title="Theme", timeout=2)

    def toggle_mute(self) -> None:
        """Notifications no longer pop up, or do so again; keeps the choice."""
        self.preferences = replace(self.preferences, muted=not self.preferences.muted)
        self._keep(muted=self.preferences.muted)
        said = "muted; N shows what happened" if self.preferences.muted else "pop up again"
        self.notify(f"Notifications {said}", timeout=3)

    def _keep(self, *, theme: str | None = None, keymap: str | None = None, muted: bool | None = None) -> None:
        path = self.settings_file
        try:
            save_choice(path, theme=theme, keymap=keymap, muted=muted)
        except (OSError, ValueError) as error:
            self.notify(f"The choice holds for now, but {path} cannot be written: {error}", severity="warning")
