"""Kinds of failure. Each surface translates them to its own documented body in one function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault in the input. `field` is a dotted path of domain names, e.g. `resources.memory`; `kind` is a word for
    programs."""

    field: str
    message: str
    kind: str = "value_error"


class DomainError(Exception):
    """A failure that a caller can understand. `message` says what is wrong and what to change."""

    def __init__(self, message: str, *, details: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, object] = dict(details or {})


class Invalid(DomainError):
    """Input that cannot be accepted as it stands."""

    def __init__(self, message: str, *, fields: tuple[FieldError, ...] = ()) -> None:
        super().__init__(message)
        self.fields = fields

    @classmethod
    def at(cls, field: str, message: str) -> Invalid:
        """A single fault at one field."""
        return cls(message, fields=(FieldError(field, message),))


class ImageRejected(DomainError):
    """The image or its registry refuses: not found, denied, or unreachable while not local."""


class NotFound(DomainError):
    """No such object, or one that the caller may not know of."""


class Conflict(DomainError):
    """A name already taken, or a state that forbids the request. `details['field']` names the field if any."""


class WrongState(Conflict):
    """The object is in a state that forbids the request. `details` has `reason` `wrong_state` and the `status`."""

    def __init__(self, message: str, *, status: str) -> None:
        super().__init__(message, details={"reason": "wrong_state", "status": status})


class Unauthorized(DomainError):
    """No valid credential."""


class Forbidden(DomainError):
    """A valid credential that does not allow this."""


class TooMany(DomainError):
    """A rate or count limit. `retry_after` is in seconds."""

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(DomainError):
    """A part that the request needs (engine, ingress, storage) does not answer now."""


class EngineUnavailable(Unavailable):
    """The container engine does not answer, or its stream ended. Ping, reconnect, list again."""
