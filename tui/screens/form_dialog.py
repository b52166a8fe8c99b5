"""One form in a dialog that sends what was typed, and stays with it until the backend has accepted it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.presentation.faults import sentence
from widgets.form import Field, Form

if TYPE_CHECKING:
    from tui.client.errors import ApiError
    from widgets.form import FormCheck

Send = Callable[[dict[str, Any]], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class FormPlan:
    """What a dialog asks. `wire_names` maps names of fields in the backend's errors to keys of the form, where they
    differ; `at_status` is the field that a refusal with that HTTP status belongs to."""

    title: str
    fields: Sequence[Field]
    submit_label: str
    note: str = ""
    check: FormCheck | None = None
    wire_names: Mapping[str, str] = field(default_factory=dict)
    at_status: Mapping[int, str] = field(default_factory=dict)


class FormDialog(ModalScreen[Any]):
    """Dismisses with what `send` returned, with None where the user left."""

    CSS_PATH = "form_dialog.tcss"
    # With priority the focus moves before the next key is handed out, so that fast typing lands in the next field.
    BINDINGS = [
        Binding("tab", "app.focus_next", show=False, priority=True),
        Binding("shift+tab", "app.focus_previous", show=False, priority=True),
    ]

    def __init__(self, plan: FormPlan, send: Send) -> None:
        """`send` takes the form's values; it may raise ClientError, and must not return None where it worked."""
        super().__init__(classes="dialog")
        self._plan = plan
        self._send = send
        self.form = Form(plan.fields, submit_label=plan.submit_label, check=plan.check)

    def compose(self) -> ComposeResult:
        with Vertical(id="form-box", classes="panel") as box:
            box.border_title = escape(self._plan.title)
            if self._plan.note:
                yield Static(self._plan.note, id="form-note", markup=False)
            yield self.form

    def on_mount(self) -> None:
        self.form.focus_first()

    @on(Form.Cancelled)
    def _left(self) -> None:
        self.dismiss(None)

    @on(Form.Submitted)
    def _submitted(self, event: Form.Submitted) -> None:
        self.form.busy = True
        self.run_worker(self._send_values(event.values), exclusive=True)

    async def _send_values(self, values: dict[str, Any]) -> None:
        from tui.client.errors import ApiError, ClientError

        try:
            result = await self._send(values)
        except ApiError as error:
            self._refused(error)
        except ClientError as error:
            self.form.set_form_error(error.message)
        else:
            self.dismiss(result)
            return
        self.form.busy = False

    def _refused(self, error: ApiError) -> None:
        """Faults go to their fields, the last first, so that the cursor ends on the first."""
        names = self._plan.wire_names
        placed = [(names.get(name, name), message) for name, message in error.field_errors.items()]
        if not placed and error.status in self._plan.at_status:
            placed = [(self._plan.at_status[error.status], error.message)]
        for key, message in reversed(placed):
            if key in self.form.rows:
                self.form.set_error(key, message)
        rest = [message for key, message in placed if key not in self.form.rows]
        if rest or not placed:
            # Wrong words in a form are not a case for the general advice, which is about the session.
            advised = (
                error.message if error.status in (400, 401, 404, 409, 422) else sentence(error.message, error.status)
            )
            self.form.set_form_error(" ".join(rest) or advised)
