"""Contrast of two colours as WCAG 2 defines it."""

from __future__ import annotations

from textual.color import Color


def contrast_ratio(first: str, second: str) -> float:
    """From 1 (the same) to 21 (black on white); text wants 4.5. Takes any colour that Textual parses, without alpha."""
    lights = sorted((_luminance(Color.parse(first)), _luminance(Color.parse(second))), reverse=True)
    return (lights[0] + 0.05) / (lights[1] + 0.05)


def _luminance(color: Color) -> float:
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in color.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
