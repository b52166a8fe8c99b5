"""A deployment as YAML, to read, select and copy."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_PLAIN = re.compile(r"^[A-Za-z_/][A-Za-z0-9_./:@-]*$")
# Words that YAML readers take for something else than a text.
_RESERVED = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", "~"})


def to_yaml(value: Mapping[str, Any]) -> str:
    """JSON-like data (dicts, lists, texts, numbers, booleans, None) as YAML that any reader takes back."""
    return "\n".join(_mapping(value, 0)) + "\n"


def _mapping(value: Mapping[str, Any], depth: int) -> list[str]:
    lines: list[str] = []
    for key, item in value.items():
        lines += _entry(f"{'  ' * depth}{_scalar(str(key))}:", item, depth)
    return lines


def _entry(head: str, item: Any, depth: int) -> list[str]:
    if isinstance(item, Mapping):
        return [head, *_mapping(item, depth + 1)] if item else [f"{head} {{}}"]
    if isinstance(item, Sequence) and not isinstance(item, str):
        if not item:
            return [f"{head} []"]
        lines = [head]
        for element in item:
            if isinstance(element, Mapping) and element:
                first, *rest = _mapping(element, depth + 2)
                lines += [f"{'  ' * (depth + 1)}- {first.strip()}", *rest]
            else:
                lines.append(f"{'  ' * (depth + 1)}- {_scalar(element)}")
        return lines
    return [f"{head} {_scalar(item)}"]


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.match(value) and value.lower() not in _RESERVED and not value.endswith(":"):
        return value if ": " not in value else json.dumps(value)
    return json.dumps(value, ensure_ascii=False)
