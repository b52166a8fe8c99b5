"""Form: fields with what is wrong said next to each, submitted by enter or ctrl+s, left by esc."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Static

from widgets.form_fields import (
    Field,
    FieldError,
    IntegerField,
    PairsField,
    SelectField,
    SwitchField,
    TextField,
    format_pairs,
    parse_pairs,
)
from widgets.form_row import FormRow

__all__ = [
    "Field",
    "FieldError",
    "Form",
    "IntegerField",
    "PairsField",
    "SelectField",
    "SwitchField",
    "TextField",
    "format_pairs",
    "parse_pairs",
]

FormCheck = Callable[[Mapping[str, Any]], Mapping[str, str]]
"""From all values to errors by field key, for rules that look at several fields."""


class Form(Vertical):
    """Rows of fields over two buttons.

    A field is judged once it was changed and left, and on every change after it was found wrong; all are judged on
    submit, and the cursor goes to the first wrong one. `Submitted` comes only with values that parsed. While a
    submission is under way set `busy`; faults found elsewhere come back with `set_error` and `set_form_error`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "submit", "Submit", show=False, priority=True),
        Binding("escape", "cancel", "Cancel", show=False),
    ]

    DEFAULT_CSS = """
    Form {
        height: auto;
        max-height: 100%;
        & > VerticalScroll { height: auto; max-height: 100%; scrollbar-size-vertical: 1; }
        &.-fill { height: 1fr; }
        &.-fill > VerticalScroll { height: 1fr; }
        & > .form--error { height: auto; color: $text-error; padding: 0 1; display: none; }
        & > .form--error.-filled { display: block; }
        & > .form--buttons { height: 1; align-horizontal: right; margin-top: 1; }
        & > .form--buttons Button { margin-left: 2; }
    }
    """

    class Submitted(Message):
        """All fields are valid; `values` by field key."""

        def __init__(self, form: Form, values: dict[str, Any]) -> None:
            super().__init__()
            self.form = form
            self.values = values

        @property
        def control(self) -> Form:
            return self.form

    class Cancelled(Message):
        """The user left the form."""

        def __init__(self, form: Form) -> None:
            super().__init__()
            self.form = form

        @property
        def control(self) -> Form:
            return self.form

    class Changed(Message):
        """The field `key` was changed; it may not be valid."""

        def __init__(self, form: Form, key: str) -> None:
            super().__init__()
            self.form = form
            self.key = key

        @property
        def control(self) -> Form:
            return self.form

    def __init__(
        self,
        fields: Sequence[Field],
        *,
        submit_label: str = "Save",
        check: FormCheck | None = None,
        fill: bool = False,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """A form; make it where an app is running (in `compose` or later), as Textual's inputs want.

        Args:
            fields: Its rows.
            submit_label: What the submit button says.
            check: Rules that look at several fields; called with all values once each is valid.
            fill: Take all the height there is, scroll the rows and keep the buttons in view (for long forms).
        """
        super().__init__(name=name, id=id, classes=classes)
        self.set_class(fill, "-fill")
        self.rows = {field.key: FormRow(field) for field in fields}
        self._submit_label = submit_label
        self._check = check
        self._touched: set[str] = set()
        self._error = Static("", classes="form--error")
        self._busy = False

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield from self.rows.values()
        yield self._error
        with Horizontal(classes="form--buttons"):
            yield Button("Cancel (esc)", id="cancel", compact=True)
            yield Button(f"{self._submit_label} (ctrl+s)", id="submit", variant="primary", compact=True)

    def focus_first(self) -> None:
        """Put the cursor into the first field that can be changed."""
        for row in self.rows.values():
            if not row.input.disabled:
                row.input.focus()
                return

    @property
    def changed(self) -> bool:
        """Whether any field differs from what it began with."""
        return any(row.raw != row.initial for row in self.rows.values())

    @property
    def errors(self) -> dict[str, str]:
        """What is shown as wrong, by field key."""
        return {key: row.error for key, row in self.rows.items() if row.error}

    @property
    def busy(self) -> bool:
        """While True nothing can be submitted."""
        return self._busy

    @busy.setter
    def busy(self, busy: bool) -> None:
        self._busy = busy
        self.query_one("#submit", Button).disabled = busy

    def set_value(self, key: str, raw: Any) -> None:
        """Put a text (or choice, or bool) into a field. Raises KeyError for an unknown one."""
        self.rows[key].set_raw(raw)

    def set_error(self, key: str, message: str) -> None:
        """Show a fault of a field that was found elsewhere, and go there; for an unknown key it is the form's."""
        self.busy = False
        if key not in self.rows:
            self.set_form_error(message)
            return
        self.rows[key].show_error(message)
        self.rows[key].input.focus()

    def set_form_error(self, message: str) -> None:
        """Show a fault that is no single field's; "" takes it away."""
        if message:
            self.busy = False
        self._error.update(Content(f"✗ {message}" if message else ""))
        self._error.set_class(bool(message), "-filled")

    def validate_all(self) -> dict[str, Any] | None:
        """The values of all fields; None where some are wrong, which are shown then."""
        values: dict[str, Any] = {}
        for key, row in self.rows.items():
            if row.judge():
                values[key] = row.value()
        if len(values) == len(self.rows) and self._check is not None:
            for key, message in self._check(values).items():
                if key in self.rows:
                    self.rows[key].show_error(message)
                else:
                    self.set_form_error(message)
                values.pop(key, None)
        for row in self.rows.values():
            if row.error:
                row.input.focus()
                return None
        return values

    def action_submit(self) -> None:
        if self._busy:
            return
        self.set_form_error("")
        values = self.validate_all()
        if values is not None and not self._error.has_class("-filled"):
            self.post_message(self.Submitted(self, values))

    def action_cancel(self) -> None:
        self.post_message(self.Cancelled(self))

    @on(FormRow.Changed)
    def _row_changed(self, event: FormRow.Changed) -> None:
        event.stop()
        row = event.row
        if row.raw != row.initial:
            self._touched.add(row.field.key)
        if row.error:
            row.judge()
        self.post_message(self.Changed(self, row.field.key))

    def on_descendant_blur(self) -> None:
        for key in self._touched:
            row = self.rows[key]
            if not row.input.has_focus and not row.error:
                row.judge()

    @on(FormRow.Entered)
    def _row_entered(self, event: FormRow.Entered) -> None:
        event.stop()
        self.action_submit()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "submit":
            self.action_submit()
        else:
            self.action_cancel()
