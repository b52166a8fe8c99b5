"""`pilothouse replay`: a recording in the whole terminal, and files that are none."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.backend.running_backend import environment
from tests.end_to_end.tmux_screen import TmuxScreen

PILOTHOUSE = str(Path(sys.executable).with_name("pilothouse"))


def opened(tmp_path: Path, file: Path) -> TmuxScreen:
    return TmuxScreen([PILOTHOUSE, "replay", str(file)], columns=80, rows=24, environment=environment(tmp_path))


def test_a_recording_is_played_held_and_gone_through(tmp_path: Path) -> None:
    events = [[0.0, "o", "$ make\r\n"], [1.0, "o", "\x1b[32mbuilt\x1b[0m\r\n"], [600.0, "o", "done\r\n"]]
    lines = [json.dumps({"version": 2, "width": 60, "height": 10}), *map(json.dumps, events)]
    file = tmp_path / "some.cast"
    file.write_text("\n".join(lines))
    screen = opened(tmp_path, file)
    try:
        screen.until_shown("$ make", "/ 10:00", "▶")
        screen.until_shown("built")
        screen.press("Space")
        screen.until_shown("⏸")
        screen.press("End")
        screen.until_shown("done", "■ 10:00 / 10:00")
        screen.press("Home")
        screen.until_gone("built", "done")
        screen.press("q")
        assert screen.until_ended() == 0
    finally:
        screen.close()


@pytest.mark.parametrize(("text", "said"), [("hello", "no asciicast header"), (None, "There is no file")])
def test_what_cannot_be_played_is_said(tmp_path: Path, text: str | None, said: str) -> None:
    file = tmp_path / "some.cast"
    if text is not None:
        file.write_text(text)
    screen = opened(tmp_path, file)
    try:
        assert screen.until_ended() == 2
        # The message about its end scrolls the first line away.
        assert said in " ".join(screen.tmux("capture-pane", "-p", "-S", "-10").split())
    finally:
        screen.close()
