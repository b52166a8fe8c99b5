"""Development environments: the live list, the selected one in detail, and what can be done to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, Vertical

from tui.actions import Action, binding_id, default_keys, display_key
from tui.environment_actions import ENVIRONMENT_ACTIONS, SHARED, environment_screen_actions, fits
from tui.panels.banner import Banner
from tui.panels.environment_detail import EnvironmentDetail
from tui.panels.top_bar import TopBar
from tui.presentation.environments import EnvironmentRow, columns, counts_title, environment_row
from tui.presentation.faults import trouble
from tui.screens.environment_work import EnvironmentWork
from widgets.key_hints import KeyHint, KeyHints
from widgets.resource_table import ResourceTable, Row

if TYPE_CHECKING:
    from backend.wire.pilothouse_environments import EnvironmentsFrame
    from tui.client.connection import Backend
    from tui.client.live import LiveState

LOG_HINTS = (("slash", "Search"), ("n", "Next"), ("space", "Pause"), ("w", "Wrap"), ("c", "Copy"), ("escape", "Back"))


class EnvironmentsScreen(EnvironmentWork):
    """Lays out and takes live changes; what is done to environments is in `environment_work`. It is kept by the app, so
    that the cursor is where it was when one comes back."""

    CSS_PATH = "environments.tcss"
    BINDINGS = [
        *(
            Binding(default_keys(action), action.target, action.label, show=False, id=binding_id(action))
            for action in ENVIRONMENT_ACTIONS
        ),
        *(
            Binding(default_keys(action), f"shared({action.name!r})", action.label, show=False, id=binding_id(action))
            for action in environment_screen_actions()
            if action.name in SHARED
        ),
        Binding("v,escape", "back", "Back", show=False),
        Binding("plus,z", "zoom", "Zoom", show=False),
    ]
    AUTO_FOCUS = "#environments"

    def __init__(self) -> None:
        super().__init__()
        self.table: ResourceTable[EnvironmentRow] = ResourceTable(columns(), sort_column="name", id="environments")
        self.detail = EnvironmentDetail()
        self.banner = Banner()
        self._top_bar: TopBar | None = None
        self._subscription: int | None = None
        self._followed: Backend | None = None
        self._zoomed = False

    def compose(self) -> ComposeResult:
        self._top_bar = TopBar(self.app.options.context)
        yield self._top_bar
        yield self.banner
        with Container(id="environment-body"):
            with Vertical(id="environment-list", classes="panel"):
                yield self.table
            yield self.detail
        yield KeyHints(self._hints(), id="environment-hints")

    # --- live data ----------------------------------------------------------------------------------------

    def on_screen_resume(self) -> None:
        """In front, first or again."""
        self._follow()
        self.connection_changed()
        self._fill()

    def _follow(self) -> None:
        backend = self.backend
        if backend is None or (self._subscription is not None and self._followed is backend):
            return
        self._followed = backend
        self._subscription = backend.live.follow_environments(self._environments_came, self._refused)

    def leave(self) -> None:
        """Back to where one came from: nothing is followed any more."""
        if self._followed is not None and self._subscription is not None:
            self._followed.live.unsubscribe(self._subscription)
        self._subscription = None
        self.detail.put_away()
        self.dismiss()

    def _environments_came(self, frame: EnvironmentsFrame) -> None:
        self.known.take(frame)
        if self.is_mounted:
            self._fill()

    def _refused(self, message: str) -> None:
        self._subscription = None
        self.table.empty_text = f"✖ {message}"

    def connection_changed(self) -> None:
        """The connection, or what is known of the system, changed."""
        state = self._live_state
        if state is None or self._top_bar is None or not self.is_mounted:
            return
        self._top_bar.show(state)
        lost = (state.fault or "The connection to the backend is lost", "You see the last known state. Trying again")
        self.banner.show(lost if state.stale and state.known else trouble(state.system))
        self._fill()

    @property
    def _live_state(self) -> LiveState | None:
        return self.backend.live.state if self.backend else None

    @property
    def _stale(self) -> bool:
        return self._live_state is None or self._live_state.stale

    def _fill(self) -> None:
        known = self.known
        self.table.update_rows(
            [
                Row(key, environment_row(environment, known.usage.get(key), stale=self._stale))
                for key, environment in known.environments.items()
            ]
        )
        if known.known:
            self.table.empty_text = "No environments yet.\n\nPress n to make one from a template."
        # By its name, which is its own: the operation that made it and the live list tell different ids.
        made = next((key for key, one in known.environments.items() if self.awaited and one.name == self.awaited), None)
        if made is not None and self.table.select(made):
            self.awaited = ""
        self.list_changed()
        self._show_selected()

    def list_changed(self) -> None:
        """Tells the filter in the list's frame."""
        title = counts_title(self.table.row_count, len(self.table.visible_keys), self.table.filter_text)
        self.query_one("#environment-list").border_title = f"[@click=screen.env_panel('list')]1 {escape(title)}[/]"

    def _show_selected(self) -> None:
        environment = self.selected()
        usage = self.known.usage.get(environment.id) if environment else None
        self.detail.show_environment(self.backend.live if self.backend else None, environment, usage, stale=self._stale)
        self.show_hints()

    def made(self, name: str) -> None:
        """A new one was asked for: the cursor goes to it once it is known, and its installation comes to the front."""
        self.awaited = name
        self._fill()
        self.detail.open_tab("log", focus=False)
        self.set_focus(self.table)

    @on(ResourceTable.Selected)
    @on(ResourceTable.SelectionLost)
    def _selection_moved(self) -> None:
        self._show_selected()

    @on(ResourceTable.Activated)
    def _activated(self) -> None:
        self.action_env_shell()

    # --- panels -------------------------------------------------------------------------------------------

    def action_env_panel(self, name: str) -> None:
        if name == "list":
            self._zoom(False)
            self.set_focus(self.table)
        else:
            self.detail.open_tab(name, focus=True)
        self.show_hints()

    def action_zoom(self) -> None:
        self._zoom(not self._zoomed)

    def _zoom(self, zoomed: bool) -> None:
        self._zoomed = zoomed
        self.set_class(zoomed and self.table.has_focus, "-zoom-list")
        self.set_class(zoomed and not self.table.has_focus, "-zoom-detail")

    async def action_back(self) -> None:
        """One step back: the filter line, the zoom, the list, the filter, then the deployments."""
        if await self.close_line():
            return
        if self._zoomed:
            self._zoom(False)
        elif not self.table.has_focus:
            self.set_focus(self.table)
        elif self.table.filter_text:
            self.set_filter("")
        else:
            self.leave()

    # --- footer and palette -------------------------------------------------------------------------------

    @property
    def palette_actions(self) -> tuple[Action, ...]:
        return environment_screen_actions()

    def target_of(self, action: Action) -> str:
        """What runs an action of the palette here."""
        return f"shared({action.name!r})" if action.name in SHARED else action.target

    def _hints(self) -> list[KeyHint]:
        if self.detail.log_view.has_focus_within:
            return [KeyHint(display_key(key), label) for key, label in LOG_HINTS]
        preferences = self.app.preferences
        shown = []
        selected = self.selected()
        for action in sorted((one for one in self.palette_actions if one.hint), key=lambda one: one.hint):
            if not fits(action, selected.status if selected is not None else ""):
                continue
            key = action.keys(preferences.keymap, preferences.keys)[0]
            shown.append(KeyHint(display_key(key), action.label, keep=action.name in ("help", "quit")))
        return [*shown, KeyHint("Esc", "Deployments", keep=True)]

    def show_hints(self) -> None:
        """The footer, for where the focus is now."""
        self.query_one("#environment-hints", KeyHints).show(self._hints())

    def on_descendant_focus(self) -> None:
        self.show_hints()

    @on(KeyHints.Pressed)
    async def _hint_pressed(self, event: KeyHints.Pressed) -> None:
        if self.detail.log_view.has_focus_within:
            keys = {display_key(key): key for key, _ in LOG_HINTS}
            active = self.active_bindings.get(keys[event.key])
            if active is not None:
                await self.app.run_action(active.binding.action, default_namespace=active.node)
            return
        if event.key == "Esc":
            await self.action_back()
            return
        preferences = self.app.preferences
        for action in self.palette_actions:
            if display_key(action.keys(preferences.keymap, preferences.keys)[0]) == event.key:
                await self.run_action(self.target_of(action))
                return

    async def action_shared(self, name: str) -> None:
        """An action that the app has everywhere."""
        main = self.app.main
        if name == "help":
            from tui.screens.help import HelpScreen

            self.app.push_screen(
                HelpScreen(self.app.preferences.keymap, self.app.preferences.keys, first="Environment")
            )
        elif name == "keymap":
            main.action_keymap()
            self.show_hints()
        else:
            await self.app.run_action(name, default_namespace=main)
