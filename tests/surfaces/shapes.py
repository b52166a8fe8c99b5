"""Shapes of JSON, compactly: a dict of fields, a one-element list, or a rule by name."""

from __future__ import annotations

import re
from typing import Any

_PATTERNS = {
    "usr": r"usr-[a-z0-9]{10}",
    "key": r"key-[a-z0-9]{10}",
    "dpl": r"dpl-[a-z0-9]{10}",
    "dom": r"dom-[a-z0-9]{10}",
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "instant": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z",
    "uptime": r"(\d+d )?(\d+h )?(\d+m )?\d+s",
    "url": r"http://[a-z0-9-]+\.localhost:\d+",
    "apikey": r"ce_api_[A-Za-z0-9_-]{20,}",
    "status": r"pending|running|stopped|failed|updating|scaling|stopping|starting",
    "uuid": r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    "devkey": r"ce_dev_[A-Za-z0-9_-]{43,}",
    "word": r"pending|running|stopped|failed|updating",
    "level": r"debug|info|warn|error",
}


def fits(value: Any, shape: Any, path: str = "$") -> None:
    """Asserts that a value has at least the fields of a shape, each of its type. `name?` may be null; `=text` is that
    very text."""
    if isinstance(shape, dict):
        assert isinstance(value, dict), f"{path} is no object: {value!r}"
        for name, inner in shape.items():
            assert name in value, f"{path}.{name} is missing: {value!r}"
            fits(value[name], inner, f"{path}.{name}")
    elif isinstance(shape, list):
        assert isinstance(value, list), f"{path} is no array: {value!r}"
        for index, item in enumerate(value):
            fits(item, shape[0], f"{path}[{index}]")
    elif shape.endswith("?"):
        if value is not None:
            fits(value, shape[:-1], path)
    elif shape.startswith("="):
        assert value == shape[1:], f"{path} is {value!r}, not {shape[1:]!r}"
    elif shape in _PATTERNS:
        assert isinstance(value, str), f"{path} is no text: {value!r}"
        assert re.fullmatch(_PATTERNS[shape], value), f"{path} is no {shape}: {value!r}"
    elif shape == "bool":
        assert isinstance(value, bool), f"{path} is neither true nor false: {value!r}"
    elif shape == "texts":
        assert isinstance(value, dict), f"{path} is no object: {value!r}"
        assert all(isinstance(v, str) for v in value.values()), f"{path} is no map of texts: {value!r}"
    else:
        kind = {"text": str, "int": int, "number": (int, float)}[shape]
        assert isinstance(value, kind), f"{path} is no {shape}: {value!r}"
        assert not isinstance(value, bool), f"{path} is no {shape}: {value!r}"
