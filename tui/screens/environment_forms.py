"""Making an environment: the gallery of templates, then its form. Changing one: the same form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.panels.styled import styled
from tui.presentation.environments import (
    TemplateRow,
    suggested_name,
    template_columns,
    template_lines,
    template_row,
)
from tui.presentation.faults import sentence
from tui.presentation.form_values import check_cpu, check_image, check_label, check_memory
from tui.screens.form_dialog import FormDialog, FormPlan
from widgets.form import Field, IntegerField, PairsField, TextField
from widgets.key_hints import KeyHint, KeyHints
from widgets.resource_table import ResourceTable, Row

if TYPE_CHECKING:
    from backend.wire.devpocket_environments import EnvironmentResponse, TemplateResponse
    from tui.client.connection import Backend

MAX_IDLE_MINUTES = 7 * 24 * 60
# Fields as the backend names them, to keys of the form.
WIRE_NAMES = {
    "resources.cpu": "cpu",
    "resources.memory": "memory",
    "resources.storage": "storage",
    "environment_variables": "env",
    "docker_image": "image",
    "template_id": "name",
}
NAME_TAKEN = {400: "name", 409: "name"}


class TemplateGallery(ModalScreen["TemplateResponse | None"]):
    """Dismisses with the chosen template."""

    CSS_PATH = "environment_forms.tcss"
    BINDINGS = [
        Binding("escape,q", "dismiss", "Close", show=False),
        Binding("r,ctrl+r", "fetch", "Refresh", show=False),
    ]
    AUTO_FOCUS = "#templates"

    def __init__(self, backend: Backend) -> None:
        super().__init__(classes="dialog")
        self._backend = backend
        self._templates: dict[str, TemplateResponse] = {}
        self._table: ResourceTable[TemplateRow] = ResourceTable(
            template_columns(), sort_column=None, empty_text="Asking the backend for its templates", id="templates"
        )

    def compose(self) -> ComposeResult:
        with Vertical(id="gallery-box", classes="panel") as box:
            box.border_title = "New environment: choose a template"
            box.border_subtitle = "[@click=screen.dismiss]Esc close[/]"
            yield self._table
            with VerticalScroll(id="template-scroll", can_focus=False):
                yield Static(id="template-text")
            yield KeyHints([KeyHint("Enter", "Choose"), KeyHint("Esc", "Close", keep=True)], id="gallery-hints")

    def on_mount(self) -> None:
        self.action_fetch()

    def action_fetch(self) -> None:
        self.run_worker(self._fetch(), group="fetch", exclusive=True)

    async def _fetch(self) -> None:
        from tui.client.errors import ClientError

        try:
            templates = await self._backend.environments.templates()
        except ClientError as error:
            self._table.empty_text = f"✖ {sentence(error.message, getattr(error, 'status', None))}\n\nr asks again"
            return
        self._templates = {template.id: template for template in templates}
        self._table.empty_text = "There are no templates.\n\nAn administrator can make some."
        self._table.update_rows([Row(template.id, template_row(template)) for template in templates])
        self._show()

    def _show(self) -> None:
        template = self._templates.get(self._table.selected_key or "")
        self.query_one("#template-text", Static).update(styled(self, template_lines(template)))

    @on(ResourceTable.Selected)
    def _selected(self) -> None:
        self._show()

    @on(ResourceTable.Activated)
    def _chosen(self, event: ResourceTable.Activated) -> None:
        self.dismiss(self._templates.get(event.key))

    @on(KeyHints.Pressed)
    def _hint_pressed(self, event: KeyHints.Pressed) -> None:
        if event.key == "Enter":
            self.dismiss(self._templates.get(self._table.selected_key or ""))
        else:
            self.dismiss(None)


def create_dialog(backend: Backend, template: TemplateResponse, taken: Sequence[str]) -> FormDialog:
    """Dismisses with the new environment."""
    limits = template.default_resources
    fields: list[Field] = [
        TextField(
            key="name", label="Name", required=True, value=suggested_name(template.name, taken), check=check_label
        ),
        TextField(key="description", label="About", placeholder="what it is for"),
        *_resource_fields(limits.cpu, limits.memory, limits.storage),
        IntegerField(key="port", label="Port", required=True, value=template.default_port, minimum=1, maximum=65535),
        _idle_field(0),
        PairsField(
            key="env", label="Environment", lines=4, value=template.environment_variables, help="NAME=value, one a line"
        ),
    ]

    async def send(values: dict[str, Any]) -> EnvironmentResponse:
        from backend.wire.devpocket_environments import EnvironmentCreateRequest

        body: dict[str, Any] = {
            "name": values["name"],
            "template_id": template.id,
            "resources": {name: values[name] for name in ("cpu", "memory", "storage")},
            "port": values["port"],
            "idle_stop_minutes": values["idle_stop_minutes"],
            "environment_variables": dict(values["env"]),
        }
        if values["description"]:
            body["description"] = values["description"]
        return await backend.environments.create(EnvironmentCreateRequest.model_validate(body))

    plan = FormPlan(
        f"New environment from {template.display_name}", fields, "Create", wire_names=WIRE_NAMES, at_status=NAME_TAKEN
    )
    return FormDialog(plan, send)


def edit_dialog(backend: Backend, before: EnvironmentResponse) -> FormDialog:
    """Dismisses with the changed environment. Only what differs is sent."""
    fields: list[Field] = [
        TextField(key="name", label="Name", required=True, value=before.name, check=check_label),
        TextField(key="description", label="About", value=before.description or ""),
        TextField(key="image", label="Image", required=True, value=before.docker_image, check=check_image),
        *_resource_fields(before.resources.cpu, before.resources.memory, before.resources.storage),
        IntegerField(key="port", label="Port", required=True, value=before.port, minimum=1, maximum=65535),
        _idle_field(before.idle_stop_minutes),
        PairsField(
            key="env", label="Environment", lines=4, value=before.environment_variables, help="NAME=value, one a line"
        ),
    ]

    async def send(values: dict[str, Any]) -> EnvironmentResponse:
        from backend.wire.devpocket_environments import EnvironmentUpdateRequest

        body = changes(values, before)
        if not body:
            return before
        return await backend.environments.update(before.id, EnvironmentUpdateRequest.model_validate(body))

    note = (
        "Another image, port or variable makes a new container: its home stays, what was installed is installed again."
    )
    return FormDialog(
        FormPlan(f"Edit {before.name}", fields, "Change", note=note, wire_names=WIRE_NAMES, at_status=NAME_TAKEN), send
    )


def changes(values: dict[str, Any], before: EnvironmentResponse) -> dict[str, Any]:
    """What differs from before, in the document's names."""
    pairs: tuple[tuple[str, Any, Any], ...] = (
        ("name", values["name"], before.name),
        ("description", values["description"], before.description or ""),
        ("docker_image", values["image"], before.docker_image),
        ("port", values["port"], before.port),
        ("idle_stop_minutes", values["idle_stop_minutes"], before.idle_stop_minutes),
        ("environment_variables", dict(values["env"]), before.environment_variables),
    )
    body = {name: new for name, new, old in pairs if new != old}
    limits = {
        name: values[name] for name in ("cpu", "memory", "storage") if values[name] != getattr(before.resources, name)
    }
    return body | ({"resources": limits} if limits else {})


def _resource_fields(cpu: str, memory: str, storage: str) -> list[Field]:
    check: Callable[[str], str | None] = check_memory
    return [
        TextField(key="cpu", label="CPU limit", required=True, value=cpu, check=check_cpu, placeholder="500m"),
        TextField(key="memory", label="Memory limit", required=True, value=memory, check=check, placeholder="1Gi"),
        TextField(key="storage", label="Storage", required=True, value=storage, check=check, placeholder="10Gi"),
    ]


def _idle_field(minutes: int) -> Field:
    return IntegerField(
        key="idle_stop_minutes",
        label="Idle stop",
        required=True,
        value=minutes,
        minimum=0,
        maximum=MAX_IDLE_MINUTES,
        help="Minutes without activity after which it stops; 0: never",
    )
