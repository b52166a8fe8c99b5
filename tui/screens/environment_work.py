"""What the environments screen does: each action asks where it must, calls the API, and says what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from tui.client.environments import EnvironmentState
from tui.key_order import OPENS_SCREEN
from tui.presentation.environments import BUSY, EnvironmentRow
from tui.presentation.faults import sentence
from widgets.confirm import Confirmation, ConfirmDialog
from widgets.paced_screen import PacedScreen
from widgets.resource_table import ResourceTable

if TYPE_CHECKING:
    from backend.wire.devpocket_environments import EnvironmentResponse, TemplateResponse
    from backend.wire.pilothouse_environments import EnvironmentModel
    from tui.app import PilothouseApp
    from tui.client.connection import Backend

FILTER = "/"


class EnvironmentWork(PacedScreen[None]):
    """The half of the screen that acts."""

    app: PilothouseApp
    table: ResourceTable[EnvironmentRow]

    def __init__(self) -> None:
        super().__init__()
        self.known = EnvironmentState()
        self.awaited = ""

    @property
    def backend(self) -> Backend | None:
        return self.app.backend

    def selected(self) -> EnvironmentModel | None:
        """The environment under the cursor."""
        return self.known.environments.get(self.table.selected_key or "")

    def list_changed(self) -> None:
        raise NotImplementedError

    def made(self, name: str) -> None:
        raise NotImplementedError

    # --- make and change ----------------------------------------------------------------------------------

    def action_env_new(self) -> None:
        from tui.screens.environment_forms import TemplateGallery

        if self.backend is not None:
            self.app.push_screen(TemplateGallery(self.backend), self._template_chosen)

    def _template_chosen(self, template: TemplateResponse | None) -> None:
        if template is None or self.backend is None:
            return
        from tui.screens.environment_forms import create_dialog

        taken = [environment.name for environment in self.known.environments.values()]
        self.app.push_screen(create_dialog(self.backend, template, taken), self._created)

    def _created(self, made: EnvironmentResponse | None) -> None:
        if made is not None:
            self.notify(f"Making {made.name}: its log shows how far it is", timeout=4, markup=False)
            self.made(made.name)

    def action_env_edit(self) -> None:
        environment, backend = self.selected(), self.backend
        if environment is None or backend is None:
            self._say_nothing_selected()
            return
        self.run_worker(self._edit(backend, environment), group=OPENS_SCREEN, exclusive=True)

    async def _edit(self, backend: Backend, environment: EnvironmentModel) -> None:
        from tui.client.errors import ClientError
        from tui.screens.environment_forms import edit_dialog

        try:
            detail = await backend.environments.get(environment.id)
        except ClientError as error:
            self._say_fault(f"{environment.name} cannot be edited", error)
            return
        self.app.push_screen(edit_dialog(backend, detail))

    # --- start, stop, restart, delete ---------------------------------------------------------------------

    def action_env_start(self) -> None:
        environment = self._in_status("stopped", why="only a stopped one can be started")
        if environment is not None and self.backend is not None:
            self._call(environment, "Starting", self.backend.environments.start)

    def action_env_stop(self) -> None:
        environment, backend = self._in_status("running", why="only a running one can be stopped"), self.backend
        if environment is None or backend is None:
            return
        question = Confirmation(
            f"Stop {environment.name}?",
            ("What runs in it ends, and its terminals with it", "Its home and what was installed stay"),
            confirm_label="Stop",
            dangerous=False,
        )
        call = partial(self._call, environment, "Stopping", backend.environments.stop)
        self.app.push_screen(ConfirmDialog(question), lambda yes: call() if yes else None)

    def action_env_restart(self) -> None:
        environment = self._in_status("running", "stopped", "error", why="it is under way already")
        if environment is None or self.backend is None:
            return
        call = partial(self._call, environment, "Restarting", self.backend.environments.restart)
        if environment.status != "running":
            call()
            return
        question = Confirmation(
            f"Restart {environment.name}?",
            ("What runs in it ends, and its terminals with it",),
            confirm_label="Restart",
            dangerous=False,
        )
        self.app.push_screen(ConfirmDialog(question), lambda yes: call() if yes else None)

    def action_env_delete(self) -> None:
        environment, backend = self.selected(), self.backend
        if environment is None or backend is None:
            self._say_nothing_selected()
            return
        question = Confirmation(
            f"Delete {environment.name}?",
            (
                "Its home and every file in it are gone",
                "What runs in it ends, and its terminals with it",
                "This cannot be undone",
            ),
            confirm_label="Delete",
            typed_name=environment.name,
        )
        call = partial(self._call, environment, "Deleting", backend.environments.delete)
        self.app.push_screen(ConfirmDialog(question), lambda yes: call() if yes else None)

    def _in_status(self, *statuses: str, why: str) -> EnvironmentModel | None:
        """The selected one, where it is in one of these; else says why not."""
        environment = self.selected()
        if environment is None:
            self._say_nothing_selected()
        elif environment.status not in statuses:
            self.notify(f"{environment.name} is {environment.status}: {why}", timeout=4, markup=False)
        else:
            return environment
        return None

    def _call(self, environment: EnvironmentModel, doing: str, call: Callable[[str], Awaitable[Any]]) -> None:
        self.run_worker(self._called(environment, doing, call))

    async def _called(self, environment: EnvironmentModel, doing: str, call: Callable[[str], Awaitable[Any]]) -> None:
        from tui.client.errors import ClientError

        try:
            await call(environment.id)
        except ClientError as error:
            self._say_fault(f"{doing} {environment.name} failed", error)
        else:
            self.notify(f"{doing} {environment.name}", timeout=3, markup=False)

    def _say_fault(self, title: str, error: Exception) -> None:
        text = sentence(getattr(error, "message", str(error)), getattr(error, "status", None))
        self.notify(text, title=title, severity="error", timeout=10, markup=False)

    def _say_nothing_selected(self) -> None:
        self.notify("Select an environment first", severity="warning", timeout=3)

    # --- terminals ----------------------------------------------------------------------------------------

    def action_env_shell(self) -> None:
        self._open_terminal(split=False)

    def action_env_split(self) -> None:
        self._open_terminal(split=True)

    def _open_terminal(self, *, split: bool) -> None:
        environment, backend = self.selected(), self.backend
        if environment is None or backend is None:
            self._say_nothing_selected()
        elif environment.status != "running":
            doing = "wait until it runs" if environment.status in BUSY else "start it first"
            self.notify(f"{environment.name} is {environment.status}: {doing}", timeout=4, markup=False)
        else:
            self.app.open_environment_terminal(backend, environment.id, environment.name, split=split)

    # --- copy and filter ----------------------------------------------------------------------------------

    def action_env_copy(self) -> None:
        text = self.get_selected_text()
        environment = self.selected()
        if not text and environment is None:
            self._say_nothing_selected()
            return
        copied = text or (environment.name if environment else "")
        self.app.copy_to_clipboard(copied)
        self.notify("The selection is copied" if text else f"{copied} is copied", timeout=3, markup=False)

    def set_filter(self, words: str) -> None:
        self.table.filter_text = words
        self.list_changed()

    async def action_env_filter(self) -> None:
        from tui.panels.command_line import CommandLine

        await self.close_line()
        line = CommandLine(FILTER, [], value=self.table.filter_text)
        await self.mount(line, before="#environment-hints")
        # At once, not by the queue: what is typed behind the `/` must land in the line.
        self.set_focus(line.input)

    async def close_line(self) -> bool:
        """False where none was open."""
        lines = self.query("CommandLine")
        if not lines:
            return False
        await lines.remove()
        self.set_focus(self.table)
        return True

    async def on_command_line_typed(self, message: Any) -> None:
        self.set_filter(message.value)

    async def on_command_line_given_up(self, message: Any) -> None:
        self.set_filter("")
        await self.close_line()

    async def on_command_line_entered(self, message: Any) -> None:
        await self.close_line()
        self.set_filter(message.value)
