"""A line or two under the top bar while something is wrong: what, and what to do."""

from __future__ import annotations

from textual.widgets import Static

from tui.panels.styled import styled


class Banner(Static):
    """Not there while all is well."""

    def __init__(self) -> None:
        super().__init__(id="banner")
        self.display = False
        self._shown: tuple[str, str] | None = None

    def show(self, trouble: tuple[str, str] | None) -> None:
        """(what is wrong, what to do), or None."""
        if trouble == self._shown:
            return
        self._shown = trouble
        self.display = trouble is not None
        if trouble is not None:
            wrong, todo = trouble
            lines = [[("✖ ", "component-down"), (wrong, "")], [(f"  {todo}." if todo else "", "")]]
            self.update(styled(self, lines))
