"""Both bundled themes can be read: text on every ground that the app puts it on."""

from __future__ import annotations

import pytest
from textual.theme import Theme

from themes.contrast import contrast_ratio
from themes.loader import load_themes
from themes.semantics import SEMANTIC_VARIABLES

BUNDLED = load_themes().themes
GROUNDS = ("background", "surface", "panel", "primary-muted")
"""Page, inputs and dialogs, bars, and the row under the cursor."""
TEXT = [name for name in SEMANTIC_VARIABLES if not name.endswith("background")]


def colors(theme: Theme) -> dict[str, str]:
    return {**theme.to_color_system().generate(), **theme.variables}


def test_black_on_white_is_21() -> None:
    assert contrast_ratio("#000000", "#ffffff") == pytest.approx(21)
    assert contrast_ratio("#777777", "#777777") == 1


@pytest.mark.parametrize("theme", BUNDLED.values(), ids=BUNDLED)
@pytest.mark.parametrize("ground", GROUNDS)
def test_every_meaning_can_be_read_on_every_ground(theme: Theme, ground: str) -> None:
    variables = colors(theme)
    ratios = {name: contrast_ratio(variables[name], variables[ground]) for name in TEXT}
    ratios["foreground"] = contrast_ratio(variables["foreground"], variables[ground])
    assert {name: round(ratio, 2) for name, ratio in ratios.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("theme", BUNDLED.values(), ids=BUNDLED)
def test_text_on_coloured_grounds_can_be_read(theme: Theme) -> None:
    variables = colors(theme)
    pairs = [
        ("block-cursor-foreground", "block-cursor-background"),
        ("footer-key-foreground", "footer-background"),
        ("footer-description-foreground", "footer-background"),
        ("foreground", "match-background"),
        ("background", "warning"),
    ]
    assert [(a, b) for a, b in pairs if contrast_ratio(variables[a], variables[b]) < 4.5] == []
