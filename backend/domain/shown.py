"""Values of unknown length in messages."""

from __future__ import annotations

_LONGEST = 80


def shown(value: object) -> str:
    """A value as it may stand in a message, cut where it is long."""
    if isinstance(value, str):
        value = value[:_LONGEST]  # what is cut anyway need not be quoted first
    text = repr(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
