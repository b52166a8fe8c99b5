"""The app: options in, one main screen, and the worker that finds the backend and keeps the live feed running.

This module and the main screen are all that the first paint needs; what speaks to the backend is imported after it,
in a thread, so that the screen is drawn at once.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import SystemCommand
from textual.binding import Binding
from textual.screen import Screen

from themes.loader import DEFAULT_DARK, load_themes
from tui.key_order import KeyOrder
from tui.keymaps import textual_keymap, unknown_overrides
from tui.logins import Logins
from tui.notices import KEPT, Notices
from tui.preferences import Preferences, preferences_file
from tui.restarts import Restarts
from tui.screens.main import MainScreen
from tui.terminal_host import TerminalHost
from tui.terminal_requests import TerminalRequests
from tui.terminals import Terminals
from tui.toasts import Toasts

if TYPE_CHECKING:
    from tui.client.connection import Backend
    from tui.client.live import Change
    from tui.palette import ActionsProvider
    from tui.screens.environments import EnvironmentsScreen

API_KEY_VARIABLE = "PILOTHOUSE_API_KEY"
LOCAL_CONTEXT = "local"
LOGINS_FILE = "logins.json"
BRING_BACK = "bring-back"


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line chose. `context` is `local`, a name of the settings file, or a URL; `serve_arguments`
    go to a backend that the app starts."""

    data_dir: Path | None = None
    context: str = LOCAL_CONTEXT
    preferences: Preferences = field(default_factory=Preferences)
    preferences_path: Path | None = None
    serve_arguments: tuple[str, ...] = ()


def _actions_provider() -> type[ActionsProvider]:
    """Loaded when the palette is first opened."""
    from tui.palette import ActionsProvider

    return ActionsProvider


class PilothouseApp(TerminalHost, TerminalRequests, Toasts):
    """Holds the connection; the screens do the work."""

    TITLE = "Pilothouse"
    CSS_PATH = ["app.tcss", "screens/main.tcss"]  # Textual loads no CSS_PATH of a default screen
    COMMANDS: ClassVar = {_actions_provider}
    BINDINGS = [Binding("ctrl+c", "interrupt", show=False)]
    ENABLE_COMMAND_PALETTE = False  # its key has priority over a shell's ctrl+p; ours, of the main screen, has not
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (160, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (34, "-tall")]

    def __init__(self, options: Options) -> None:
        super().__init__()
        self.use_command_palette = True
        self.options = options
        self.preferences = options.preferences
        self.backend: Backend | None = None
        self.notices = Notices(self, lambda: self.preferences.muted)
        self._compared = ""
        self.logins = Logins(self, self.notices.forget)
        self.main = MainScreen()
        self.environments: EnvironmentsScreen | None = None
        self.terminals = Terminals(self, options.data_dir)
        self._key_order = KeyOrder(self)
        self._retry = asyncio.Event()
        self.restarts = Restarts(options.data_dir, self._ensure_local, self._restart_told)
        self.set_keymap(textual_keymap(self.preferences.keymap, self.preferences.keys))
        self._warnings = [*self.preferences.warnings, *self._use_themes()]

    @property
    def settings_file(self) -> Path:
        return self.options.preferences_path or preferences_file()

    def _use_themes(self) -> list[str]:
        """Registers ours and the user's before the first paint, so that it has the right colours. Returns warnings."""
        folder = self.settings_file.parent / "themes"
        loaded = load_themes(folder)
        for theme in loaded.themes.values():
            self.register_theme(theme)
        self.own_themes = list(loaded.themes)
        wanted = self.preferences.theme or DEFAULT_DARK
        known = wanted in self.available_themes
        self.theme = wanted if known else DEFAULT_DARK
        return [*loaded.problems, *([] if known else [f"There is no theme {wanted!r}; press T for the next one"])]

    def get_default_screen(self) -> Screen[None]:
        return self.main

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded and self._key_order.keeps(event):
            return
        await super().on_event(event)

    def on_mount(self) -> None:
        self.run_worker(self._key_order.run(), name="keys", group="keys")
        warnings = list(self._warnings)
        unknown = unknown_overrides(self.preferences.keys)
        if unknown:
            warnings.append(f"[keys] in the settings names unknown actions: {', '.join(unknown)}")
        for warning in warnings:
            self.notify(warning, title="Settings", severity="warning", timeout=10)
        self.call_after_refresh(self._after_first_paint)

    def _after_first_paint(self) -> None:
        self.run_worker(self._stay_connected(), name="backend", exit_on_error=True)

    # --- the backend --------------------------------------------------------------------------------------

    async def _stay_connected(self) -> None:
        from tui.client.errors import StartFault

        startup = self.main.startup
        startup.began("Loading")
        connection = await asyncio.to_thread(import_module, "tui.client.connection")
        while True:
            self._retry.clear()
            try:
                await self._connect(connection.Backend)
                return
            except StartFault as fault:
                startup.failed(fault.message, fault.tail, fault.log_file)
            await self._retry.wait()
            startup.began("Trying again")

    async def _connect(self, make: type[Backend]) -> None:
        """Runs the live feed of the chosen context until the app ends. Raises StartFault."""
        from tui.client.errors import StartFault
        from tui.client.token_store import TokenStore
        from tui.client.transport import Endpoint

        context = self.options.context
        if context == LOCAL_CONTEXT:
            endpoint = Endpoint(socket=await self._ensure_local())
        else:
            url = self.preferences.contexts.get(context, context)
            if "://" not in url:
                raise StartFault(f"There is no context {context!r}: name one of the settings file, or a URL")
            endpoint = Endpoint(url=url.rstrip("/"))
        self.main.startup.began(f"Connecting to {endpoint.label}")
        self.backend = backend = make(
            endpoint,
            self._live_changed,
            api_key="" if endpoint.is_local else os.environ.get(API_KEY_VARIABLE, ""),
            tokens=TokenStore(self.settings_file.parent / LOGINS_FILE),
        )
        await backend.session.restore()
        if backend.session.needs_login and not await self.logins.log_in(backend):
            self.backend = None
            await backend.close()
            raise StartFault(f"You are not logged in at {endpoint.label}")
        self.main.backend_ready(backend)
        backend.live.follow_all_journals(KEPT, self.notices.journal_came)
        await backend.live.run()

    async def _ensure_local(self) -> Path:
        from backend.wire.rendezvous import Places
        from tui.client.local_backend import ensure_backend

        places = Places.of(self.options.data_dir)
        await ensure_backend(places, self.main.startup.progressed, arguments=self.options.serve_arguments)
        return places.socket

    async def reconnect(self) -> None:
        """Connects at once instead of waiting; starts the local backend again where it has ended."""
        from tui.client.errors import StartFault

        self._retry.set()
        if self.backend is None:
            return
        if self.backend.live.state.stale and self.options.context == LOCAL_CONTEXT:
            self.notify("Looking for the backend, or starting it", timeout=3)
            self.restarts.asked()
            try:
                await self._ensure_local()
            except StartFault as fault:
                self.main.startup.failed(fault.message, fault.tail, fault.log_file)
                return
        self.backend.live.reconnect()
        self.logins.ask_where_needed(self.backend)

    async def _bring_back(self, backend: Backend) -> None:
        from tui.client.errors import StartFault

        try:
            await self.restarts.bring_back(backend.live.state)
        except StartFault as fault:
            self.main.startup.failed(fault.message, fault.tail, fault.log_file)
            return
        backend.live.reconnect()

    def _restart_told(self) -> None:
        self.main.connection_told()

    def _live_changed(self, change: Change) -> None:
        if change.connection and self.options.context == LOCAL_CONTEXT and self.backend is not None:
            self._look_after(self.backend)
        self.main.live_changed(change)
        if change.connection and self.backend is not None and not self.backend.live.state.stale:
            self.terminals.hurry()
        if self.environments is not None and (change.connection or change.system or change.everything):
            self.environments.connection_changed()
        if self.backend is not None and (change.connection or change.system or change.everything):
            self.notices.state_came(self.backend.live.state)
            if change.connection and self.backend.live.state.stale:
                self.logins.ask_where_needed(self.backend)
        if change.everything and self.backend is not None:
            self._compare_versions(self.backend.live.state.server_version)

    def _look_after(self, backend: Backend) -> None:
        """The connection to the backend of this machine came or went."""
        if not backend.live.state.stale:
            self.restarts.came_back()
        elif backend.live.state.known and not any(worker.group == BRING_BACK for worker in self.workers):
            self.run_worker(self._bring_back(backend), group=BRING_BACK)

    def _compare_versions(self, theirs: str) -> None:
        from importlib.metadata import PackageNotFoundError, version

        try:
            ours = version("pilothouse")
        except PackageNotFoundError:
            return  # run from a source tree: whatever is there belongs together
        if theirs != ours and theirs != self._compared:
            self.notify(
                f"The backend is version {theirs}, this app {ours}. Run `pilothouse stop`, then `pilothouse` again;"
                " apps keep running.",
                title="Different versions",
                severity="warning",
                timeout=20,
                markup=False,
            )
        self._compared = theirs

    async def on_unmount(self) -> None:
        if self.backend is not None:
            await self.backend.close()

    # --- screens ---------------------------------------------------------------------------------------------

    def show_environments(self) -> None:
        """Development environments, as one left them."""
        if self.environments is None:
            from tui.screens.environments import EnvironmentsScreen

            self.environments = EnvironmentsScreen()
            self.install_screen(self.environments, "environments")
        if self.screen is not self.environments:
            self.push_screen("environments")

    # --- palette ------------------------------------------------------------------------------------------

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Those of the screen in front, where it has some."""
        actions = getattr(screen, "palette_actions", None)
        if actions is None:
            return
        for action in actions:
            if action.in_palette:
                yield SystemCommand(action.label, action.help, self._doing(screen, screen.target_of(action)))
        for name in sorted(self.available_themes):
            yield SystemCommand(f"Theme: {name}", "Use this theme", lambda name=name: self.choose_theme(name))

    def _doing(self, screen: Screen[object], target: str) -> Callable[[], Awaitable[None]]:
        async def do() -> None:
            await self.run_action(target, default_namespace=screen)

        return do

    def action_interrupt(self) -> None:
        """ctrl+c copies a selection where there is one; it does not end the app."""
        text = self.screen.get_selected_text()
        if text:
            self.copy_to_clipboard(text)
        else:
            self.notify("Press q to leave; deployments keep running", timeout=3)
