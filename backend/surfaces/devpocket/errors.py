"""Failures in the document's one shape: `{"detail", "errors"}`, of which `errors` names the fields at fault."""

from __future__ import annotations

from backend.domain.errors import Conflict, DomainError, FieldError, Invalid
from backend.surfaces.error_text import WireInvalid
from backend.surfaces.failures import Failures, status_of
from backend.surfaces.request_body import NotJson
from backend.wire.devpocket import ErrorItem, ErrorResponse

# Where this document has another word than the domain for a field of a request.
_NAMES = {
    "env": "environment_variables",
    "image": "docker_image",
    "cpu": "resources.cpu",
    "memory": "resources.memory",
    "storage": "resources.storage",
}


def _status(error: DomainError) -> int:
    """Validation is 422 here; what the state forbids or somebody else has taken, and a request that is wrong as a
    whole, 400."""
    if isinstance(error, Invalid):
        return 422 if error.fields or isinstance(error, WireInvalid) else 400
    return 400 if isinstance(error, Conflict) else status_of(error)


def error_body(status: int, message: str) -> bytes:
    """The body of a failure that no field is to blame for."""
    return ErrorResponse(detail=message, errors=[]).model_dump_json().encode()


def _of_error(status: int, error: DomainError) -> bytes:
    return ErrorResponse(detail=_detail(error), errors=_items(error)).model_dump_json().encode()


def _spelled(path: str) -> str:
    """`env.PATH` as `environment_variables.PATH`."""
    first, dot, rest = path.partition(".")
    return _NAMES.get(first, first) + dot + rest


def _detail(error: DomainError) -> str:
    """The message, its leading field's name as this document has it."""
    if isinstance(error, Invalid) and not isinstance(error, WireInvalid) and error.fields:
        name = error.fields[0].field
        if error.message.startswith((f"{name} ", f"{name}:")):
            return _spelled(name) + error.message[len(name) :]
    return error.message


def _items(error: DomainError) -> list[ErrorItem]:
    if isinstance(error, NotJson):
        return [ErrorItem(field="body", message=error.message, type="json_invalid")]
    if isinstance(error, WireInvalid) and not error.fields:
        return [ErrorItem(field="body", message=error.message, type="dict_type")]
    if isinstance(error, Invalid):
        return [_item(fault, as_sent=isinstance(error, WireInvalid)) for fault in error.fields]
    field = error.details.get("field")
    if isinstance(field, str):
        return [ErrorItem(field=_spelled(field), message=error.message, type="conflict")]
    return []


def _item(fault: FieldError, *, as_sent: bool) -> ErrorItem:
    field = fault.field if as_sent else _spelled(fault.field)
    return ErrorItem(field=field, message=fault.message, type=fault.kind)


FAILURES = Failures(_of_error, error_body, _status)
