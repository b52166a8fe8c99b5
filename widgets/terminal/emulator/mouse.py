"""Mouse reports as xterm sends them."""

from __future__ import annotations

from enum import Enum


class MouseAction(Enum):
    """What the mouse did."""

    PRESS = "press"
    RELEASE = "release"
    MOVE = "move"
    SCROLL_UP = "scroll up"
    SCROLL_DOWN = "scroll down"
    SCROLL_LEFT = "scroll left"
    SCROLL_RIGHT = "scroll right"


_WHEEL = {
    MouseAction.SCROLL_UP: 64,
    MouseAction.SCROLL_DOWN: 65,
    MouseAction.SCROLL_LEFT: 66,
    MouseAction.SCROLL_RIGHT: 67,
}


def encode_mouse(
    action: MouseAction,
    button: int,
    column: int,
    line: int,
    *,
    mode: int,
    sgr: bool,
    shift: bool = False,
    alt: bool = False,
    ctrl: bool = False,
) -> bytes | None:
    """The report of a mouse event; None where the mode does not want it.

    `button` is 1 left, 2 middle, 3 right, 0 none; `column` and `line` are 0-based cells; `mode` is 9, 1000, 1002
    or 1003. Without SGR coordinates, cells past 222 cannot be told and send nothing.
    """
    if action is MouseAction.MOVE:
        if mode not in (1002, 1003) or (mode == 1002 and not button):
            return None
        code = 32 + (button - 1 if button else 3)
    elif action in _WHEEL:
        code = _WHEEL[action]
    else:
        code = max(0, button - 1)
    if mode == 9:
        if action is not MouseAction.PRESS:
            return None
    else:
        code += 4 * shift + 8 * alt + 16 * ctrl
    if sgr:
        final = "m" if action is MouseAction.RELEASE else "M"
        return f"\x1b[<{code};{column + 1};{line + 1}{final}".encode("ascii")
    if action is MouseAction.RELEASE:
        code = code & ~3 | 3
    if column > 222 or line > 222:
        return None
    return b"\x1b[M" + bytes((32 + code, 33 + column, 33 + line))
