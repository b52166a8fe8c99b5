"""The pure part of reconciling: what to make, start, route and retire next, from what is there.

Called again after every change, it walks a deployment from any state to the desired one without ever routing fewer
ready replicas than it must. Killing the caller between two steps loses nothing: the next plan begins from what is
there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True)
class ReplicaFact:
    """One container: `idle` is created or exited (not coming back by itself), `draining` is on its way out. Of those
    that were there before this process, `proven` is False while `ready` is a presumption only (`trusted` are those of
    the generation that was stable before as well), and `undecided` True while nothing is known yet."""

    container_id: str
    generation: int
    ordinal: int
    ready: bool
    idle: bool
    draining: bool
    proven: bool = True
    trusted: bool = True
    undecided: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    create: tuple[int, ...]
    start: tuple[str, ...]
    route: tuple[str, ...]
    retire: tuple[str, ...]
    complete: bool


def surge(replicas: int) -> int:
    """How many replicas beyond the wanted may exist during an update: a quarter, at least one."""
    return max(1, ceil(replicas / 4))


def plan(replicas: int, generation: int, facts: Sequence[ReplicaFact]) -> Plan:
    """The next step towards `replicas` of `generation`.

    Ready replicas are retired only as far as `replicas` others stay ready; unready ones of another generation at once.
    A presumption keeps a replica in its route, and decides nothing else.
    """
    staying = [fact for fact in facts if not fact.draining]
    current = [fact for fact in staying if fact.generation == generation]
    kept = [fact for fact in current if fact.ordinal < replicas]
    leaving = [fact for fact in current if fact.ordinal >= replicas] + [
        fact for fact in staying if fact.generation != generation
    ]

    retire = [fact for fact in leaving if not fact.ready and not fact.undecided]
    spare = sum(fact.ready and fact.proven for fact in staying) - replicas
    for fact in leaving:
        if fact.ready and spare > 0:
            retire.append(fact)
            spare -= 1
    retired_ids = {fact.container_id for fact in retire}

    # A slot whose container still drains is taken: its name is.
    taken = {fact.ordinal for fact in facts if fact.generation == generation}
    missing = [ordinal for ordinal in range(replicas) if ordinal not in taken]
    waiting = [fact for fact in leaving if fact.container_id not in retired_ids]
    if waiting:
        room = replicas + surge(replicas) - len(kept) - len(waiting)
        missing = missing[: max(0, room)]

    return Plan(
        create=tuple(missing),
        start=tuple(fact.container_id for fact in kept if fact.idle),
        route=tuple(fact.container_id for fact in staying if fact.ready and fact.container_id not in retired_ids),
        retire=tuple(fact.container_id for fact in retire),
        complete=len(kept) == replicas and all(fact.ready and fact.trusted for fact in kept) and not leaving,
    )
