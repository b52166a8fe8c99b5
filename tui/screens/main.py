"""The main screen: the live list of deployments, and the selected one in detail."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rich.markup import escape
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, Vertical

from tui.actions import ACTIONS, BY_NAME, PANEL_HINTS, Action, binding_id, default_keys, display_key, hints, key_of
from tui.invocation import own_command
from tui.panels.banner import Banner
from tui.panels.detail import DetailPanel
from tui.panels.startup import StartupPanel
from tui.panels.top_bar import TopBar
from tui.panels.view import DeploymentView, HintChanged, PanelLeft
from tui.presentation.deployments import counts_title, deployment_row
from tui.presentation.faults import trouble
from tui.screens.terminal_actions import TerminalActions
from tui.terminal_actions import OWN_ACTIONS
from widgets.key_hints import KeyHint, KeyHints
from widgets.resource_table import ResourceTable, Row

if TYPE_CHECKING:
    from textual.widget import Widget

    from tui.client.connection import Backend
    from tui.client.live import Change, LiveState


SHELL_CHORDS = ("full_screen_terminal", "split_terminal")
"""Actions that the footer names in a shell, with the key that leaves it before theirs."""


class MainScreen(TerminalActions):
    """Lays out, takes live changes, and moves between panels; what is done to deployments is in `main_actions`."""

    BINDINGS = [
        Binding(default_keys(action), action.target, action.label, show=False, id=binding_id(action))
        for action in ACTIONS
    ]
    AUTO_FOCUS = "#deployments"

    def __init__(self) -> None:
        super().__init__()
        self.startup = StartupPanel()
        self.detail = DetailPanel()
        self.top_bar: TopBar | None = None
        self.banner = Banner()
        self._zoomed = ""

    def compose(self) -> ComposeResult:
        self.top_bar = TopBar(self.app.options.context)
        yield self.top_bar
        yield self.banner
        with Container(id="body"):
            with Vertical(id="list", classes="panel"):
                yield self.table
            yield self.detail
        yield self.startup
        yield KeyHints(self._hints(), id="hints")

    async def on_mount(self) -> None:
        self.query_one("#body").display = False
        self.list_changed()

    # --- live data ----------------------------------------------------------------------------------------

    def backend_ready(self, backend: Backend) -> None:
        """The backend was found; its feed begins now."""
        self.show_hints()

    def live_changed(self, change: Change) -> None:
        """A frame came, or the connection was lost."""
        state = self.state
        if state is None or not self.is_mounted or self.top_bar is None:
            return
        if state.known and self.startup.display:
            self.call_later(self._first_data)
        if not state.known and change.connection and state.fault:
            self.startup.began(f"{state.fault}. Trying again")
        self.top_bar.show(state)
        self.connection_told()
        if change.everything or change.deployments or change.metrics or change.connection:
            self._fill_table(state)
        selected = self.table.selected_key
        if change.everything or change.connection or selected in change.deployments or selected in change.metrics:
            self.show_selected()

    def connection_told(self) -> None:
        """What is wrong, or is being done about it, changed."""
        if self.state is not None and self.is_mounted:
            self.banner.show(_connection_trouble(self.state, self.app.restarts.note) or trouble(self.state.system))

    def terminals_told(self, count: int, *, bell: bool) -> None:
        """How many terminals are open, and whether one of them rang."""
        if self.top_bar is not None:
            self.top_bar.show_terminals(count, bell=bell)

    async def _first_data(self) -> None:
        if not self.startup.display:
            return
        self.startup.finished()
        self.query_one("#body").display = True
        await self.detail.open_tab(self.detail.tab, focus=False)
        if not self.query("CommandLine"):
            self.set_focus(self.table)
        self.show_hints()
        self.show_selected()

    def _fill_table(self, state: LiveState) -> None:
        self.table.update_rows(
            [
                Row(key, deployment_row(deployment, state.metrics.get(key), stale=state.stale))
                for key, deployment in state.deployments.items()
            ]
        )
        if self.awaited in state.deployments:
            self.select_when_known(self.awaited)
        new_key = key_of("new", self.app.preferences.keymap, self.app.preferences.keys)
        demo = own_command("demo", data_dir=self.app.options.data_dir)
        self.table.empty_text = (
            f"No deployments yet.\nPress {new_key} to deploy an image, or run this in a shell:\n  {demo}"
        )
        self.list_changed()

    def list_changed(self) -> None:
        """Tells the filter and the marks in the list's frame."""
        words = self.table.filter_text
        title = counts_title(self.table.row_count, len(self.table.visible_keys), words)
        keys = (self.app.preferences.keymap, self.app.preferences.keys)
        ways = [f"[@click=screen.show_panel('deployments')]1 {escape(title)}[/]"]
        ways += [
            f"[@click=screen.{name}]{escape(key_of(name, *keys))} {BY_NAME[name].label}[/]"
            for name in ("environments", "terminals")
        ]
        self.query_one("#list").border_title = " │ ".join(ways)
        marks = len(self.table.marked_keys)
        self.query_one("#list").border_subtitle = f"{marks} marked" if marks else ""

    def show_selected(self) -> None:
        """Hands the selected deployment to the panel in front."""
        deployment, state = self.selected(), self.state
        view = None
        if deployment is not None and state is not None and self.backend is not None:
            view = DeploymentView(self.backend, deployment, state.metrics.get(deployment.id), state.stale)
        self.detail.show_view(view)

    @on(ResourceTable.Selected)
    def _selection_moved(self) -> None:
        self.show_selected()

    @on(ResourceTable.SelectionLost)
    def _selection_lost(self) -> None:
        self.show_selected()

    @on(ResourceTable.MarksChanged)
    def _marks_changed(self) -> None:
        self.list_changed()

    @on(ResourceTable.Activated)
    async def _activated(self) -> None:
        await self.action_show_panel(self.detail.tab)

    @on(PanelLeft)
    def _panel_left(self) -> None:
        self.set_focus(self.table)

    # --- panels -------------------------------------------------------------------------------------------

    async def action_show_panel(self, name: str) -> None:
        """Brings a panel to the front and the focus to it."""
        if self.startup.display:
            return
        if name == "deployments":
            if self._zoomed == "detail":
                self._zoom("")
            self.set_focus(self.table)
            return
        if self._zoomed == "list":
            self._zoom("")
        await self.detail.open_tab(name, focus=True)

    async def action_next_tab(self) -> None:
        await self._turn(1)

    async def action_previous_tab(self) -> None:
        await self._turn(-1)

    async def _turn(self, step: int) -> None:
        if not self.startup.display:
            await self.detail.open_tab(self.detail.neighbour(step), focus=not self.table.has_focus)

    def action_zoom(self) -> None:
        self._zoom("" if self._zoomed else ("list" if self.table.has_focus else "detail"))

    def action_unzoom(self) -> None:
        self._zoom("")

    def _zoom(self, which: str) -> None:
        self._zoomed = which
        self.set_class(which == "list", "-zoom-list")
        self.set_class(which == "detail", "-zoom-detail")

    async def action_back(self) -> None:
        """One step back: the line at the bottom, the zoom, the marks, the filter, then the list."""
        if await self.close_line():
            return
        if self._zoomed:
            self._zoom("")
        elif not self.table.has_focus:
            self.set_focus(self.table)
        elif self.table.marked_keys:
            self.table.clear_marks()
        elif self.table.filter_text:
            self.set_filter("")

    async def action_add_domain(self) -> None:
        """The domains come to the front, and their form."""
        if self.selected() is None:
            self.say_nothing_selected()
            return
        await self.action_show_panel("domains")
        await self.action_front("add")

    async def action_front(self, name: str) -> None:
        """An action of the panel in front, for its links."""
        front = self.detail.front
        if front is not None:
            await cast("Widget", front).run_action(name)

    def action_sort(self) -> None:
        self.table.action_sort_next(1)

    def action_reverse_sort(self) -> None:
        self.table.action_sort_reverse()

    def action_mark(self) -> None:
        self.table.action_toggle_mark()

    # --- app ----------------------------------------------------------------------------------------------

    def action_environments(self) -> None:
        self.app.show_environments()

    def action_account(self) -> None:
        from tui.screens.account import AccountScreen

        if self.backend is not None:
            self.app.push_screen(AccountScreen(self.backend))

    def action_notifications(self) -> None:
        from tui.screens.notifications import NotificationsScreen

        self.app.push_screen(NotificationsScreen(self.app.notices), self._go_to)

    async def _go_to(self, deployment_id: str | None) -> None:
        """The history of a deployment that a notification was about."""
        if deployment_id is None:
            return
        self.select_when_known(deployment_id)
        selected = self.selected()
        if selected is None or selected.id != deployment_id:
            self.notify("It is not there any more", timeout=3)
            return
        await self.action_show_panel("history")

    def action_mute(self) -> None:
        self.app.toggle_mute()

    def action_log_out(self) -> None:
        self.app.logins.log_out(self.backend)

    def action_palette(self) -> None:
        self.app.action_command_palette()

    def action_theme(self) -> None:
        self.app.next_theme()

    def action_keymap(self) -> None:
        self.app.next_keymap()
        self.show_hints()

    def action_reconnect(self) -> None:
        self.run_worker(self.app.reconnect(), group="reconnect", exclusive=True)

    async def action_quit(self) -> None:
        await self.app.ask_to_quit()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Actions on deployments wait until there is a backend."""
        known = BY_NAME.get(action)
        needs_backend = known is not None and known.needs != "nothing"
        return not needs_backend or (self.state is not None and self.state.known)

    @property
    def palette_actions(self) -> tuple[Action, ...]:
        """Those of a shell too, where one is in front."""
        panel = self.shell_panel()
        shell = panel is not None and panel.shell is not None and self.detail.tab == "terminal"
        return (*ACTIONS, *OWN_ACTIONS) if shell else ACTIONS

    def target_of(self, action: Action) -> str:
        """What runs an action of the palette here."""
        return action.target

    def _hints(self) -> list[KeyHint]:
        """Keys that work where the focus is: a panel's own, or those of the app."""
        own = PANEL_HINTS.get(self.detail.hints_name, ())
        stay = ("help", "quit") if not own or self.detail.tab != "terminal" else ()
        if self.startup.display:
            return [KeyHint(key, action.label, keep=True) for key, action in self._ranked() if action.group == "App"]
        shown = [KeyHint(display_key(key), label) for key, label in own]
        if self.detail.hints_name == "terminal":
            shown[1:1] = [KeyHint(self._chord(name), BY_NAME[name].label) for name in SHELL_CHORDS]
        for key, action in self._ranked():
            if action.name in stay or not own:
                shown.append(KeyHint(key, action.label, keep=action.name in stay))
        return shown

    def _chord(self, name: str) -> str:
        """Out of the shell, then the action's key."""
        return f"^\\ {key_of(name, self.app.preferences.keymap, self.app.preferences.keys)}"

    def _ranked(self) -> list[tuple[str, Action]]:
        return hints(self.app.preferences.keymap, self.app.preferences.keys)

    @on(HintChanged)
    def show_hints(self) -> None:
        """The footer, for where the focus is now."""
        self.query_one(KeyHints).show(self._hints())

    def on_descendant_focus(self) -> None:
        self.show_hints()

    @on(KeyHints.Pressed)
    async def _hint_pressed(self, event: KeyHints.Pressed) -> None:
        for name in SHELL_CHORDS:
            if event.key == self._chord(name):
                await self.run_action(name)
                return
        own = {display_key(key): key for key, _ in PANEL_HINTS.get(self.detail.hints_name, ())}
        if event.key in own:
            active = self.active_bindings.get(own[event.key])
            if active is not None:
                await self.app.run_action(active.binding.action, default_namespace=active.node)
            return
        for key, action in self._ranked():
            if key == event.key:
                await self.run_action(action.target)


def _connection_trouble(state: LiveState, note: str) -> tuple[str, str] | None:
    if not state.stale or not state.known:
        return None
    fault = state.fault or "The connection to the backend is lost"
    return fault, f"You see the last known state. {note or 'Trying again; ctrl+r does it now'}"
