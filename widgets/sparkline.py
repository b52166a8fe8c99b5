"""A series in one line of block characters, for table cells."""

from __future__ import annotations

from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII_BLOCKS = "_.-=+*#@"


def sparkline(
    values: Sequence[float | None], width: int, *, highest: float | None = None, ascii_only: bool = False
) -> str:
    """The newest `width` of `values` (oldest first) as `width` characters, newest at the right.

    Args:
        values: None is a gap, drawn as a space.
        width: Characters of the result; where there are fewer values, spaces come first.
        highest: Value of the tallest block. Default: the highest of the values shown.
        ascii_only: Use ASCII characters.
    """
    blocks = ASCII_BLOCKS if ascii_only else BLOCKS
    shown = list(values[-width:]) if width > 0 else []
    top = highest if highest is not None else max((value for value in shown if value is not None), default=0.0)
    marks = [" " if value is None else _block(value, top, blocks) for value in shown]
    return "".join(marks).rjust(width)


def _block(value: float, top: float, blocks: str) -> str:
    if top <= 0:
        return blocks[0]
    return blocks[max(0, min(len(blocks) - 1, int(value / top * len(blocks))))]
