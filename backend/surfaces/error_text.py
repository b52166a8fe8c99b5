"""Domain names of fields in the camelCase of the wire."""

from __future__ import annotations

from collections.abc import Mapping

from backend.domain.errors import DomainError, Invalid

# Where the wire's name is another word, not only another spelling.
_RENAMED = {
    "env": "envVars",
    "current": "currentPassword",
    "new": "newPassword",
    "cpu": "resources.cpu",
    "memory": "resources.memory",
}
_FREE_KEYS = ("env", "envVars", "env_vars")


class WireInvalid(Invalid):
    """Faults of a request's form. Their fields are named as they were sent, not as the domain names them."""


def wire_path(path: str) -> str:
    """`health_check.period_seconds` as `healthCheck.periodSeconds`; names of variables stay as they are."""
    first, *rest = path.split(".")
    head = _RENAMED.get(first, _camel(first))
    if first not in _FREE_KEYS:
        rest = [_camel(part) for part in rest]
    return ".".join([head, *rest])


def wire_faults(error: DomainError) -> dict[str, str]:
    """What is wrong with each field, by its name on the wire; empty where the error names none."""
    if isinstance(error, WireInvalid):
        return {fault.field: fault.message for fault in error.fields}
    if isinstance(error, Invalid):
        return {wire_path(fault.field): fault.message for fault in error.fields}
    field = error.details.get("field")
    return {wire_path(field): error.message} if isinstance(field, str) else {}


def wire_details(error: DomainError) -> Mapping[str, object] | None:
    """The `details` of an error body: `fields` by wire name, and what else the error knows. None for nothing."""
    faults = wire_faults(error)
    details = {_camel(name): value for name, value in error.details.items() if name != "field"}
    if faults:
        details["fields"] = faults
    return details or None


def wire_message(error: DomainError) -> str:
    """The message, its leading field name as the wire spells it."""
    if isinstance(error, Invalid) and not isinstance(error, WireInvalid) and error.fields:
        name = error.fields[0].field
        if error.message.startswith(name):
            return wire_path(name) + error.message[len(name) :]
    return error.message


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)
