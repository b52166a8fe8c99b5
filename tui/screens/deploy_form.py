"""Deploy a new app, or change one. What was typed stays until the backend has accepted it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen

from tui.presentation.faults import sentence
from tui.presentation.form_values import (
    check_app_name,
    check_cpu,
    check_image,
    check_memory,
    check_path,
    check_together,
    create_request,
    form_key,
    update_request,
)
from widgets.form import Field, Form, IntegerField, PairsField, TextField

if TYPE_CHECKING:
    from backend.wire.container_engine import DeploymentDetailResponse
    from tui.client.connection import Backend
    from tui.client.errors import ApiError

MAX_REPLICAS = 100


class DeployForm(ModalScreen[str | None]):
    """Dismisses with the deployment's id once the request is accepted, with None where the user left."""

    CSS_PATH = "deploy_form.tcss"
    # With priority the focus moves before the next key is handed out, so that fast typing lands in the next field.
    BINDINGS = [
        Binding("tab", "app.focus_next", show=False, priority=True),
        Binding("shift+tab", "app.focus_previous", show=False, priority=True),
    ]

    def __init__(self, backend: Backend, detail: DeploymentDetailResponse | None = None) -> None:
        super().__init__(classes="dialog")
        self._backend = backend
        self._detail = detail
        fields = _update_fields(detail) if detail else _create_fields()
        self._form = Form(
            fields, submit_label="Change" if detail else "Deploy", check=None if detail else check_together
        )

    def compose(self) -> ComposeResult:
        with Vertical(id="deploy-box", classes="panel -edit" if self._detail else "panel") as box:
            box.border_title = f"Edit {escape(self._detail.app_name)}" if self._detail else "Deploy an image"
            box.border_subtitle = "Tab next field"
            yield self._form

    def on_mount(self) -> None:
        self._form.focus_first()

    @on(Form.Cancelled)
    def _left(self) -> None:
        self.dismiss(None)

    @on(Form.Submitted)
    def _submitted(self, event: Form.Submitted) -> None:
        self._form.busy = True
        self.query_one("#deploy-box").border_subtitle = "Checking the image"
        self.run_worker(self._send(event.values), exclusive=True)

    async def _send(self, values: dict[str, object]) -> None:
        from tui.client.errors import ApiError, ClientError

        try:
            deployment_id = await (self._update(values) if self._detail else self._create(values))
        except ApiError as error:
            self._refused(error)
        except ClientError as error:
            self._form.set_form_error(error.message)
        else:
            self.dismiss(deployment_id)
            return
        self._form.busy = False
        self.query_one("#deploy-box").border_subtitle = "Not accepted"

    async def _create(self, values: dict[str, object]) -> str:
        answer = await self._backend.deployments.create(create_request(values))
        return answer.id

    async def _update(self, values: dict[str, object]) -> str | None:
        assert self._detail is not None
        request = update_request(values, self._detail)
        if request is None:
            self.notify("Nothing was changed", timeout=3)
            return None
        await self._backend.deployments.update(self._detail.id, request)
        self.notify(f"Rolling out the change of {self._detail.app_name}", timeout=4)
        return self._detail.id

    def _refused(self, error: ApiError) -> None:
        """Faults go to their fields, the last first, so that the cursor ends on the first."""
        placed = [(form_key(name), message) for name, message in error.field_errors.items()]
        if not placed and error.status == 409:
            placed = [("name", error.message)]
        if not placed and error.status == 422:
            placed = [("image", error.message)]
        known = [(key, message) for key, message in placed if key in self._form.rows]
        for key, message in reversed(known):
            self._form.set_error(key, message)
        rest = [message for key, message in placed if key not in self._form.rows]
        if not known or rest:
            self._form.set_form_error(" ".join(rest) or sentence(error.message, error.status))


def _create_fields() -> list[Field]:
    return [
        TextField(key="name", label="Name", required=True, check=check_app_name, placeholder="web"),
        TextField(key="image", label="Image", required=True, check=check_image, placeholder="nginx:latest"),
        IntegerField(key="port", label="Port", required=True, value=80, minimum=1, maximum=65535),
        IntegerField(key="replicas", label="Replicas", required=True, value=1, minimum=0, maximum=MAX_REPLICAS),
        *_limits("100m", "128Mi"),
        PairsField(key="env", label="Environment", lines=3, help="NAME=value, one a line"),
        TextField(
            key="health_path",
            label="Health path",
            check=check_path,
            placeholder="/health",
            help="Empty: healthy as soon as the port is open",
        ),
        IntegerField(key="health_delay", label="First probe", required=True, value=5, minimum=0, maximum=3600),
        IntegerField(key="health_period", label="Probe every", required=True, value=10, minimum=1, maximum=3600),
        IntegerField(key="health_timeout", label="Probe timeout", required=True, value=5, minimum=1, maximum=3600),
        IntegerField(
            key="health_threshold",
            label="Max failures",
            required=True,
            value=3,
            minimum=1,
            maximum=100,
            help="Times in seconds; only with a health path",
        ),
        TextField(key="registry_user", label="Registry user", placeholder="only for private registries"),
        TextField(key="registry_password", label="Its password", password=True),
    ]


def _update_fields(detail: DeploymentDetailResponse) -> list[Field]:
    return [
        TextField(key="name", label="Name", value=detail.app_name, disabled=True),
        TextField(key="image", label="Image", required=True, check=check_image, value=detail.image),
        IntegerField(
            key="replicas", label="Replicas", required=True, value=detail.replicas, minimum=0, maximum=MAX_REPLICAS
        ),
        *_limits(detail.resources.cpu, detail.resources.memory),
        PairsField(key="env", label="Environment", lines=6, value=detail.env_vars, help="NAME=value, one a line"),
    ]


def _limits(cpu: str, memory: str) -> list[Field]:
    return [
        TextField(key="cpu", label="CPU limit", required=True, value=cpu, check=check_cpu, placeholder="100m"),
        TextField(
            key="memory", label="Memory limit", required=True, value=memory, check=check_memory, placeholder="128Mi"
        ),
    ]
