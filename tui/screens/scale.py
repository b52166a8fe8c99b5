"""How many replicas?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from widgets.form import Form, IntegerField

if TYPE_CHECKING:
    from backend.wire.pilothouse import DeploymentModel
    from tui.client.connection import Backend

MAX_REPLICAS = 100


class ScaleForm(ModalScreen[None]):
    """One number; up and down change it by one."""

    CSS_PATH = "scale.tcss"

    def __init__(self, backend: Backend, deployment: DeploymentModel, replicas: str = "") -> None:
        super().__init__(classes="dialog")
        self._backend = backend
        self._deployment = deployment
        count = int(replicas) if replicas.isdigit() else deployment.replicas
        self._form = Form(
            [
                IntegerField(
                    key="replicas",
                    label="Replicas",
                    required=True,
                    value=count,
                    minimum=0,
                    maximum=MAX_REPLICAS,
                    help=f"Now {deployment.replicas}, of which {deployment.ready} are ready. ↑ ↓ change by one",
                )
            ],
            submit_label="Scale",
        )

    def compose(self) -> ComposeResult:
        with Vertical(id="scale-box", classes="panel") as box:
            box.border_title = f"Scale {escape(self._deployment.app_name)}"
            yield self._form

    def on_mount(self) -> None:
        self._form.focus_first()

    def on_key(self, event: object) -> None:
        step = {"up": 1, "down": -1}.get(getattr(event, "key", ""))
        raw = str(self._form.rows["replicas"].raw)
        if step is not None and raw.isdigit():
            self._form.set_value("replicas", str(max(0, min(MAX_REPLICAS, int(raw) + step))))

    @on(Form.Cancelled)
    def _left(self) -> None:
        self.dismiss(None)

    @on(Form.Submitted)
    def _submitted(self, event: Form.Submitted) -> None:
        self._form.busy = True
        self.run_worker(self._send(int(event.values["replicas"])), exclusive=True)

    async def _send(self, replicas: int) -> None:
        from tui.client.errors import ClientError

        try:
            await self._backend.deployments.scale(self._deployment.id, replicas)
        except ClientError as error:
            self._form.set_error("replicas", error.message)
            return
        self.notify(f"Scaling {self._deployment.app_name} to {replicas}", timeout=3)
        self.dismiss(None)
