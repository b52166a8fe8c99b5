"""Logs of real containers."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from backend.domain.engine import ContainerPhase
from backend.domain.errors import NotFound
from tests.engines.engine_bench import Bench


async def test_both_streams_in_order(bench: Bench) -> None:
    # Started again by the engine, it has nothing to add.
    once = "test -e /ran && exit 0; touch /ran"
    made = await bench.run("sh", "-c", f"{once}; echo one; sleep 0.1; echo 'zwei ✓' >&2; sleep 0.1; printf three")
    lines = (await bench.lines(made, follow=True))[:3]
    assert [(line.stream, line.text) for line in lines] == [
        ("stdout", "one"),
        ("stderr", "zwei ✓"),
        ("stdout", "three"),
    ]
    assert lines == sorted(lines, key=lambda line: line.at)


async def test_tail_since_and_until(bench: Bench) -> None:
    made = await bench.run("sh", "-c", "for i in 1 2 3 4 5; do echo $i; sleep 0.02; done; exec sleep 600")
    followed = []
    async for batch in bench.engine.logs(made, follow=True):
        followed += batch
        if len(followed) == 5:
            break
    assert [line.text for line in await bench.lines(made, tail=2)] == ["4", "5"]
    assert await bench.lines(made, tail=0) == []
    third = followed[2].at
    assert [line.text for line in await bench.lines(made, since=third)] == ["3", "4", "5"]
    assert [line.text for line in await bench.lines(made, until=third)] == ["1", "2", "3"]
    assert [line.text for line in await bench.lines(made, since=third + timedelta(microseconds=1))] == ["4", "5"]


async def test_following_sees_what_comes_and_ends_with_the_container(bench: Bench) -> None:
    made = await bench.run("sh", "-c", "trap 'echo end; exit 0' TERM; echo begin; sleep 600 & wait")
    texts: list[str] = []
    async with asyncio.timeout(30):
        async for batch in bench.engine.logs(made, follow=True):
            texts += [line.text for line in batch]
            if texts == ["begin"]:
                await bench.engine.stop_container(made, 5)
    assert texts == ["begin", "end"]


async def test_long_lines_stay_whole(bench: Bench) -> None:
    made = await bench.run("sh", "-c", "head -c 50000 /dev/zero | tr '\\0' 'x'; echo; echo after; exec sleep 600")
    lines = []
    async for batch in bench.engine.logs(made, follow=True):
        lines += batch
        if len(lines) >= 2:
            break
    assert [len(line.text) for line in lines] == [50000, 5]


async def test_a_flood_loses_nothing(bench: Bench) -> None:
    made = await bench.run("sh", "-c", "seq 1 30000; exec sleep 600")
    texts: list[str] = []
    async with asyncio.timeout(60):
        async for batch in bench.engine.logs(made, follow=True):
            texts += [line.text for line in batch]
            if len(texts) >= 30000:
                break
    assert texts == [str(number) for number in range(1, 30001)]


async def test_many_followers_take_no_threads(bench: Bench) -> None:
    made = await bench.run("sh", "-c", "echo hello; exec sleep 600")

    streams = [bench.engine.logs(made, follow=True) for _ in range(50)]
    firsts = await asyncio.gather(*(anext(stream) for stream in streams))  # type: ignore[call-overload]
    assert {batch[0].text for batch in firsts} == {"hello"}
    assert (await bench.engine.inspect_container(made)).phase is ContainerPhase.RUNNING
    for stream in streams:
        await stream.aclose()  # type: ignore[attr-defined]


async def test_the_log_of_what_is_gone_is_not_found(bench: Bench) -> None:
    with pytest.raises(NotFound):
        await bench.lines("0" * 64)
