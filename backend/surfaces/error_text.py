"""Errors in words of the wire: domain names of fields in a document's spelling."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from backend.domain.errors import DomainError, FieldError, Invalid

Spelling = Callable[[str], str]

# Where the wire's name is another word, not only another spelling.
_RENAMED = {
    "env": "env_vars",
    "current": "current_password",
    "new": "new_password",
    "cpu": "resources.cpu",
    "memory": "resources.memory",
}
_FREE_KEYS = ("env", "envVars", "env_vars")


class WireInvalid(Invalid):
    """Faults of a request's form. Their fields are named as they were sent, not as the domain names them."""


def camel(name: str) -> str:
    """`health_check` as `healthCheck`."""
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def snake(name: str) -> str:
    """The spelling of the domain itself."""
    return name


def wire_path(path: str, spelling: Spelling = camel) -> str:
    """`health_check.period_seconds` as `healthCheck.periodSeconds`; names of variables stay as they are."""
    first, *rest = path.split(".")
    head = ".".join(spelling(part) for part in _RENAMED.get(first, first).split("."))
    if first not in _FREE_KEYS:
        rest = [spelling(part) for part in rest]
    return ".".join([head, *rest])


def wire_faults(error: DomainError, spelling: Spelling = camel) -> dict[str, str]:
    """What is wrong with each field, by its name on the wire; empty where the error names none."""
    if isinstance(error, WireInvalid):
        return {fault.field: fault.message for fault in error.fields}
    if isinstance(error, Invalid):
        return {wire_path(fault.field, spelling): _spelled(fault.message, fault, spelling) for fault in error.fields}
    field = error.details.get("field")
    return {wire_path(field, spelling): error.message} if isinstance(field, str) else {}


def wire_details(error: DomainError, spelling: Spelling = camel) -> Mapping[str, object] | None:
    """The `details` of an error body: `fields` by wire name, and what else the error knows. None for nothing."""
    faults = wire_faults(error, spelling)
    details = {spelling(name): value for name, value in error.details.items() if name != "field"}
    if faults:
        details["fields"] = faults
    return details or None


def wire_message(error: DomainError, spelling: Spelling = camel) -> str:
    """The message, its leading field name as the wire spells it; of one that is all faults in a row, each one's."""
    if not isinstance(error, Invalid) or isinstance(error, WireInvalid) or not error.fields:
        return error.message
    if len(error.fields) > 1 and error.message == "; ".join(fault.message for fault in error.fields):
        return "; ".join(_spelled(fault.message, fault, spelling) for fault in error.fields)
    return _spelled(error.message, error.fields[0], spelling)


def _spelled(message: str, fault: FieldError, spelling: Spelling) -> str:
    """A message about a fault; where it begins with the field's name, whole or its last part, that as on the wire."""
    whole = wire_path(fault.field, spelling)
    for name, there in ((fault.field, whole), (fault.field.rpartition(".")[2], whole.rpartition(".")[2])):
        if message.startswith((f"{name} ", f"{name}:")):
            return there + message[len(name) :]
    return message
