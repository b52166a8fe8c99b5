"""A refusal by the engine, as this package passes it on. Apart, so that it needs no SDK."""

from __future__ import annotations

import json
from contextlib import suppress


class EngineFault(Exception):
    """The engine answered, with a refusal: its HTTP status and its text. Stays inside this package."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status
        self.text = text

    @classmethod
    def of_body(cls, status: int, body: bytes) -> EngineFault:
        """From an error response's body, which is `{"message": ...}` or plain text."""
        text = body.decode("utf-8", "replace").strip()
        # where it is not the documented form, the text itself is what there is to say
        with suppress(ValueError, KeyError, TypeError):
            text = str(json.loads(text)["message"])
        return cls(status, text or f"status {status}")
