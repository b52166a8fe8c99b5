"""The OpenAPI 3.1 description of a surface, from its handlers and wire models.

Schemas come from the wire models themselves, so that fields have the names they have on the wire.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from litestar import Litestar, Router
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.types import Method
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from backend.surfaces.examples import Examples
from backend.surfaces.failures import Failures

Json = dict[str, Any]

_REF = "#/components/schemas/{model}"
_HEADERS = {
    "X-RateLimit-Limit": ("Requests of this kind that are let in within a minute", 100),
    "X-RateLimit-Remaining": ("How many of them are left", 99),
    "X-RateLimit-Reset": ("When the oldest counted one leaves the window, in seconds since 1970 (UTC)", 1735732860),
}
_ALWAYS = {429: "More requests than the rate limit lets in: ask again after the seconds in Retry-After"}
_WITH_BODY = {413: "The body is too large"}


@dataclass(frozen=True, slots=True)
class About:
    """What a description says besides its operations. `ids` and `values` are for examples; `owned` are values by model
    and field."""

    title: str
    version: str
    text: str
    failures: Failures
    error: type[BaseModel]
    ids: Mapping[str, str]
    values: Mapping[str, Any] = field(default_factory=dict)
    owned: Mapping[tuple[str, str], Any] = field(default_factory=dict)


def describe(handlers: Sequence[Any], about: About) -> Json:
    """The description, without the address it is served at. Takes about a tenth of a second."""
    config = OpenAPIConfig(
        title=about.title,
        version=about.version,
        use_handler_docstrings=True,
        operation_id_creator=_operation_id,
    )
    app = Litestar(route_handlers=list(handlers), openapi_config=config, logging_config=None)
    found: Json = json.loads(json.dumps(app.openapi_schema.to_schema()))
    named = _named(handlers)
    schemas = _schemas([*_models(named.values()), about.error])
    examples = Examples(schemas, about.ids, about.values, about.owned)
    for item in found["paths"].values():
        for operation in item.values():
            handler = named[operation["operationId"]]
            _complete(operation, handler, about, schemas, examples)
            if handler.opt.get("public"):
                operation["security"] = []
    return {
        "openapi": "3.1.0",
        "info": {"title": about.title, "version": about.version, "description": about.text},
        "security": [{"bearer": []}],
        "tags": [{"name": tag} for tag in _tags(found["paths"])],
        "paths": found["paths"],
        "components": {
            "schemas": schemas,
            "headers": {
                name: {"description": text, "schema": {"type": "integer"}, "example": example}
                for name, (text, example) in _HEADERS.items()
            },
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "An access token or an API key"}
            },
        },
    }


def _complete(operation: Json, handler: HTTPRouteHandler, about: About, schemas: Json, examples: Examples) -> None:
    """What every operation has: a summary in words, rate limits, and an example of each body."""
    operation["summary"] = _sentence(_name(handler))
    # The framework adds a 400 of its own to operations with parameters; none of ours has that shape.
    declared = {str(status) for status in handler.responses or ()}
    responses = {status: one for status, one in operation["responses"].items() if status in declared}
    error = {"schema": {"$ref": _REF.format(model=about.error.__name__)}}
    for status, text in (_ALWAYS | (_WITH_BODY if "requestBody" in operation else {})).items():
        responses.setdefault(str(status), {"description": text, "content": {"application/json": dict(error)}})
    for status, response in responses.items():
        headers = response.setdefault("headers", {})
        headers.update({name: {"$ref": f"#/components/headers/{name}"} for name in _HEADERS})
        if status == "429":
            headers["Retry-After"] = {"description": "Seconds", "schema": {"type": "integer", "minimum": 1}}
        for content in response.get("content", {}).values():
            if int(status) < 400:
                content["example"] = examples.of(content["schema"])
            else:
                content["example"] = json.loads(about.failures.body(int(status), response["description"]))
    if any(parameter["name"] == "follow" for parameter in operation.get("parameters", ())):
        line = {"$ref": _REF.format(model="LogEntry")}
        responses["200"]["content"]["application/x-ndjson"] = {"schema": line, "example": examples.of(line)}
    for content in operation.get("requestBody", {}).get("content", {}).values():
        content["example"] = examples.of(content["schema"])
    for parameter in operation.get("parameters", ()):
        parameter.pop("deprecated", None)
        if parameter["in"] == "path":
            parameter["example"] = about.ids[parameter["name"].removesuffix("_id")]
            parameter["schema"] = {"type": "string", "minLength": 1}
    operation["responses"] = dict(sorted(responses.items()))


def _operation_id(handler: HTTPRouteHandler, _: Method, __: list[Any]) -> str:
    head, *rest = _name(handler).split("_")
    return head + "".join(part.capitalize() for part in rest)


def _name(handler: HTTPRouteHandler) -> str:
    return str(handler.fn.__name__)


def _sentence(name: str) -> str:
    words = name.replace("_", " ").replace("api key", "API key")
    return words[:1].upper() + words[1:]


def _named(handlers: Sequence[Any]) -> dict[str, HTTPRouteHandler]:
    """The handlers of operations by their operation ids."""
    found: dict[str, HTTPRouteHandler] = {}
    for handler in handlers:
        if isinstance(handler, Router):
            found |= _named([one for route in handler.routes for one in _of_route(route)])
        elif isinstance(handler, HTTPRouteHandler):
            found[_operation_id(handler, "GET", [])] = handler
    return found


def _of_route(route: Any) -> list[BaseRouteHandler]:
    return list(getattr(route, "route_handlers", ()))


def _models(handlers: Any) -> list[type[BaseModel]]:
    found = [spec.data_container for handler in handlers for spec in (handler.responses or {}).values()]
    return [model for model in found if model is not None]


def _schemas(models: Sequence[type[BaseModel]]) -> Json:
    unique = list(dict.fromkeys(models))
    _, found = models_json_schema(
        [(model, "serialization") for model in unique], by_alias=True, ref_template=_REF
    )  # fmt: skip
    definitions: Json = found["$defs"]
    return dict(sorted(definitions.items()))


def _tags(paths: Json) -> list[str]:
    found = [tag for item in paths.values() for operation in item.values() for tag in operation.get("tags", ())]
    return list(dict.fromkeys(found))
