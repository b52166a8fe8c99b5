"""The cursor of the outer terminal: it has every shape, and blinks at no cost."""

from __future__ import annotations

from textual.app import App


class OuterCursor:
    """Shows and hides it. Textual hides it for good, and leaves it where `App.cursor_position` says."""

    def __init__(self) -> None:
        self._shown: int | None = None

    @staticmethod
    def usable(app: App[object]) -> bool:
        """Whether there is an outer terminal with a screen that is all the app's."""
        return not app.is_headless and not app.is_inline and not app.is_web and app._driver is not None

    def show(self, app: App[object], style: int, place: tuple[int, int]) -> None:
        """Show it in a style of DECSCUSR, at a column and line of the outer screen."""
        if style != self._shown:
            self._shown = style
            self._write(app, f"\x1b[{place[1] + 1};{place[0] + 1}H\x1b[{style} q\x1b[?25h")

    def hide(self, app: App[object]) -> None:
        """Hide it, with the shape that the user has by default."""
        if self._shown is not None:
            self._shown = None
            # An app that ends has given the terminal back: the shell needs its cursor.
            ending = app._exit or app._closing or app._closed
            self._write(app, "\x1b[0 q" if ending else "\x1b[?25l\x1b[0 q")

    def forget(self) -> None:
        """Something else changed it: the next `show` says all anew."""
        self._shown = None

    @staticmethod
    def _write(app: App[object], data: str) -> None:
        if app._driver is not None:
            app._driver.write(data)
            app._driver.flush()
