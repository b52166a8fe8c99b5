"""Styled lines of the presentation as Rich text in the theme now in use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.style import Style
from rich.text import Text
from textual.widget import Widget

from widgets.style_tokens import token_style

URL_TOKEN = "url"


def styled(widget: Widget, lines: Iterable[Sequence[tuple[str, str]]]) -> Text:
    """Lines of (text, style token) spans, joined by newlines. The token `url` underlines."""
    text = Text()
    for number, line in enumerate(lines):
        if number:
            text.append("\n")
        for part, token in line:
            text.append(part, Style(underline=True) if token == URL_TOKEN else token_style(widget, token))
    return text
