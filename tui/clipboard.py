"""Copying where the terminal alone does not do it: inside tmux, and on a desktop whose terminal ignores OSC 52."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping

SECONDS = 2.0


def copy_commands(environment: Mapping[str, str]) -> list[list[str]]:
    """The programs that take the text on standard input, in the order to try; empty where OSC 52 is all there is."""
    candidates: list[list[str]] = []
    if environment.get("TMUX"):
        # -w hands it on to the terminal that tmux itself runs in.
        candidates.append(["tmux", "load-buffer", "-w", "-"])
    if environment.get("SSH_CONNECTION"):
        return candidates
    if environment.get("WAYLAND_DISPLAY"):
        candidates.append(["wl-copy"])
    if environment.get("DISPLAY"):
        candidates.append(["xclip", "-selection", "clipboard"])
    candidates.append(["pbcopy"])
    return candidates


def copy_by_program(text: str, environment: Mapping[str, str]) -> bool:
    """Runs the first of the programs that is there and works; blocks for at most two seconds each."""
    for command in copy_commands(environment):
        if shutil.which(command[0]) is None:
            continue
        try:
            # No output pipes: xclip stays behind to serve the selection, and would hold them open.
            done = subprocess.run(
                command,
                input=text.encode(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            return True
    return False
