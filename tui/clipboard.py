"""Copying where the terminal alone does not do it: inside tmux and screen, and where a terminal ignores OSC 52."""

from __future__ import annotations

import asyncio
import base64
import shutil
import subprocess
from collections.abc import Callable, Mapping

SECONDS = 2.0

COMMON_LIMIT = 100_000
"""Bytes of an OSC 52 copy that all terminals known to take such copies still take; xterm is among the strictest."""

_SCREEN_PIECE = 512


def copy_sequence(text: str) -> str:
    """OSC 52: what puts text into the clipboard of the terminal that this is written to, also over SSH."""
    return f"\x1b]52;c;{base64.b64encode(text.encode('utf-8', 'replace')).decode()}\x07"


def passed_through(sequence: str, environment: Mapping[str, str]) -> str:
    """The sequence as tmux or screen hands it on to the terminal around it; "" outside of them.

    tmux does so where `allow-passthrough` is on, and where it is off ignores it. TERM tells of them over SSH too.
    """
    term = environment.get("TERM", "")
    if environment.get("TMUX") or term.startswith("tmux"):
        escaped = sequence.replace("\x1b", "\x1b\x1b")
        return f"\x1bPtmux;{escaped}\x1b\\"
    if environment.get("STY") or term.startswith("screen"):
        # Strings of screen end at 768 bytes.
        pieces = (sequence[at : at + _SCREEN_PIECE] for at in range(0, len(sequence), _SCREEN_PIECE))
        return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
    return ""


def size_warning(text: str) -> str:
    """What to tell of a copy that only went out as OSC 52; "" where its size is no trouble."""
    size = len(copy_sequence(text))
    if size <= COMMON_LIMIT:
        return ""
    most = COMMON_LIMIT // 1000
    return f"{size // 1000} kB were sent to the terminal's clipboard: many terminals take no more than {most} kB"


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


async def copy_elsewhere(text: str, environment: Mapping[str, str], tell: Callable[..., object]) -> None:
    """Copies by a program, for what went out as OSC 52 already. Where none takes it, and its size may be more than the
    terminal does, `tell` (as `App.notify`) gets the warning."""
    done = await asyncio.to_thread(copy_by_program, text, environment)
    if not done and (warning := size_warning(text)):
        tell(warning, severity="warning")


def copy_by_program(text: str, environment: Mapping[str, str]) -> bool:
    """Runs the first of the programs that is there and works; blocks for at most two seconds each."""
    for command in copy_commands(environment):
        if shutil.which(command[0]) is None:
            continue
        try:
            # No output pipes: xclip stays behind to serve the selection, and would hold them open.
            done = subprocess.run(
                command,
                input=text.encode("utf-8", "replace"),
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
