"""One field of a form on the screen: label, input, and the error or help under it."""

from __future__ import annotations

from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widget import Widget
from textual.widgets import Input, Label, Select, Static, TextArea

from widgets.form_fields import (
    Field,
    FieldError,
    IntegerField,
    PairsField,
    SelectField,
    SwitchField,
    TextField,
    format_pairs,
)
from widgets.toggle import Toggle


class FormRow(Vertical):
    """Holds the input of `field`, and says what is wrong with it right under it."""

    DEFAULT_CSS = """
    FormRow {
        height: auto;
        & > Horizontal { height: auto; }
        & .form-row--label { width: 18; padding: 0 1 0 0; text-align: right; color: $foreground; }
        & .form-row--note { height: auto; padding-left: 18; color: $foreground-muted; display: none; }
        & .form-row--note.-filled { display: block; }
        & Input, & Select { width: 1fr; }
        & TextArea { width: 1fr; height: 5; border: none; padding: 0 1; background: $surface; }
        & TextArea:focus { border: none; background: $panel; }
        &.-invalid .form-row--label { color: $text-error; text-style: bold; }
        &.-invalid .form-row--note { color: $text-error; }
    }
    """

    class Changed(Message):
        """The user changed the input."""

        def __init__(self, row: FormRow) -> None:
            super().__init__()
            self.row = row

    class Entered(Message):
        """Enter was pressed in a one-line input."""

    def __init__(self, field: Field) -> None:
        super().__init__(id=f"row-{field.key}")
        self.field = field
        self.error = ""
        self._note = Static("", classes="form-row--note")
        self.input = self._make_input()
        self.input.disabled = field.disabled

    def _make_input(self) -> Widget:
        field, initial = self.field, self.initial
        if isinstance(field, SelectField):
            return Select(list(field.options), value=initial, allow_blank=False, compact=True)
        if isinstance(field, SwitchField):
            return Toggle(initial)
        if isinstance(field, PairsField):
            area = TextArea(initial, soft_wrap=False, show_line_numbers=False, tab_behavior="focus")
            area.styles.height = field.lines
            area.move_cursor(area.document.end)
            return area
        suggestions = field.suggestions if isinstance(field, TextField) else ()
        return Input(
            initial,
            placeholder=field.placeholder if isinstance(field, (TextField, IntegerField)) else "",
            password=isinstance(field, TextField) and field.password,
            restrict=r"-?[0-9]*" if isinstance(field, IntegerField) else None,
            suggester=SuggestFromList(suggestions) if suggestions else None,
            compact=True,
        )

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Label(
                f"{self.field.label}{' *' if self.field.required else ''}", classes="form-row--label", markup=False
            )
            yield self.input
        yield self._note

    def on_mount(self) -> None:
        self._tell()

    @property
    def initial(self) -> Any:
        """What the input holds at first, in the form of `raw`."""
        field = self.field
        if isinstance(field, SelectField):
            return field.options[0][1] if field.value is None else field.value
        if isinstance(field, PairsField):
            return format_pairs(field.value)
        if isinstance(field, IntegerField):
            return "" if field.value is None else str(field.value)
        if isinstance(field, (TextField, SwitchField)):
            return field.value
        raise TypeError(f"no input for {type(field).__name__}")

    @property
    def raw(self) -> Any:
        """What the input holds now."""
        if isinstance(self.input, TextArea):
            return self.input.text
        if isinstance(self.input, (Input, Select, Toggle)):
            return self.input.value
        raise TypeError(type(self.input).__name__)

    def value(self) -> Any:
        """The parsed value.

        Raises:
            FieldError: What the input holds is no value.
        """
        return self.field.parse(self.raw)

    def set_raw(self, raw: Any) -> None:
        """Put a text (or choice, or bool) into the input."""
        if isinstance(self.input, TextArea):
            self.input.text = raw
        elif isinstance(self.input, (Input, Select, Toggle)):
            self.input.value = raw

    def judge(self) -> bool:
        """Check what the input holds and show what is wrong; True where nothing is."""
        try:
            self.value()
        except FieldError as error:
            self.show_error(str(error))
            return False
        self.show_error("")
        return True

    def show_error(self, message: str) -> None:
        """Show what is wrong next to the field; "" takes it away."""
        self.error = message
        self.set_class(bool(message), "-invalid")
        self._tell()

    def _tell(self) -> None:
        text = f"✗ {self.error}" if self.error else self.field.help
        self._note.update(Content(text))
        self._note.set_class(bool(text), "-filled")

    @on(Input.Changed)
    @on(Select.Changed)
    @on(Toggle.Changed)
    @on(TextArea.Changed)
    def _changed(self, event: Message) -> None:
        event.stop()
        self.post_message(self.Changed(self))

    @on(Input.Submitted)
    @on(Toggle.Entered)
    def _entered(self, event: Message) -> None:
        event.stop()
        self.post_message(self.Entered())
