"""The plan of a rollout, walked by a simulation that obeys it: it must end, and never take away what serves."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.services.reconciler.rollout import ReplicaFact, plan, surge


def fact(generation: int, ordinal: int, *, ready: bool = True, idle: bool = False) -> ReplicaFact:
    return ReplicaFact(f"g{generation}-{ordinal}", generation, ordinal, ready, idle, draining=False)


def test_first_deployment_makes_all_at_once() -> None:
    assert plan(3, 1, []).create == (0, 1, 2)


def test_nothing_is_left_to_do_when_all_are_ready() -> None:
    step = plan(2, 1, [fact(1, 0), fact(1, 1)])
    assert step.complete
    assert (step.create, step.start, step.retire) == ((), (), ())
    assert step.route == ("g1-0", "g1-1")


def test_update_begins_with_the_surge_and_retires_nothing_that_serves() -> None:
    step = plan(4, 2, [fact(1, n) for n in range(4)])
    assert len(step.create) == surge(4)
    assert step.retire == ()
    assert len(step.route) == 4


def test_a_ready_newcomer_lets_one_old_go() -> None:
    step = plan(4, 2, [*(fact(1, n) for n in range(4)), fact(2, 0)])
    assert len(step.retire) == 1
    assert "g2-0" in step.route
    assert len(step.route) == 4


def test_scale_down_waits_for_those_that_stay() -> None:
    facts = [fact(1, 0, ready=False), fact(1, 1), fact(1, 2)]
    assert plan(1, 1, facts).retire == ("g1-1",)


def test_scale_to_zero_retires_all() -> None:
    step = plan(0, 1, [fact(1, 0), fact(1, 1)])
    assert set(step.retire) == {"g1-0", "g1-1"}
    assert step.route == ()
    assert plan(0, 1, []).complete


def test_unready_ones_of_another_generation_go_at_once() -> None:
    assert plan(2, 1, [fact(1, 0), fact(1, 1), fact(2, 0, ready=False)]).retire == ("g2-0",)


def test_a_presumption_keeps_a_route_and_decides_nothing_else() -> None:
    presumed = replace(fact(2, 0), proven=False, trusted=False)
    step = plan(1, 2, [fact(1, 0), presumed])
    assert (step.route, step.retire, step.complete) == (("g1-0", "g2-0"), (), False)
    assert not plan(1, 2, [presumed]).complete
    step = plan(1, 2, [fact(1, 0), replace(presumed, proven=True, trusted=True)])
    assert (step.route, step.retire) == (("g2-0",), ("g1-0",))


def test_a_presumed_one_of_the_stable_generation_lets_none_go() -> None:
    facts = [replace(fact(1, 0), proven=False), fact(1, 1), fact(1, 2)]
    assert plan(2, 1, facts).retire == ()
    assert plan(1, 1, facts).retire == ("g1-1",)
    assert plan(3, 1, facts).complete


def test_those_of_another_generation_that_nothing_is_known_of_yet_are_left() -> None:
    found = replace(fact(1, 0, ready=False), undecided=True)
    step = plan(1, 2, [found, fact(2, 0, ready=False)])
    assert (step.retire, step.route) == ((), ())
    assert plan(1, 2, [replace(found, undecided=False), fact(2, 0, ready=False)]).retire == ("g1-0",)


def test_a_stopped_one_is_started_and_a_draining_one_blocks_its_slot() -> None:
    assert plan(1, 1, [fact(1, 0, ready=False, idle=True)]).start == ("g1-0",)
    assert plan(1, 1, [replace(fact(1, 0), draining=True)]).create == ()


@st.composite
def worlds(draw: st.DrawFn) -> tuple[int, list[ReplicaFact]]:
    replicas = draw(st.integers(0, 12))
    facts = {}
    for generation in (1, 2, 3):
        for ordinal in draw(st.sets(st.integers(0, 14), max_size=8)):
            ready = draw(st.booleans())
            facts[generation, ordinal] = fact(generation, ordinal, ready=ready, idle=not ready and draw(st.booleans()))
    return replicas, list(facts.values())


@settings(max_examples=300, deadline=None, derandomize=True)
@given(worlds(), st.integers(1, 3), st.randoms(use_true_random=False))
def test_every_world_ends_as_asked_without_dropping_below(
    world: tuple[int, list[ReplicaFact]], generation: int, random: object
) -> None:
    replicas, start = world
    facts = {item.container_id: item for item in start}
    floor = min(replicas, sum(item.ready for item in start))
    for _ in range(200):
        step = plan(replicas, generation, list(facts.values()))
        assert len(step.route) >= floor
        staying = sum(not item.draining for item in facts.values()) - len(step.retire) + len(step.create)
        assert staying <= max(len(start), replicas) + surge(replicas)
        if step.complete and not any(item.draining for item in facts.values()):
            break
        for key in step.retire:
            facts[key] = replace(facts[key], draining=True, ready=False)
        for ordinal in step.create:
            made = fact(generation, ordinal, ready=False)
            facts[made.container_id] = made
        for key in step.start:
            facts[key] = replace(facts[key], idle=False)
        draining = [key for key, item in facts.items() if item.draining]
        coming = [
            key
            for key, item in facts.items()
            if item.generation == generation and not (item.ready or item.idle or item.draining)
        ]
        # The world moves on in any order, one thing at a time.
        choices = draining + coming
        if choices:
            key = random.choice(choices)  # type: ignore[attr-defined]
            if key in draining:
                del facts[key]
            else:
                facts[key] = replace(facts[key], ready=True)
    else:
        raise AssertionError("the rollout does not end")
    assert sorted((item.generation, item.ordinal) for item in facts.values()) == [
        (generation, ordinal) for ordinal in range(replicas)
    ]
