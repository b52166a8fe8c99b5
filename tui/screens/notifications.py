"""The last notifications, also those that nobody saw pop up."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.presentation.words import when
from widgets.key_hints import KeyHint, KeyHints
from widgets.resource_table import ResourceTable, Row
from widgets.table_columns import Cell, Column

if TYPE_CHECKING:
    from tui.app import PilothouseApp
    from tui.notices import Notices
    from tui.presentation.notices import Notice

_SIGNS = {
    "information": ("●", "status-running"),
    "warning": ("!", "status-pending"),
    "error": ("✖", "status-failed"),
}


class NotificationsScreen(ModalScreen[str | None]):
    """Dismisses with the id of the deployment to go to, or None."""

    CSS_PATH = "notifications.tcss"
    BINDINGS = [
        Binding("m,M", "mute", "Mute", show=False),
        Binding("escape,q,N", "dismiss", "Close", show=False),
        Binding("ctrl+q", "app.quit", "Quit", show=False),
    ]
    AUTO_FOCUS = "#notices"

    app: PilothouseApp

    def __init__(self, notices: Notices) -> None:
        super().__init__(classes="dialog")
        self._notices = notices
        self._shown: dict[str, Notice] = {}
        self._table: ResourceTable[Notice] = ResourceTable(
            _columns(), sort_column="time", sort_descending=True, empty_text="Nothing has happened yet.", id="notices"
        )
        self._text = Static(id="notice-text", markup=False)

    def compose(self) -> ComposeResult:
        with Vertical(id="notices-box", classes="panel") as box:
            box.border_subtitle = "[@click=screen.dismiss]Esc close[/]"
            yield self._table
            with VerticalScroll(id="notice-scroll", can_focus=False):
                yield self._text
            yield KeyHints(id="notices-hints")

    def on_mount(self) -> None:
        self._notices.on_change = self._fill
        self._fill()
        self._paint_title()

    def on_unmount(self) -> None:
        self._notices.on_change = None

    def _fill(self) -> None:
        self._shown = {f"{notice.at.timestamp()}-{at}": notice for at, notice in enumerate(self._notices.history)}
        self._table.update_rows([Row(key, notice) for key, notice in self._shown.items()])
        self._tell()

    def _paint_title(self) -> None:
        muted = self.app.preferences.muted
        self.query_one("#notices-box").border_title = "Notifications (muted)" if muted else "Notifications"
        self.query_one(KeyHints).show(
            [
                KeyHint("Enter", "Go there"),
                KeyHint("m", "Pop up again" if muted else "Mute"),
                KeyHint("Esc", "Close", keep=True),
            ]
        )

    @on(ResourceTable.Selected)
    @on(ResourceTable.SelectionLost)
    def _tell(self) -> None:
        notice = self._shown.get(self._table.selected_key or "")
        self._text.update(notice.text if notice else "")

    @on(ResourceTable.Activated)
    def _go(self) -> None:
        notice = self._shown.get(self._table.selected_key or "")
        if notice is not None and notice.deployment_id:
            self.dismiss(notice.deployment_id)

    @on(KeyHints.Pressed)
    async def _hint_pressed(self, event: KeyHints.Pressed) -> None:
        if event.key == "Enter":
            self._go()
        else:
            await self.run_action({"m": "mute", "Esc": "dismiss"}[event.key])

    def action_mute(self) -> None:
        self.app.toggle_mute()
        self._paint_title()


def _columns() -> list[Column[Notice]]:
    return [
        Column(
            "time",
            "TIME",
            lambda notice: Cell(when(notice.at, datetime.now(UTC)), "muted"),
            sort=lambda notice: notice.at.timestamp(),
            min_width=8,
            descending_first=True,
        ),
        Column("what", "WHAT", _what, min_width=24, max_width=60, flex=1),
        Column("why", "MORE", lambda notice: Cell(notice.text, "muted"), min_width=20, flex=2, priority=1),
    ]


def _what(notice: Notice) -> Cell:
    sign, token = _SIGNS[notice.severity]
    return Cell(f"{sign} {notice.title}", token if notice.severity != "information" else "")
