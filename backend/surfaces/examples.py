"""Example bodies for the description of an API: made from the schemas, with values that mean something."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_TIME = "2025-01-01T12:00:00Z"
# By the field's name in snake_case.
_VALUES: dict[str, Any] = {
    "username": "johndoe",
    "email": "john@example.com",
    "password": "correct horse 7 battery",
    "confirm_password": "correct horse 7 battery",
    "current_password": "correct horse 7 battery",
    "new_password": "another 8 battery",
    "confirm_new_password": "another 8 battery",
    "access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2ln",
    "refresh_token": "ce_refresh_0123456789abcdef",
    "token": "0123456789abcdef",
    "name": "production key",
    "description": "for the build server",
    "app_name": "my-app",
    "image": "nginx:latest",
    "port": 80,
    "env_vars": {"NODE_ENV": "production"},
    "replicas": 2,
    "cpu": "500m",
    "memory": "512Mi",
    "path": "/health",
    "url": "http://my-app.localhost:8080",
    "domain": "www.example.com",
    "domain_id": "dom-a1b2c3d4e5",
    "level": "info",
    "source": "app",
    "stream": "stdout",
    "replica": "my-app-1",
    "health": "healthy",
    "uptime": "2d 5h 30m 45s",
    "reason": "",
    "timestamp": _TIME,
    "page": 1,
    "limit": 10,
    "total": 1,
    "total_pages": 1,
    "deployment_count": 3,
    "api_key_count": 2,
    "initial_delay_seconds": 5,
    "period_seconds": 10,
    "timeout_seconds": 5,
    "failure_threshold": 3,
    "desired": 2,
    "ready": 2,
    "available": 2,
    "restart_count": 0,
    "status": "running",
    "message": "Done",
    "error_message": None,
    "expires_at": "2035-01-01T12:00:00Z",
    "key_prefix": "ce_dev_0123",
    "cursor": "1735732800000000000-0",
    "service": "container-engine",
    "version": "0.1.0",
}
# By the model and the field's name.
_OWNED: dict[tuple[str, str], Any] = {
    ("DnsRecordModel", "type"): "CNAME",
    ("DnsRecordModel", "name"): "www.example.com",
    ("DnsRecordModel", "value"): "my-app.localhost",
    ("NotificationFrame", "type"): "test",
    ("DomainListItem", "status"): "active",
    ("DomainAddResponse", "status"): "pending",
    ("DeploymentCreateResponse", "status"): "pending",
    ("ScaleResponse", "status"): "scaling",
    ("RegistryAuthModel", "password"): "s3cret",
}
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Examples:
    """Makes examples from JSON schemas. `ids` has an id by kind: user, key, deployment, domain and so on."""

    def __init__(
        self,
        definitions: Mapping[str, Any],
        ids: Mapping[str, str],
        values: Mapping[str, Any],
        owned: Mapping[tuple[str, str], Any],
    ) -> None:
        """`values` are the surface's own, by a field's name in snake_case; `owned` by the model too."""
        self._definitions = definitions
        self._ids = ids
        self._values = _VALUES | dict(values)
        self._owned = _OWNED | dict(owned)

    def of(self, schema: Mapping[str, Any], field: str = "", owner: str = "") -> Any:
        """A value that fits the schema of a field of a model."""
        name = _WORDS.sub("_", field).lower()
        if (owner, name) in self._owned:
            return self._owned[owner, name]
        if "$ref" in schema:
            return self.of(self._definitions[schema["$ref"].rpartition("/")[2]], field, owner)
        for choices in (schema.get("anyOf"), schema.get("oneOf")):
            if choices:
                if {"type": "null"} in choices and name in self._values and self._values[name] is None:
                    return None
                return self.of(next((one for one in choices if one.get("type") != "null"), choices[0]), field, owner)
        if "const" in schema:
            return schema["const"]
        kind = schema.get("type")
        if "enum" in schema:
            return self._values[name] if self._values.get(name) in schema["enum"] else schema["enum"][0]
        if kind == "object":
            if "properties" not in schema:
                return self._values.get(name, {})
            title = str(schema.get("title", ""))
            return {key: self.of(inner, key, title) for key, inner in schema["properties"].items()}
        if kind == "array":
            return [self.of(schema.get("items", {}), field, owner)]
        return self._plain(schema, str(kind), name, owner)

    def _plain(self, schema: Mapping[str, Any], kind: str, name: str, owner: str) -> Any:
        if name == "id" or name.endswith("_id"):
            return self._ids[_kind_of(owner if name == "id" else name)]
        value = self._values.get(name)
        if schema.get("format") == "date-time":
            return value or _TIME
        if kind == "string":
            return value if isinstance(value, str) else ("text" if value is None else str(value))
        if kind == "boolean":
            return value if isinstance(value, bool) else True
        return value if isinstance(value, int | float) else 1


def _kind_of(owner: str) -> str:
    word = owner.lower()
    for kind in ("environment", "template", "cluster"):
        if word.startswith(kind):
            return kind
    for kind, marks in (("domain", ("domain",)), ("key", ("apikey", "api_key", "key")), ("user", ("user", "profile"))):
        if any(mark in word for mark in marks):
            return kind
    return "user" if word.startswith(("register", "login")) else "deployment"
