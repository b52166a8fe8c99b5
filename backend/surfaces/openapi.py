"""OpenAPI descriptions of handlers that read their own body and query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIMediaType, Operation, Parameter, RequestBody, Schema
from pydantic import BaseModel


def answers(
    status: int, model: type[BaseModel] | None, errors: Mapping[int, str], error: type[BaseModel]
) -> dict[int, ResponseSpec]:
    """The responses of an operation: its success, which has no body where `model` is None, and its errors, which all
    have one shape."""
    success = ResponseSpec(model, generate_examples=False, description="Success")
    return {
        status: success,
        **{code: ResponseSpec(error, generate_examples=False, description=text) for code, text in errors.items()},
    }


def reads(body: type[BaseModel] | None = None, query: Mapping[str, Mapping[str, Any]] | None = None) -> type[Operation]:
    """The operation class of a handler that reads this body and these query parameters (JSON schemas by name)."""
    schema = None if body is None else _inlined(body.model_json_schema(by_alias=True))
    parameters = [
        Parameter(name=name, param_in="query", required=False, schema=Schema(**rule), description=None)
        for name, rule in (query or {}).items()
    ]

    @dataclass
    class Described(Operation):
        def __post_init__(self) -> None:
            if schema is not None:
                content = {"application/json": OpenAPIMediaType(schema=schema)}  # type: ignore[arg-type]
                self.request_body = RequestBody(content=content, required=True)
            if parameters:
                self.parameters = [*(self.parameters or []), *parameters]

    return Described


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with its definitions put where they are referred to."""
    definitions = schema.pop("$defs", {})

    def resolve(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                return resolve(definitions[node["$ref"].rpartition("/")[2]])
            return {key: resolve(value) for key, value in node.items()}
        return [resolve(value) for value in node] if isinstance(node, list) else node

    resolved = resolve(schema)
    assert isinstance(resolved, dict)
    return resolved
