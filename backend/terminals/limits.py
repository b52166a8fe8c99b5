"""How many sessions there may be, counted where they are: nothing comes between the count and the start."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from backend.domain.errors import TooMany
from backend.domain.terminals import SessionLimit
from backend.terminals.session import Session

RETRY_SECONDS = 5.0
_NAMED = 3


def check_limits(limits: Sequence[SessionLimit], sessions: Collection[Session], elsewhere: Mapping[str, int]) -> None:
    """Whether one more may be started beside these, which include those that are about to start; `elsewhere` counts
    those of other holders by group. Raises TooMany, which names some that could be ended."""
    for limit in limits:
        found = _of(limit.group, sessions)
        if len(found) + elsewhere.get(limit.group, 0) >= limit.most:
            found.sort(key=_in_use)
            names = ", ".join(f"{one.key.name} of {one.what.where}" for one in found[:_NAMED])
            such = f" one, such as {names}" if names else " one"
            raise TooMany(f"{limit.message}: end{such}", retry_after=RETRY_SECONDS)


def counts(groups: Collection[str], sessions: Collection[Session]) -> dict[str, int]:
    """How many are of each group."""
    return {group: len(_of(group, sessions)) for group in groups}


def _of(group: str, sessions: Collection[Session]) -> list[Session]:
    return [one for one in sessions if any(limit.group == group for limit in one.what.limits)]


def _in_use(session: Session) -> tuple[bool, datetime]:
    """Least first: nobody views it, and nobody has typed for the longest time."""
    return bool(session.viewers), session.last_input_at or session.started_at
