"""The looks of cells as the outer terminal takes them: its number of colours, the app's theme, no colours at all."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Final

from rich.color import Color, ColorSystem
from rich.segment import Segment
from rich.style import Style as RichStyle
from rich.terminal_theme import TerminalTheme
from textual.color import Color as TextualColor
from textual.constants import DIM_FACTOR
from textual.filter import LineFilter

from widgets.terminal.emulator import DEFAULT, RGB, Style
from widgets.terminal.emulator import style as looks

_MAX_STYLES: Final = 16384
_SYSTEMS: Final = {
    "truecolor": ColorSystem.TRUECOLOR,
    "256": ColorSystem.EIGHT_BIT,
    "standard": ColorSystem.STANDARD,
    "windows": ColorSystem.WINDOWS,
}
_ATTRIBUTES: Final = (
    (looks.BOLD, "1"),
    (looks.ITALIC, "3"),
    (looks.BLINK, "5"),
    (looks.REVERSE, "7"),
    (looks.CONCEAL, "8"),
    (looks.STRIKE, "9"),
    (looks.OVERLINE, "53"),
)
_FOREGROUND: Final = 256 + 10
_BACKGROUND: Final = 256 + 11
_UNDERLINES: Final = ("", "4", "21", "4:3", "4:4", "4:5")


def styled_underlines(environment: Mapping[str, str]) -> bool:
    """Whether the outer terminal is known to draw curly, dotted and coloured underlines. Others may misread them."""
    term = environment.get("TERM", "")
    if environment.get("TMUX") or term.startswith(("tmux", "screen")):
        return False
    if term.startswith(("xterm-kitty", "xterm-ghostty", "foot", "wezterm", "alacritty", "contour")):
        return True
    if environment.get("TERM_PROGRAM") in ("WezTerm", "ghostty", "iTerm.app"):
        return True
    version = environment.get("VTE_VERSION", "")
    return version.isdigit() and int(version) >= 5200


class Palette:
    """Turns styles of the emulator into SGR parameters and, for what is not drawn by us, into Rich's styles.

    `base` is the look of cells without a style; `filters` are the app's (from `App.get_line_filters`); `system` is
    Rich's name of what the outer terminal has ("truecolor", "256", "standard", None for no colours). With `theme`,
    the 16 colours are the theme's, else the outer terminal's own. With `monochrome` all colours become greys.
    `changed` are the program's own colours (`Screen.palette`).
    """

    def __init__(
        self,
        base: RichStyle,
        *,
        system: str | None = "truecolor",
        theme: TerminalTheme | None = None,
        monochrome: bool = False,
        filters: Sequence[LineFilter] = (),
        underlines: bool = False,
        changed: Mapping[int, int] | None = None,
    ) -> None:
        self.base = base
        self._system = _SYSTEMS.get(system or "")
        self._theme = theme
        self._monochrome = monochrome
        self._filters = tuple(filters)
        self._underlines = underlines
        self._changed = dict(changed or {})
        self._background = TextualColor.from_rich_color(base.bgcolor) if base.bgcolor else TextualColor(0, 0, 0)
        self._rich: dict[Style, RichStyle] = {}
        self._sgr: dict[Style, str] = {}
        self._codes: dict[tuple[int, bool], str] = {}

    @property
    def colourless(self) -> bool:
        """Whether marks must be told apart without colours."""
        return self._system is None or self._monochrome

    # For what we draw

    def sgr(self, look: Style) -> str:
        """The sequence that starts a run of this look, whatever came before it."""
        made = self._sgr.get(look)
        if made is None:
            if len(self._sgr) >= _MAX_STYLES:
                self._sgr.clear()
            made = self._sgr[look] = self._made(look)
        return made

    def _made(self, look: Style) -> str:
        flags, parts = look.flags, ["0"]
        if flags:
            parts += [code for bit, code in _ATTRIBUTES if flags & bit]
        if look.underline:
            parts.append(_UNDERLINES[look.underline] if self._underlines or look.underline == 2 else "4")
            if self._underlines and look.underline_colour >= 0:
                red, green, blue = self._triplet(look.underline_colour, True)
                parts.append(f"58:2::{red}:{green}:{blue}")
        dimmed = flags & looks.DIM
        if dimmed and self._theme is not None and self._system is not None:
            front, back = self._triplet(look.fg, True), self._triplet(look.bg, False)
            red, green, blue = (round(b + (f - b) * DIM_FACTOR) for f, b in zip(front, back, strict=True))
            parts.append(self._code(RGB | red << 16 | green << 8 | blue, True))
        else:
            if dimmed:
                parts.append("2")
            parts.append(self._code(look.fg, True))
        parts.append(self._code(look.bg, False))
        return f"\x1b[{';'.join(filter(None, parts))}m"

    def _code(self, colour: int, foreground: bool) -> str:
        """SGR parameters of a colour; empty where it needs none."""
        key = (colour, foreground)
        code = self._codes.get(key)
        if code is None:
            if len(self._codes) >= _MAX_STYLES:
                self._codes.clear()
            code = self._codes[key] = self._found(colour, foreground)
        return code

    def _found(self, colour: int, foreground: bool) -> str:
        if self._system is None:
            return ""
        colour = self._own(colour, foreground)
        lead = "38" if foreground else "48"
        if not self._monochrome:
            if colour >= RGB and self._system is ColorSystem.TRUECOLOR:
                return f"{lead};2;{colour >> 16 & 255};{colour >> 8 & 255};{colour & 255}"
            if 16 <= colour < RGB and self._system in (ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT):
                return f"{lead};5;{colour}"
        shown = self._shown(colour, foreground)
        if shown is None:
            return ""
        return ";".join(shown.downgrade(self._system).get_ansi_codes(foreground))

    def _shown(self, colour: int, foreground: bool) -> Color | None:
        """The colour after theme and greys; None where the outer terminal's own default is meant."""
        colour = self._own(colour, foreground)
        named = (self.base.color if foreground else self.base.bgcolor) if colour < 0 else _colour(colour)
        if named is None or named.is_default:
            return None
        if self._theme is not None and named.triplet is None:
            named = Color.from_triplet(named.get_truecolor(self._theme, foreground))
        if self._monochrome:
            named = TextualColor.from_rich_color(named).monochrome.rich_color
        return named

    def _own(self, colour: int, foreground: bool) -> int:
        """The colour that the program put in the place of this one; else the same."""
        if not self._changed or colour >= RGB:
            return colour
        number = colour if colour >= 0 else (_FOREGROUND if foreground else _BACKGROUND)
        own = self._changed.get(number)
        return colour if own is None else RGB | own

    def _triplet(self, colour: int, foreground: bool) -> tuple[int, int, int]:
        shown = self._shown(colour, foreground) or Color.default()
        return shown.get_truecolor(self._theme, foreground)

    # For what Rich and Textual draw

    def rich(self, look: Style) -> RichStyle:
        """The look as Rich's style, with the app's filters applied."""
        made = self._rich.get(look)
        if made is None:
            plain = look is DEFAULT and not self._changed
            made = (
                self.base
                if plain
                else self.base + _rich_style(look, self._own(look.fg, True), self._own(look.bg, False))
            )
            for each in self._filters:
                made = each.apply([Segment(" ", made)], self._background)[0].style or made
            if len(self._rich) >= _MAX_STYLES:
                self._rich.clear()
            self._rich[look] = made
        return made


def _colour(colour: int) -> Color | None:
    """A colour of the emulator as Rich's; None for the terminal's own."""
    if colour < 0:
        return None
    if colour >= RGB:
        rgb = colour - RGB
        return Color.from_rgb(rgb >> 16, rgb >> 8 & 255, rgb & 255)
    return Color.from_ansi(colour)


def _rich_style(look: Style, foreground: int, background: int) -> RichStyle:
    flags = look.flags
    return RichStyle(
        color=_colour(foreground),
        bgcolor=_colour(background),
        bold=bool(flags & looks.BOLD) or None,
        dim=bool(flags & looks.DIM) or None,
        italic=bool(flags & looks.ITALIC) or None,
        blink=bool(flags & looks.BLINK) or None,
        reverse=bool(flags & looks.REVERSE) or None,
        conceal=bool(flags & looks.CONCEAL) or None,
        strike=bool(flags & looks.STRIKE) or None,
        overline=bool(flags & looks.OVERLINE) or None,
        underline=look.underline not in (0, 2) or None,
        underline2=look.underline == 2 or None,
    )


OUTER_UNDERLINES: Final = styled_underlines(os.environ)
"""Whether the terminal that this process runs in draws styled underlines."""
