"""What the main screen does to deployments: each action asks where it must, calls the API, and says what came of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from tui.key_order import OPENS_SCREEN
from tui.presentation.addresses import forward_line, over_ssh, shows_no_browser
from tui.presentation.deployments import DeploymentRow, columns
from tui.presentation.faults import sentence
from tui.presentation.words import plural
from widgets.paced_screen import PacedScreen
from widgets.resource_table import ResourceTable

if TYPE_CHECKING:
    from backend.wire.pilothouse import DeploymentModel
    from tui.app import PilothouseApp
    from tui.client.connection import Backend
    from tui.client.live import LiveState

FILTER, COMMAND = "/", ":"


class DeploymentActions(PacedScreen[None]):
    """The half of the main screen that acts; the other half lays out and takes live data."""

    app: PilothouseApp

    def __init__(self) -> None:
        super().__init__()
        self.table: ResourceTable[DeploymentRow] = ResourceTable(columns(), sort_column="name", id="deployments")
        self.awaited = ""

    @property
    def backend(self) -> Backend | None:
        return self.app.backend

    @property
    def state(self) -> LiveState | None:
        return self.backend.live.state if self.backend else None

    def selected(self) -> DeploymentModel | None:
        """The deployment under the cursor."""
        state, key = self.state, self.table.selected_key
        return state.deployments.get(key) if state and key else None

    def list_changed(self) -> None:
        """The filter or the marks changed: the list's title tells of both."""
        raise NotImplementedError

    def set_filter(self, words: str) -> None:
        """Only deployments with these words in a cell stay in the list."""
        self.table.filter_text = words
        self.list_changed()

    # --- which deployments ----------------------------------------------------------------------------------

    def targets(self) -> list[DeploymentModel]:
        """The marked deployments in the order of the list, else the selected one."""
        state = self.state
        if state is None:
            return []
        marked = self.table.marked_keys
        selected = self.table.selected_key
        keys = [key for key in self.table.visible_keys if key in marked] or ([selected] if selected else [])
        hidden = sorted(marked - set(keys))
        return [state.deployments[key] for key in [*keys, *hidden] if key in state.deployments]

    def say_nothing_selected(self) -> None:
        self.notify("Select a deployment first", severity="warning", timeout=3)

    # --- forms ----------------------------------------------------------------------------------------------

    def action_new(self) -> None:
        from tui.screens.deploy_form import DeployForm

        if self.backend is not None:
            self.app.push_screen(DeployForm(self.backend), self._deployed)

    def _deployed(self, deployment_id: str | None) -> None:
        if deployment_id is None:
            return
        self.select_when_known(deployment_id)

    def action_edit(self) -> None:
        deployment = self.selected()
        if deployment is None or self.backend is None:
            self.say_nothing_selected()
            return
        self.run_worker(self._edit(self.backend, deployment), group=OPENS_SCREEN, exclusive=True)

    async def _edit(self, backend: Backend, deployment: DeploymentModel) -> None:
        from tui.client.errors import ClientError
        from tui.screens.deploy_form import DeployForm

        try:
            detail = await backend.deployments.get(deployment.id)
        except ClientError as error:
            self.say_fault(f"{deployment.app_name} cannot be edited", error)
            return
        self.app.push_screen(DeployForm(backend, detail))

    def action_scale(self, replicas: str = "") -> None:
        deployment = self.selected()
        if deployment is None or self.backend is None:
            self.say_nothing_selected()
            return
        from tui.screens.scale import ScaleForm

        self.app.push_screen(ScaleForm(self.backend, deployment, replicas))

    def action_scale_to(self, replicas: str) -> None:
        """The selected deployment has this many replicas from now on; the command line has asked for all of it."""
        deployment, backend = self.selected(), self.backend
        if deployment is None or backend is None:
            self.say_nothing_selected()
            return
        self.run_worker(self._scale_to(backend, deployment, int(replicas)))

    async def _scale_to(self, backend: Backend, deployment: DeploymentModel, replicas: int) -> None:
        from tui.client.errors import ClientError

        try:
            await backend.deployments.scale(deployment.id, replicas)
        except ClientError as error:
            self.say_fault(f"Scaling {deployment.app_name} failed", error)
            return
        self.notify(f"Scaling {deployment.app_name} to {replicas}", timeout=3)

    # --- stop, start, delete ----------------------------------------------------------------------------------

    def action_stop(self) -> None:
        chosen = [deployment for deployment in self.targets() if deployment.status not in ("stopped", "stopping")]
        if not chosen:
            self._say_no_need("stopped already")
            return
        backend = self.backend
        assert backend is not None
        from tui.screens.confirm import stop_question

        self.app.push_screen(
            stop_question(chosen), lambda yes: self._each(chosen, "Stopping", backend.deployments.stop) if yes else None
        )

    def action_start(self) -> None:
        chosen = [deployment for deployment in self.targets() if deployment.status in ("stopped", "stopping", "failed")]
        if not chosen:
            self._say_no_need("running already")
            return
        assert self.backend is not None
        self._each(chosen, "Starting", self.backend.deployments.start)

    def action_delete(self) -> None:
        chosen = self.targets()
        if not chosen or self.backend is None:
            self.say_nothing_selected()
            return
        from tui.screens.confirm import delete_question

        backend = self.backend
        self.app.push_screen(
            delete_question(chosen),
            lambda yes: self._each(chosen, "Deleting", backend.deployments.delete) if yes else None,
        )

    def _say_no_need(self, why: str) -> None:
        deployment = self.selected()
        if deployment is None:
            self.say_nothing_selected()
        else:
            self.notify(f"{deployment.app_name} is {why}", timeout=3)

    def _each(self, chosen: Sequence[DeploymentModel], doing: str, call: Callable[[str], Awaitable[Any]]) -> None:
        self.table.clear_marks()
        self.run_worker(self._call_each(chosen, doing, call))

    async def _call_each(
        self, chosen: Sequence[DeploymentModel], doing: str, call: Callable[[str], Awaitable[Any]]
    ) -> None:
        """One after another; a failure of one does not keep the others from their turn."""
        from tui.client.errors import ClientError

        done = 0
        for deployment in chosen:
            try:
                await call(deployment.id)
                done += 1
            except ClientError as error:
                self.say_fault(f"{doing} {deployment.app_name} failed", error)
        if done:
            what = chosen[0].app_name if len(chosen) == 1 else plural(done, "deployment")
            self.notify(f"{doing} {what}", timeout=3)

    def say_fault(self, title: str, error: Exception) -> None:
        """A toast that says what failed, why, and what to do."""
        text = sentence(getattr(error, "message", str(error)), getattr(error, "status", None))
        self.notify(text, title=title, severity="error", timeout=10, markup=False)

    # --- looking at -------------------------------------------------------------------------------------------

    def action_open(self) -> None:
        deployment = self.selected()
        if deployment is None:
            self.say_nothing_selected()
        elif over_ssh(os.environ):
            line = forward_line(deployment.url, os.environ, self.user_name())
            self.app.copy_to_clipboard(deployment.url)
            self.notify(
                f"{deployment.url} is copied. On your own machine run\n{line}\nthen open it there.",
                title="You are here over SSH", timeout=20, markup=False,
            )  # fmt: skip
        elif shows_no_browser(os.environ, sys.platform):
            self.app.copy_to_clipboard(deployment.url)
            self.notify(
                f"{deployment.url} is copied. Open it where you have a browser.",
                title="There is no desktop here", timeout=10, markup=False,
            )  # fmt: skip
        else:
            self.app.open_url(deployment.url)
            self.notify(deployment.url, title="Opening in the browser", timeout=4, markup=False)

    def user_name(self) -> str:
        return os.environ.get("USER") or os.environ.get("LOGNAME") or "USER"

    def action_copy(self) -> None:
        """A selection with the mouse first, then what the focused panel has to give, then the URL."""
        text = self.get_selected_text()
        what = "The selection"
        if not text:
            deployment = self.selected()
            if deployment is None:
                self.say_nothing_selected()
                return
            text, what = deployment.url, deployment.url
        self.app.copy_to_clipboard(text)
        self.notify(f"{what} is copied", timeout=3, markup=False)

    def action_as_text(self) -> None:
        deployment = self.selected()
        if deployment is None or self.backend is None:
            self.say_nothing_selected()
            return
        self.run_worker(self._as_text(self.backend, deployment), group=OPENS_SCREEN, exclusive=True)

    async def _as_text(self, backend: Backend, deployment: DeploymentModel) -> None:
        from tui.client.errors import ClientError
        from tui.screens.as_text import TextScreen

        try:
            detail = await backend.deployments.get(deployment.id)
        except ClientError as error:
            self.say_fault(f"{deployment.app_name} cannot be read", error)
            return
        self.app.push_screen(TextScreen(deployment.app_name, detail.model_dump(mode="json", by_alias=True)))

    def action_help(self) -> None:
        from tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self.app.preferences.keymap, self.app.preferences.keys))

    # --- the line at the bottom -------------------------------------------------------------------------------

    async def action_filter(self) -> None:
        await self.open_line(FILTER)

    async def action_command(self) -> None:
        await self.open_line(COMMAND)

    async def open_line(self, kind: str) -> None:
        """The filter line or the command line, in place of the hints."""
        from tui.panels.command_line import CommandLine

        await self.close_line()
        names = [deployment.app_name for deployment in self.state.deployments.values()] if self.state else []
        line = CommandLine(kind, names, value=self.table.filter_text if kind == FILTER else "")
        await self.mount(line, before="#hints")
        # At once, not by the queue: what is typed behind the `:` must land in the line.
        self.set_focus(line.input)

    async def close_line(self) -> bool:
        """False where none was open."""
        lines = self.query("CommandLine")
        if not lines:
            return False
        await lines.remove()
        # At once: a focus that comes by the queue could come behind that of the next line.
        self.set_focus(self.table)
        return True

    async def on_command_line_typed(self, message: Any) -> None:
        if message.kind == FILTER:
            self.set_filter(message.value)

    async def on_command_line_given_up(self, message: Any) -> None:
        if message.kind == FILTER:
            self.set_filter("")
        await self.close_line()

    async def on_command_line_entered(self, message: Any) -> None:
        await self.close_line()
        if message.kind == FILTER:
            self.set_filter(message.value)
            return
        from tui.commands import CommandFault, parse_command

        names = {d.app_name: d.id for d in self.state.deployments.values()} if self.state else {}
        try:
            command = parse_command(message.value, names)
        except CommandFault as fault:
            self.notify(str(fault), title="Command", severity="warning", markup=False)
            return
        if command is None:
            return
        if command.deployment_id:
            if self.table.filter_text:
                self.set_filter("")
            self.table.select(command.deployment_id)
            self.table.clear_marks()
        await self.run_action(command.target)

    def select_when_known(self, deployment_id: str) -> None:
        """Moves the cursor to a deployment now, or when the feed first tells of it."""
        if self.table.filter_text:
            self.set_filter("")
        self.awaited = "" if self.table.select(deployment_id) else deployment_id
