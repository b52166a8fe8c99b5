"""Query parameters of the documents as JSON schemas, for their OpenAPI pages."""

from __future__ import annotations

from typing import Any

from litestar.openapi.spec import OpenAPIFormat, OpenAPIType

_TIME: dict[str, Any] = {"type": OpenAPIType.STRING, "format": OpenAPIFormat.DATE_TIME}

PAGE: dict[str, dict[str, Any]] = {
    "page": {"type": OpenAPIType.INTEGER, "default": 1, "minimum": 1},
    "limit": {"type": OpenAPIType.INTEGER, "default": 10, "minimum": 1, "maximum": 100},
}
STATUSES = ("pending", "running", "stopped", "failed")
DEPLOYMENT_PAGE = PAGE | {"status": {"type": OpenAPIType.STRING, "enum": list(STATUSES)}}
MAX_TAIL = 10_000
LOGS: dict[str, dict[str, Any]] = {
    "tail": {"type": OpenAPIType.INTEGER, "default": 100, "minimum": 0, "maximum": MAX_TAIL},
    "follow": {"type": OpenAPIType.BOOLEAN, "default": False},
    "since": _TIME,
    "until": _TIME,
}
METRICS: dict[str, dict[str, Any]] = {
    "from": _TIME,
    "to": _TIME,
    "resolution": {"type": OpenAPIType.STRING, "enum": ["1m", "5m", "1h", "1d"], "default": "1m"},
}
