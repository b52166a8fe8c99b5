"""An OpenAPI description as one HTML page: no script, no other file, so that it works offline and in any browser."""

from __future__ import annotations

import json
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --accent: #2f6feb; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; } h2 { margin-top: 2.5rem; text-transform: capitalize; }
code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { background: var(--soft); padding: .6rem .8rem; overflow-x: auto; border-radius: 4px; }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: 0 .8rem; }
details details { background: none; }
summary { cursor: pointer; padding: .5rem 0; } summary small { opacity: .75; margin-left: .5rem; }
b.m { display: inline-block; min-width: 4.2rem; color: var(--accent); font-family: ui-monospace, monospace; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .25rem .6rem .25rem 0;
border-bottom: 1px solid var(--line); vertical-align: top; }
nav a { margin-right: 1rem; }
"""


def page_of(description: dict[str, Any]) -> bytes:
    """The whole page."""
    info, server = description["info"], description["servers"][0]["url"]
    prefix = "" if server == "/" else server
    tags = [tag["name"] for tag in description["tags"]]
    parts = [
        f"<h1>{escape(info['title'])}</h1>",
        f"<p>Version {escape(info['version'])}, base path <code>{escape(server)}</code>, "
        f'<a href="{escape(prefix)}/openapi.json">OpenAPI 3.1 description</a>, <a href="/docs">all surfaces</a></p>',
        *(f"<p>{escape(text)}</p>" for text in info["description"].split("\n\n")),
        "<nav>",
        *(f'<a href="#{_anchor(tag)}">{escape(tag)}</a>' for tag in tags),
        "</nav>",
    ]
    for tag in tags:
        parts.append(f'<h2 id="{_anchor(tag)}">{escape(tag)}</h2>')
        parts += [
            _operation(method, path, operation, prefix)
            for path, item in description["paths"].items()
            for method, operation in item.items()
            if operation.get("tags", [""])[0] == tag
        ]
    body = "\n".join(parts)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(info["title"])}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body>\n{body}\n</body></html>\n"
    ).encode()


def _operation(method: str, path: str, operation: dict[str, Any], prefix: str) -> str:
    body = next(iter(operation.get("requestBody", {}).get("content", {}).values()), None)
    parts = [
        f'<details id="{escape(operation["operationId"])}"><summary><b class="m">{method.upper()}</b> '
        f"<code>{escape(path)}</code><small>{escape(operation['summary'])}</small></summary>",
        f"<p>{escape(operation['description'])}</p>" if operation.get("description") else "",
        _parameters(operation.get("parameters", [])),
        f"<h4>Try it</h4><pre>{escape(_curl(method, prefix + path, operation, body))}</pre>",
        "<h4>Answers</h4>",
        *(_response(status, response) for status, response in operation["responses"].items()),
        "</details>",
    ]
    return "\n".join(parts)


def _parameters(parameters: list[dict[str, Any]]) -> str:
    if not parameters:
        return ""
    rows = "".join(
        f"<tr><td><code>{escape(one['name'])}</code></td><td>{escape(one['in'])}</td>"
        f"<td><code>{escape(_rule(one['schema']))}</code></td></tr>"
        for one in parameters
    )
    return f"<h4>Parameters</h4><table><tr><th>Name</th><th>In</th><th>Value</th></tr>{rows}</table>"


def _rule(schema: dict[str, Any]) -> str:
    words = [" | ".join(map(str, schema["enum"])) if "enum" in schema else str(schema.get("type", "any"))]
    words += [f"{name} {schema[name]}" for name in ("format", "minimum", "maximum", "default") if name in schema]
    return ", ".join(words)


def _response(status: str, response: dict[str, Any]) -> str:
    content = "".join(
        f"<p><code>{escape(kind)}</code></p><pre>{escape(_pretty(media.get('example')))}</pre>"
        for kind, media in response.get("content", {}).items()
    )
    return (
        f'<details><summary><b class="m">{escape(status)}</b> {escape(response["description"])}</summary>'
        f"{content}</details>"
    )


def _curl(method: str, path: str, operation: dict[str, Any], body: dict[str, Any] | None) -> str:
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", str(parameter["example"]))
    lines = [f"curl -X {method.upper()} http://127.0.0.1:PORT{path}"]
    if operation.get("security") != []:
        lines.append("-H 'Authorization: Bearer TOKEN'")
    if body is not None:
        lines.append("-H 'Content-Type: application/json'")
        lines.append("-d '" + json.dumps(body["example"], ensure_ascii=False).replace("'", "'\\''") + "'")
    return " \\\n  ".join(lines)


def _pretty(example: Any) -> str:
    return json.dumps(example, indent=2, ensure_ascii=False)


def _anchor(tag: str) -> str:
    return escape(tag.replace(" ", "-"))
