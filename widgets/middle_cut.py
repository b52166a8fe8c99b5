"""Cut names in the middle, never until two different names look alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len, get_character_cell_size

ELLIPSIS = "…"


def middle_cut(name: str, width: int) -> str:
    """`name` in at most `width` cells: "my-very…-api-2"."""
    if cell_len(name) <= width:
        return name
    return _cut(name, width, _default_tail(width))


def middle_cuts(names: Sequence[str], width: int) -> list[str]:
    """Each of `names` cut to `width` cells, in order, so that different names stay different.

    Where a plain cut would make some look alike, those are cut around the part that tells them apart, and where no cut
    of this width can, they get as many more cells as the shortest one that can needs (at most the whole name).
    """
    distinct = list(dict.fromkeys(names))
    cuts = {name: middle_cut(name, width) for name in distinct}
    taken = set(cuts.values())
    if len(taken) == len(distinct):
        return [cuts[name] for name in names]
    groups: dict[str, list[str]] = {}
    for name in distinct:
        groups.setdefault(cuts[name], []).append(name)
    used = {cut for cut, group in groups.items() if len(group) == 1}
    for group in groups.values():
        if len(group) > 1:
            for name, cut in zip(group, _tell_apart(group, width, used), strict=True):
                cuts[name] = cut
                used.add(cut)
    return [cuts[name] for name in names]


def _tell_apart(group: list[str], width: int, used: set[str]) -> list[str]:
    longest = max(cell_len(name) for name in group)
    for wider in range(max(width, 2), longest):
        for cuts in _candidates(group, wider):
            if len(set(cuts)) == len(group) and used.isdisjoint(cuts):
                return cuts
    # Whole names differ from each other; from another's cut too, unless that name is itself written with an ellipsis.
    return group


def _candidates(group: list[str], width: int) -> Iterator[list[str]]:
    """Cuts of the whole group at one width, the most natural first."""
    best = _default_tail(width)
    for tail in sorted(range(width), key=lambda tail: abs(tail - best)):
        yield [_cut(name, width, tail) for name in group]
    start = _common_start(group)
    # Around the first difference, with a little of both ends: "my…prod…-2".
    for head in sorted(range(max(0, width - 3)), key=lambda head: abs(head - width // 4)):
        for tail in (width // 4, 0):
            middle = width - head - tail - 2
            if middle > 0 and head < start:
                yield [_window(name, width, head, start, middle, tail) for name in group]


def _common_start(group: list[str]) -> int:
    first, last = min(group), max(group)
    return next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))


def _window(name: str, width: int, head: int, start: int, middle: int, tail: int) -> str:
    if cell_len(name) <= width:
        return name
    left = _head(name, head) + ELLIPSIS
    rest = name[start:]
    if cell_len(rest) <= middle + tail + 1:
        return left + rest
    return left + _head(rest, middle) + ELLIPSIS + _tail(rest, tail)


def _default_tail(width: int) -> int:
    return max(0, width // 2 - 1) if width < 8 else (width - 1) // 2


def _cut(name: str, width: int, tail: int) -> str:
    if width <= 0:
        return ""
    if cell_len(name) <= width:
        return name
    return _head(name, width - 1 - tail) + ELLIPSIS + _tail(name, tail)


def _head(text: str, cells: int) -> str:
    if text.isascii():
        return text[: max(0, cells)]
    return "".join(_take(text, cells))


def _tail(text: str, cells: int) -> str:
    if cells <= 0:
        return ""
    if text.isascii():
        return text[-cells:]
    return "".join(_take(text[::-1], cells))[::-1]


def _take(text: str, cells: int) -> Iterator[str]:
    for character in text:
        cells -= get_character_cell_size(character)
        if cells < 0:
            return
        yield character
