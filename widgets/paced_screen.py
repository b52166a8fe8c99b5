"""A screen that paints no faster than the outer terminal takes it."""

from __future__ import annotations

from textual.screen import Screen, ScreenResultType

from widgets.terminal.outer_output import outer_is_behind


class PacedScreen(Screen[ScreenResultType]):
    """Where the line to the outer terminal is slow, what changed is painted once that is done with what came before,
    as it is by then. Textual alone has a flood of logs queue frames, and a key's effect is seen after all of them."""

    def _on_timer_update(self) -> None:
        # Returning early leaves the timer going: it looks again at the next of its ticks.
        if not outer_is_behind(self.app):
            super()._on_timer_update()
