"""An SVG of what a running app shows, that needs nothing from elsewhere to be drawn."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from textual.app import App

FONTS = "'Fira Code', 'JetBrains Mono', 'DejaVu Sans Mono', Menlo, Consolas, monospace"


def save_picture(app: App[Any], path: Path) -> None:
    """Writes the app's screen to the file."""
    svg = app.export_screenshot(title="pilothouse")
    # The export names fonts on a server elsewhere; a picture in a README may load none.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font-family: Fira Code, monospace", f"font-family: {FONTS}", svg)
    path.write_text(re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE))
