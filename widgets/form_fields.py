"""What a form asks: fields, how their text becomes a value, and what is wrong with it. No screen."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Check = Callable[[Any], str | None]
"""From a value to what is wrong with it, said so that the reader knows what to change; None: nothing."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class FieldError(ValueError):
    """The text is no value of the field; the message says what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One row of a form. `key` names its value; `help` stands under it; `check` judges the parsed value."""

    key: str
    label: str
    help: str = ""
    required: bool = False
    disabled: bool = False
    check: Check | None = None

    def parse(self, raw: Any) -> Any:
        """The value of what the widget holds.

        Raises:
            FieldError: It is no value of this field.
        """
        value = self._convert(raw)
        if self.required and value in (None, "", {}):
            raise FieldError(f"{self.label} is needed.")
        if self.check is not None and value not in (None, ""):
            problem = self.check(value)
            if problem:
                raise FieldError(problem)
        return value

    def _convert(self, raw: Any) -> Any:
        return raw


@dataclass(frozen=True, slots=True, kw_only=True)
class TextField(Field):
    """One line of text; the value is a str without blanks around it (a password keeps them)."""

    value: str = ""
    placeholder: str = ""
    password: bool = False
    suggestions: Sequence[str] = ()

    def _convert(self, raw: Any) -> str:
        return str(raw) if self.password else str(raw).strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegerField(Field):
    """A whole number within bounds; the value is an int, or None where empty and not required."""

    value: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    placeholder: str = ""

    def _convert(self, raw: Any) -> int | None:
        text = str(raw).strip()
        if not text:
            return None
        try:
            number = int(text)
        except ValueError:
            raise FieldError(f"{self.label} must be a whole number.") from None
        low, high = self.minimum, self.maximum
        if (low is not None and number < low) or (high is not None and number > high):
            if low is not None and high is not None:
                raise FieldError(f"{self.label} must be from {low} to {high}.")
            raise FieldError(f"{self.label} must be {f'at least {low}' if low is not None else f'at most {high}'}.")
        return number


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectField(Field):
    """One of `options`, (label, value) pairs; `value` None selects the first."""

    options: Sequence[tuple[str, Any]]
    value: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchField(Field):
    """Yes or no; the value is a bool."""

    value: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PairsField(Field):
    """NAME=value lines; the value is a dict[str, str] in order. Empty lines and lines that begin with # are skipped."""

    value: Mapping[str, str] = field(default_factory=dict)
    lines: int = 5
    names_checked: bool = True
    """Whether names must be such as environment variables have."""

    def _convert(self, raw: Any) -> dict[str, str]:
        return parse_pairs(str(raw), names_checked=self.names_checked)


def parse_pairs(text: str, *, names_checked: bool = True) -> dict[str, str]:
    """The pairs of NAME=value lines.

    Raises:
        FieldError: A line has no "=", a name is no name or stands there twice; the message tells the line.
    """
    pairs: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        name = name.strip()
        if not equals:
            raise FieldError(f"Line {number}: write NAME=value.")
        if not name or (names_checked and not _NAME.match(name)):
            raise FieldError(f"Line {number}: “{name}” is no name (letters, digits and _, no digit first).")
        if name in pairs:
            raise FieldError(f"Line {number}: {name} stands there twice.")
        pairs[name] = value
    return pairs


def format_pairs(pairs: Mapping[str, str]) -> str:
    """The lines that `parse_pairs` reads."""
    return "\n".join(f"{name}={value}" for name, value in pairs.items())
