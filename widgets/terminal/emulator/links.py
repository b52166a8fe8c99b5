"""Hyperlinks of OSC 8."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Final
from weakref import WeakValueDictionary

MAX_ADDRESS: Final = 2083
"""Characters of an address; text with a longer one gets no link, as in other terminals."""

MAX_LINKS: Final = 16_384
"""Links kept for the text of a screen and its scrollback; more of them make no new ones."""

_MAX_ID = 256


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Link:
    """Where text leads. Pieces of text with an equal link belong together, also on several lines."""

    address: str
    id: str


class Links:
    """The links of a screen. One stays as long as a cell uses it."""

    def __init__(self) -> None:
        self._held: WeakValueDictionary[tuple[str, str], Link] = WeakValueDictionary()
        self._numbers = count(1)

    @property
    def full(self) -> bool:
        """Whether no further link fits."""
        return len(self._held) >= MAX_LINKS

    def opened(self, parameters: str, address: str) -> Link | None:
        """The link of `OSC 8 ; parameters ; address`; None where it ends one or is none that can be kept.

        Without an id in the parameters, each opening makes a link of its own.
        """
        if not address or len(address) > MAX_ADDRESS or not address.isprintable():
            return None
        fields = dict(field.partition("=")[::2] for field in parameters.split(":"))
        name = fields.get("id", "")[:_MAX_ID]
        key = (address, f"={name}" if name.isprintable() and name else str(next(self._numbers)))
        link = self._held.get(key)
        if link is None and not self.full:
            link = self._held[key] = Link(*key)
        return link
