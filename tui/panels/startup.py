"""What the main screen shows until there is something to show: how the start goes, and what to do when it fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text
from textual.widgets import Static

from tui.panels.styled import styled

if TYPE_CHECKING:
    from backend.wire.rendezvous import StartupProgress

_STEPS = {
    "settings": "Reading the settings",
    "storage": "Opening the storage",
    "engine": "Looking for the container engine",
    "ingress": "Starting the ingress",
    "services": "Starting the services",
    "listening": "Opening the doors",
}
Lines = list[list[tuple[str, str]]]
BARS = 2
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class StartupPanel(Static):
    """A list of steps with signs; or the fault with the end of the backend's log."""

    def __init__(self) -> None:
        super().__init__(id="startup")
        self._message = "Starting"
        self._step = ""
        self._fault: tuple[str, str, str] | None = None
        self._frame = 0

    def on_mount(self) -> None:
        self.border_title = "Pilothouse"
        self._paint()
        self._timer = self.set_interval(0.12, self._spin)

    def on_resize(self) -> None:
        self._paint()

    def began(self, message: str) -> None:
        """A step of our own, without a list."""
        self._message, self._fault = message, None
        self._paint()

    def progressed(self, progress: StartupProgress) -> None:
        """A step of the backend."""
        self._step, self._message, self._fault = progress.step, progress.message, None
        self._paint()

    def failed(self, message: str, tail: str, log_file: str) -> None:
        """The end of this attempt. The panel stays until a next one works."""
        self.display = True
        self._fault = (message, tail, log_file)
        self._paint()

    def finished(self) -> None:
        """There is something to show: this goes, and costs nothing any more."""
        self.display = False
        self._timer.pause()

    def _spin(self) -> None:
        if self.display and self._fault is None:
            self._frame += 1
            self._paint()

    def _paint(self) -> None:
        self.set_class(self._fault is not None, "-failed")
        lines = self._fault_lines(*self._fault) if self._fault else self._progress_lines()
        self.update(styled(self, lines))

    def _progress_lines(self) -> Lines:
        sign = (f"{_SPINNER[self._frame % len(_SPINNER)]} ", "status-starting")
        if self._step not in _STEPS:
            return [[sign, (self._message, "")]]
        lines: Lines = []
        at = list(_STEPS).index(self._step)
        for number, label in enumerate(_STEPS.values()):
            if number < at:
                lines.append([("✔ ", "status-running"), (label, "muted")])
            elif number == at:
                lines.append([sign, (self._message or label, "")])
            else:
                lines.append([("· ", "muted"), (label, "muted")])
        return lines

    def _fault_lines(self, message: str, tail: str, log_file: str) -> Lines:
        """What to do comes first; of the log's end there is as much as fits."""
        lines: Lines = [[("✖ ", "status-failed"), (message, "status-failed")], []]
        lines.append(
            [("Press ", "muted"), ("ctrl+r", ""), (" to try again, ", "muted"), ("q", ""), (" to leave.", "muted")]
        )
        lines.append([("`pilothouse doctor` says what is missing.", "muted")])
        if log_file:
            lines.append([("The whole log: ", "muted"), (log_file, "")])
        room = self._rows - sum(self._height(line) for line in lines) - 1
        shown: Lines = []
        for text in reversed(tail.splitlines()):
            line = [(text, "muted")]
            room -= self._height(line)
            if room < 0:
                break
            shown.insert(0, line)
        return [*lines, [], *shown] if shown else lines

    @property
    def _rows(self) -> int:
        """Rows of text that fit between the bars at the top and the bottom."""
        return self.app.size.height - BARS - self.styles.margin.height - self.gutter.height

    def _height(self, line: Sequence[tuple[str, str]]) -> int:
        width = max(1, self.content_size.width)
        return max(1, len(Text("".join(part for part, _ in line)).wrap(self.app.console, width)))
