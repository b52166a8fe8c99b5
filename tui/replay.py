"""`pilothouse replay FILE`: a recording in the whole terminal, without a backend."""

from __future__ import annotations

import sys
from pathlib import Path

from textual.app import App, ComposeResult
from textual.binding import Binding

from themes.loader import DEFAULT_DARK, load_themes
from tui.preferences import Preferences, preferences_file
from widgets.terminal.asciicast import CastError, Recording, read_cast
from widgets.terminal.replay_pane import ReplayPane


class ReplayApp(App[None]):
    """One recording; q leaves."""

    TITLE = "Pilothouse"
    CSS_PATH = "app.tcss"
    BINDINGS = [Binding("q,escape,ctrl+c", "quit", "Leave", show=False)]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, recording: Recording, title: str, preferences: Preferences) -> None:
        super().__init__()
        self._pane = ReplayPane("replay", recording, title=title, keys="Space pause  ← → 5 s  + - speed  0-9  q leave")
        themes = load_themes(preferences_file().parent / "themes").themes
        for theme in themes.values():
            self.register_theme(theme)
        self.theme = preferences.theme if preferences.theme in self.available_themes else DEFAULT_DARK

    def compose(self) -> ComposeResult:
        yield self._pane

    def on_mount(self) -> None:
        self._pane.show_title(False)
        self._pane.target.focus()


def replay(file: Path, preferences: Preferences) -> int:
    """Plays the file on this terminal. 2 where it cannot be played, which is said."""
    try:
        recording = read_cast(file)
    except CastError as error:
        print(f"pilothouse replay: {error}", file=sys.stderr)
        return 2
    app = ReplayApp(recording, file.name, preferences)
    app.run()
    return app.return_code or 0
