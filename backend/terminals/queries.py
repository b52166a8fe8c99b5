"""What programs ask of their terminal, found in their output."""

from __future__ import annotations

import re
from collections.abc import Iterator

LONGEST_QUERY = 512

_QUERY = re.compile(
    rb"\x1b(?:"
    rb"\[[>=]?[0-9;]*c"  # device attributes
    rb"|\[\??[0-9;]*n"  # status, where the cursor is
    rb"|\[\??[0-9;]*\$p"  # is a mode set
    rb"|\[>[0-9;]*q"  # name and version
    rb"|\[(?:1[1345689]|2[01])[0-9;]*t"  # the window's size and titles
    rb"|\[\?u"  # kitty's keyboard flags
    rb"|\[[01]?x"  # terminal parameters
    rb"|\[[12]\$w"  # tab stops, the cursor
    rb"|\[[0-9;]*\*y"  # a checksum
    rb"|Z"
    rb"|\](?:4(?:;[0-9]{1,3};\?)+|5;[0-9]{1,3};\?|1[0-9];\?|52;[a-z0-9]{0,16};\?)(?:\x07|\x1b\\)"  # colours, clipboard
    rb"|P[+$]q[^\x1b\x07]{0,256}\x1b\\"  # settings, capabilities
    rb")"
)
# What may become a question when more comes. A style or a move may be held for a moment, which nobody can see.
_BEGUN = re.compile(
    rb"\x1b(?:\[[?>=]?[0-9;]{0,64}[$*]?|\](?:[0-9]{1,2}(?:;[0-9a-z;]{0,64}\??\x1b?)?)?|P(?:[+$](?:q[^\x1b\x07]{0,256}\x1b?)?)?)?\Z"
)


def split_queries(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The data in order, as pairs of what is no question and the question after it (empty at the end)."""
    at = 0
    for found in _QUERY.finditer(data):
        yield data[at : found.start()], found[0]
        at = found.end()
    yield data[at:], b""


def begun_query(data: bytes) -> int:
    """Where a question begins that is not whole yet; the length of the data where none does."""
    found = _BEGUN.search(data, max(0, len(data) - LONGEST_QUERY))
    return len(data) if found is None else found.start()
