"""`serve`: the backend in the foreground, or started in the background and waited for."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backend.commands.exits import DONE, FAILED, STATE, WRONG_USE, complain, complain_of_data_dir
from backend.domain.errors import DomainError, Unavailable
from backend.listeners import CannotListen, Listener, Listeners, bind_tcp, bind_unix
from backend.port_memory import remember, remembered
from backend.run_lock import AlreadyRunning, run_lock
from backend.settings import Settings, SettingsError, load_settings
from backend.version import version
from backend.wire.rendezvous import (
    BackendInfo,
    Places,
    StartupProgress,
    process_start_of,
    write_backend_info,
    write_startup_progress,
)

log = logging.getLogger("backend")

FLAGS = ("host", "port", "ingress_port", "bind", "data_dir")
NICENESS = -8
# New objects before young, middle and old ones are looked through.
COLLECT_AFTER = (5_000, 20, 20)


def serve(arguments: argparse.Namespace) -> int:
    """Run until a signal ends it."""
    flags = {name: getattr(arguments, name) for name in FLAGS}
    try:
        settings = _at_the_ports_of_before(load_settings(flags), flags)
    except SettingsError as error:
        complain(str(error))
        return WRONG_USE
    places = Places.of(settings.data_dir)
    if arguments.background:
        from backend.commands.background import start_in_background

        return start_in_background(places, arguments)
    try:
        places.prepare()
        with run_lock(places.lock_file):
            return _run(settings, places, flags)
    except AlreadyRunning as error:
        complain(f"a backend already serves {places.data_dir} ({error}): stop it with 'pilothouse stop'")
        return STATE
    except OSError as error:
        return complain_of_data_dir(places.data_dir, error)


def _run(settings: Settings, places: Places, flags: Mapping[str, Any]) -> int:
    from backend.log_files import start_logging

    start_logging(places.log_file, settings.log_level, foreground=True)
    progress = _Progress(places)
    try:
        progress("settings", "Reading settings")
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings, places, flags, progress))
    except (CannotListen, SettingsError) as error:
        progress.fail(str(error))
        complain(str(error))
        return FAILED
    except DomainError as error:
        log.error("the backend cannot run: %s", error.message)
        progress.fail(error.message)
        complain(error.message)
        return FAILED
    except Exception as error:
        log.exception("the backend failed")
        progress.fail(f"{type(error).__name__}: {error}")
        complain(f"the backend failed ({type(error).__name__}): see {places.log_file}")
        return FAILED
    return DONE


class _Progress:
    """Tells how far a start-up has come, to the log and to whoever waits for it."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._step = ""

    def __call__(self, step: str, message: str) -> None:
        self._step = step
        log.info("%s", message)
        self._write(StartupProgress(step, message))

    def fail(self, message: str) -> None:
        self._write(StartupProgress(self._step, message, failed=True))

    def _write(self, progress: StartupProgress) -> None:
        # Only whoever waits misses it: a full disk is no reason not to start.
        try:
            write_startup_progress(self._places, progress)
        except OSError as error:
            log.warning("how far the start has come cannot be written: %s", error)


async def _serve(settings: Settings, places: Places, flags: Mapping[str, Any], progress: _Progress) -> None:
    _ahead_of_the_engine()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    for warning in settings.warnings:
        log.warning("%s", warning)

    with contextlib.ExitStack() as doors:
        # Taken first, so that a port that is in use is known before anything is touched.
        main = doors.enter_context(bind_tcp(settings.host, settings.port, "port"))
        bound = [
            (binding, doors.enter_context(bind_tcp(binding.host, binding.port, f"bind {binding}")))
            for binding in settings.bind
        ]
        from backend.app import build
        from backend.host_check import HostCheck

        async with build(settings, progress) as application:
            names = (*settings.allowed_hosts, *settings.listening_hosts)
            listeners = [Listener(main, HostCheck(application.root, names))]
            listeners += [
                Listener(found, HostCheck(application.surface(binding.surface), names)) for binding, found in bound
            ]
            owner = doors.enter_context(bind_unix(places.socket))
            listeners.append(Listener(owner, application.root, owner_only=True))
            servers = Listeners(listeners, access_log=settings.access_log)
            await servers.start()
            _spare_the_collector()
            _remember(places.data_dir, flags)
            _announce(settings, places)
            progress("listening", f"Listening on http://{_shown(settings.host)}:{settings.port}")
            try:
                await _until(stop, servers)
            finally:
                log.info("Stopping; apps and ingress keep running")
                places.backend_file.unlink(missing_ok=True)
                places.socket.unlink(missing_ok=True)
                places.startup_file.unlink(missing_ok=True)
                await servers.stop()
    log.info("Stopped")


def _at_the_ports_of_before(settings: Settings, flags: Mapping[str, Any]) -> Settings:
    """As they are, where the ports of before do not go with what is told now."""
    before = remembered(settings.data_dir)
    try:
        return load_settings(flags, before=before) if before else settings
    except SettingsError as error:
        complain(f"the ports of the last start are not taken: {error}")
        return settings


def _remember(data_dir: Path, flags: Mapping[str, Any]) -> None:
    try:
        remember(data_dir, flags)
    except OSError as error:
        log.warning("the ports cannot be kept for the next start: %s", error)


def _ahead_of_the_engine() -> None:
    """Answers and the ingress come before the engine's own work, which takes all cores while replicas start. Only
    root may; for others the priority stays as it is."""
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    # Where Linux weighs whole sessions against each other, a process's own priority counts only within its session:
    # that of a session of our own is set as well.
    with contextlib.suppress(OSError):
        if os.getsid(0) == os.getpid():
            Path("/proc/self/autogroup").write_text(str(NICENESS))


def _spare_the_collector() -> None:
    """What was loaded stays for good, and looking through all of it again stops every answer for 0.1 s."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


async def _until(stop: asyncio.Event, servers: Listeners) -> None:
    """Until a signal came or a listener failed."""
    waits = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(servers.wait())]
    try:
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in waits:
            task.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


def _announce(settings: Settings, places: Places) -> None:
    info = BackendInfo(
        pid=os.getpid(),
        socket=str(places.socket),
        host=settings.host,
        port=settings.port,
        ingress_port=settings.ingress_port,
        version=version(),
        started_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        process_start=process_start_of(os.getpid()),
    )
    try:
        write_backend_info(places, info)
    except OSError as error:
        raise Unavailable(f"clients cannot be told where the backend is: {error}") from error
    if sys.stderr.isatty():
        complain(f"the API is at http://{_shown(settings.host)}:{settings.port}; Ctrl+C ends it")


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
