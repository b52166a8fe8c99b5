"""`python -m backend.terminals --data-dir DIR`: the terminal holder of a data dir. The backend starts it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import logging
import signal
import sys

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
    with contextlib.closing(bind_owner_socket(ours.socket, _BACKLOG)) as listener:
        door = Door(listener, holder)
        door.open()
        log.info("holding terminals at %s", ours.socket)
        try:
            await holder.done.wait()
        finally:
            # Before the lock goes: who finds no socket starts a new holder.
            ours.socket.unlink(missing_ok=True)
            door.close()
    log.info("ended")


if __name__ == "__main__":
    sys.exit(main())
