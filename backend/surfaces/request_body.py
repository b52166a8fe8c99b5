"""A JSON body becomes a wire model, or WireInvalid with every fault named by its field."""

from __future__ import annotations

import contextlib
import json
import logging
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from litestar.exceptions import ClientException, InternalServerException
from pydantic import BaseModel, ValidationError

from backend.domain.errors import FieldError
from backend.domain.shown import shown
from backend.surfaces.error_text import WireInvalid

if TYPE_CHECKING:
    from litestar import Request
    from pydantic_core import ErrorDetails

log = logging.getLogger(__name__)

Model = TypeVar("Model", bound=BaseModel)

MAX_FAULTS = 20
_NUL_ESCAPE = b"\\u0000"

_MESSAGES = {
    "missing": "is required",
    "string_type": "must be a string",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "is too large a number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "list_type": "must be an array",
    "datetime_type": "must be a time such as 2025-12-31T23:59:59Z",
    "datetime_parsing": "must be a time such as 2025-12-31T23:59:59Z",
    "datetime_from_date_parsing": "must be a time such as 2025-12-31T23:59:59Z",
}


class NotJson(WireInvalid):
    """A body that is no JSON at all, or is not said to be."""


async def body_of(request: Request[Any, Any, Any]) -> bytes:
    """The body's bytes. Raises ClientException, which nobody will read, where the client goes away within it."""
    try:
        return await request.body()
    except InternalServerException as error:
        log.debug("a client went away within its request: %s", error.detail)
        raise ClientException("The connection ended within the body") from None


async def read_json(request: Request[Any, Any, Any], model: type[Model]) -> Model:
    """The body as a wire model. Raises NotJson or WireInvalid; field names are those of the wire."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await body_of(request)
    if media_type != "application/json":
        said = f"not {shown(media_type)}" if media_type else "and the request names none"
        raise NotJson(f"The Content-Type must be application/json, {said}")
    if not body.strip():
        raise NotJson("The body is empty: send a JSON object")
    try:
        parsed = model.model_validate_json(body)
    except ValidationError as error:
        raise _invalid(error, model) from None
    _check_strictly(body)
    if _NUL_ESCAPE in body:
        faults = [
            FieldError(path, "must not contain the character U+0000")
            for path in _strings_with_nul(parsed.model_dump(by_alias=True))
        ]
        if faults:
            raise WireInvalid("A text contains the character U+0000: remove it", fields=tuple(faults))
    return parsed


def _check_strictly(body: bytes) -> None:
    """Raises NotJson for NaN and infinities, and WireInvalid for a name given twice, of which the validator would take
    the last. For bodies that fit their model, which bounds how deep they are."""
    try:
        json.loads(body, object_pairs_hook=_named_once, parse_constant=_finite, parse_float=_finite)
    except ValueError as error:
        raise NotJson(f"The body is not valid JSON: {error}") from None


def _named_once(members: list[tuple[str, Any]]) -> None:
    names = {name for name, _ in members}
    if len(names) < len(members):
        for name, _ in members:
            if name not in names:
                path = _shown(name)
                raise WireInvalid(f"{path} is given twice", fields=(FieldError(path, "is given twice"),))
            names.remove(name)


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{shown(text)} is not a number that JSON or a program can hold")
    return number


def _invalid(error: ValidationError, model: type[BaseModel]) -> WireInvalid:
    found = error.errors(include_url=False, include_input=False)
    for fault in found:
        if fault["type"] == "json_invalid":
            return NotJson(f"The body is not valid JSON: {fault.get('ctx', {}).get('error', fault['msg'])}")
        if not fault["loc"]:
            return WireInvalid("The body must be a JSON object")
    faults = tuple(_field_error(fault, model) for fault in found[:MAX_FAULTS])
    return WireInvalid(f"{faults[0].field} {faults[0].message}", fields=faults)


def _field_error(fault: ErrorDetails, model: type[BaseModel]) -> FieldError:
    path = ".".join(_shown(part) for part in fault["loc"] if part != "[key]")
    if fault["type"] == "extra_forbidden":
        known = ", ".join(_fields_at(model, fault["loc"][:-1]))
        return FieldError(path, f"is not a field of this request: the fields are {known}", fault["type"])
    message = _MESSAGES.get(fault["type"])
    return FieldError(path, message if message else fault["msg"][:1].lower() + fault["msg"][1:], fault["type"])


def _shown(part: str | int) -> str:
    """A part of a path, cut where a client sent a monster as a field's name."""
    text = str(part)
    return text if len(text) <= 100 else f"{text[:97]}..."


def _fields_at(model: type[BaseModel], location: Iterable[str | int]) -> list[str]:
    """The wire names of the fields of the (nested) model at a location."""
    for part in location:
        for name, field in model.model_fields.items():
            if part in (name, field.alias):
                candidates = (field.annotation, *getattr(field.annotation, "__args__", ()))
                with contextlib.suppress(StopIteration):
                    model = next(c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel))
                break
    return [field.alias or name for name, field in model.model_fields.items()]


def _strings_with_nul(value: Any, path: str = "") -> Iterable[str]:
    if isinstance(value, str):
        if "\0" in value:
            yield path
    elif isinstance(value, dict):
        for key, inner in value.items():
            here = f"{path}.{key}" if path else str(key)
            if "\0" in str(key):
                yield path
            else:
                yield from _strings_with_nul(inner, here)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _strings_with_nul(inner, f"{path}.{index}")
