"""A process that was just started is waited for until it speaks, or runs in silence."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from backend.domain.terminals import wait_for_start
from backend.engines.exec_state import is_starting


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"Running": True, "Pid": 0, "ExitCode": None}, True),
        ({"Running": False, "Pid": 0, "ExitCode": 126}, True),
        ({"Running": True, "Pid": 4711, "ExitCode": None}, False),
        ({"Running": False, "Pid": 4711, "ExitCode": 0}, False),
    ],
    ids=["asked for", "failed, though its output has not come", "runs", "ended"],
)
def test_what_an_engine_says_of_one(found: dict[str, Any], expected: bool) -> None:
    assert is_starting(found) is expected


async def test_one_that_runs_in_silence_is_not_waited_for_long() -> None:
    asked = 0

    async def is_starting() -> bool:
        nonlocal asked
        asked += 1
        return False

    await wait_for_start(asyncio.get_running_loop().create_future(), is_starting)
    assert asked == 1


async def test_one_that_the_engine_has_yet_to_start_is_waited_for() -> None:
    said: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    asked = 0

    async def is_starting() -> bool:
        nonlocal asked
        asked += 1
        if asked == 2:
            said.set_result(b"exec failed: no such file")
        return True

    await wait_for_start(said, is_starting)
    assert (asked, said.done()) == (2, True)
