"""Which events pop up, in which words, and never as a storm."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from textual.app import App

from backend.wire.pilothouse import JournalEntryModel, SystemStatusResponse
from tests.tui.driving import until
from tui.client.live import LiveState
from tui.notices import KEPT, Notices
from tui.presentation.notices import LONGEST, JournalReader, Notice, connection_notice, gathered, short

NOW = datetime(2025, 1, 2, 12, tzinfo=UTC)


def entry(sequence: int, kind: str, message: str = "", deployment: str = "dpl-1", **data: Any) -> JournalEntryModel:
    return JournalEntryModel(
        sequence=sequence,
        object_id=deployment,
        generation=1,
        kind=kind,
        actor="system",
        message=message,
        data=data,
        at=NOW,
    )


def status(sequence: int, now: str, before: str, deployment: str = "dpl-1") -> JournalEntryModel:
    return entry(sequence, "deployment.status.changed", f"it is {now}", deployment, status=now, previousStatus=before)


def titles(*entries: JournalEntryModel) -> list[str]:
    reader = JournalReader()
    found = [reader.read(one, "web") for one in entries]
    return [notice.title for notice in found if notice]


def test_what_is_worth_a_notification() -> None:
    assert titles(status(1, "failed", "pending")) == ["web failed"]
    assert titles(status(1, "running", "updating")) == ["web is running"]
    assert titles(status(1, "running", "scaling"), status(2, "stopped", "stopping")) == []
    assert titles(entry(1, "domain.verified", domain="a.example.com")) == ["a.example.com works"]
    assert titles(entry(1, "domain.failed", "no record", domain="a.example.com")) == ["a.example.com does not work"]
    assert titles(entry(1, "replica.exited", "exited"), entry(2, "image.pulling")) == []


def test_running_after_a_rollback_is_no_news_but_the_next_update_is() -> None:
    rolled_back = entry(1, "deployment.rolled_back", "the update failed")
    assert titles(rolled_back, status(2, "running", "updating")) == ["web was rolled back"]
    assert titles(
        rolled_back, status(2, "running", "updating"), entry(3, "deployment.updated"), status(4, "running", "updating")
    ) == ["web was rolled back", "web is running"]


def test_many_become_one_that_names_what_failed_first() -> None:
    many = [Notice(str(n), f"app-{n} is running", "", "information", NOW) for n in range(7)]
    many.append(Notice("x", "api failed", "boom", "error", NOW))
    (one,) = gathered(many)
    assert one.title == "8 notifications"
    assert one.severity == "error"
    assert one.text.startswith("api failed\n")
    assert "and 4 more" in one.text
    few = [connection_notice(True, "gone", NOW), connection_notice(False, "", NOW)]
    assert [notice.title for notice in gathered(few)] == ["The backend is back"]
    assert len(short("x" * 500)) == LONGEST
    assert short("one\ntwo") == "one"


def system(engine: str) -> SystemStatusResponse:
    part = {"status": "ok", "message": ""}
    return SystemStatusResponse.model_validate(
        {
            "version": "1",
            "installation": "i",
            "data_dir": None,
            "ingress_port": 8080,
            "domain_suffix": "localhost",
            "storage": part,
            "engine": {"status": engine, "message": "start Docker"},
            "ingress": part,
            "engine_version": None,
            "cpus": None,
            "memory_bytes": None,
            "base_urls": {},
        }
    )


def test_what_goes_away_and_comes_back_is_told_once() -> None:
    notices = Notices(Shell(), lambda: True)
    state = LiveState(known=True, stale=False, system=system("ok"))
    for change in (
        {},
        {"system": system("down")},
        {},
        {"system": system("ok")},
        {"stale": True, "fault": "gone"},
        {},
        {"stale": False, "fault": ""},
    ):
        for name, value in change.items():
            setattr(state, name, value)
        notices.state_came(state)
    assert [notice.title for notice in notices.history] == [
        "The container engine is away",
        "The container engine is back",
        "The backend is away",
        "The backend is back",
    ]
    assert notices.history[0].text == "start Docker"


class Shell(App[None]):
    """Nothing but a place for toasts."""


async def test_the_past_is_read_a_storm_is_one_and_mute_is_silent(tmp_path: Path) -> None:
    app, muted = Shell(), [False]
    async with app.run_test(notifications=True) as pilot:
        notices = Notices(app, lambda: muted[0])
        shown = app._notifications
        notices.journal_came([status(1, "failed", "pending")])
        assert [notice.title for notice in notices.history] == ["dpl-1 failed"]
        storm = [status(2 + n, "failed", "pending", f"dpl-{n}") for n in range(300)]
        notices.journal_came(storm)
        await until(pilot, lambda: len(shown) == 1, "one toast")
        assert next(iter(shown)).title == "300 notifications"
        assert len(notices.history) == KEPT
        # What comes again after a reconnect was told already.
        notices.journal_came(storm)
        assert len([one for one in notices.history if one.title.startswith("dpl-299 ")]) == 1
        muted[0] = True
        notices.journal_came([status(400, "failed", "pending", "dpl-400")])
        assert notices.history[-1].title == "dpl-400 failed"
        muted[0] = False
        notices.journal_came([status(401, "failed", "pending", "dpl-401")])
        await until(pilot, lambda: any(one.title == "dpl-401 failed" for one in shown), "the next toast")
        assert not any(one.title == "dpl-400 failed" for one in shown)
