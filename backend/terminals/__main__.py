"""`python -m backend.terminals --data-dir DIR`: the terminal holder of a data dir. The backend starts it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import logging
import signal
import sys
from pathlib import Path

import uvloop

from backend.log_files import start_logging
from backend.owner_socket import bind_owner_socket
from backend.run_lock import AlreadyRunning, run_lock
from backend.terminals.door import Door
from backend.terminals.holder import IDLE_SECONDS, Holder
from backend.terminals.places import HolderPlaces
from backend.wire.rendezvous import Places

log = logging.getLogger("backend.terminals")

# The screens' rows hold no cycles: looking for some costs an echo its speed.
_GARBAGE_THRESHOLD = 50_000
_BACKLOG = 256
# How often it is looked whether clients still find the socket.
_LOOK_SECONDS = 2.0


def main() -> int:
    """Until there is nothing to hold, or a signal. 3 where another holder has the lock."""
    parser = argparse.ArgumentParser(prog="python -m backend.terminals")
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--idle-seconds", type=float, default=IDLE_SECONDS)
    chosen = parser.parse_args()
    places = Places.of(chosen.data_dir)
    places.prepare()
    ours = HolderPlaces.of(places)
    try:
        with run_lock(ours.lock_file):
            start_logging(ours.log_file, "info", foreground=False)
            gc.set_threshold(_GARBAGE_THRESHOLD)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_serve(ours, chosen.idle_seconds))
    except AlreadyRunning:
        return 3
    return 0


async def _serve(ours: HolderPlaces, idle_seconds: float) -> None:
    loop = asyncio.get_running_loop()
    holder = Holder(idle_seconds=idle_seconds)
    stopping: set[asyncio.Task[None]] = set()

    def stop() -> None:
        stopping.add(asyncio.ensure_future(holder.stop("the terminal holder was ended")))

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    await _serve_clients(ours, holder)
    log.info("ended")


async def _serve_clients(ours: HolderPlaces, holder: Holder) -> None:
    """Until it is done. A socket file that somebody removed is made anew, so that the sessions are found again."""
    while True:
        with contextlib.closing(bind_owner_socket(ours.socket, _BACKLOG)) as listener:
            bound = ours.socket.lstat().st_ino
            door = Door(listener, holder)
            door.open()
            log.info("holding terminals at %s", ours.socket)
            try:
                while _inode(ours.socket) == bound and not holder.done.is_set():
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(_LOOK_SECONDS):
                            await holder.done.wait()
            finally:
                # Before the lock goes: who finds no socket starts a new holder.
                if _inode(ours.socket) == bound:
                    ours.socket.unlink()
                door.close()
        if holder.done.is_set():
            return
        if _inode(ours.socket) is not None:
            await holder.stop("another terminal holder took the place of this one")
            return
        log.warning("%s was removed: it is made anew", ours.socket)
        ours.socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)


def _inode(path: Path) -> int | None:
    """Of a file that is there."""
    try:
        return path.lstat().st_ino
    except OSError:
        return None


if __name__ == "__main__":
    sys.exit(main())
