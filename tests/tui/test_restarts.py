"""A backend that was killed is started again, but not for ever; one that was stopped is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backend.wire.rendezvous import BackendInfo, Places, write_backend_info
from tui.client.errors import StartFault
from tui.client.live import LiveState
from tui.restarts import GIVEN_UP, STARTING, STOPPED, Restarts


class Starts:
    """Counts starts, of which the first `faults` fail."""

    def __init__(self, data_dir: Path, *, faults: int = 0) -> None:
        self.count = 0
        self.notes: list[str] = []
        self.state = LiveState(known=True, stale=True)
        self._faults = faults
        self.restarts = Restarts(data_dir, self._start, self._told, delays=(0.0, 0.0, 0.0))

    async def _start(self) -> None:
        self.count += 1
        if self.count <= self._faults:
            raise StartFault("it does not come up")
        self.state.stale = False

    def _told(self) -> None:
        self.notes.append(self.restarts.note)


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A data dir whose backend had no time to say goodbye."""
    places = Places.of(tmp_path)
    places.prepare()
    # This very process, with another start time: the pid was given to somebody else since.
    info = BackendInfo(os.getpid(), str(places.socket), "127.0.0.1", 1, 2, "1", "2025-01-01T00:00:00Z", process_start=1)
    write_backend_info(places, info)
    return tmp_path


async def test_a_killed_backend_is_started_again(killed: Path) -> None:
    starts = Starts(killed, faults=1)
    await starts.restarts.bring_back(starts.state)
    assert starts.count == 2
    starts.restarts.came_back()
    assert starts.notes == [STARTING, ""]


async def test_one_that_was_stopped_stays_so_until_somebody_asks(tmp_path: Path) -> None:
    starts = Starts(tmp_path)
    await starts.restarts.bring_back(starts.state)
    assert starts.count == 0
    assert starts.notes == [STOPPED]


async def test_after_some_starts_in_a_row_somebody_has_to_look(killed: Path) -> None:
    starts = Starts(killed, faults=3)
    with pytest.raises(StartFault):
        await starts.restarts.bring_back(starts.state)
    assert starts.count == 3
    assert starts.restarts.note == GIVEN_UP
    await starts.restarts.bring_back(starts.state)
    assert starts.count == 3
    starts.restarts.asked()
    await starts.restarts.bring_back(starts.state)
    assert starts.count == 4
