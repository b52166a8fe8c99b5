"""`doctor`: look for what is wrong, part by part, and say what to do."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

from backend.commands.exits import DONE, FAILED, complain
from backend.commands.status import readiness, terminal_holders
from backend.domain.errors import DomainError
from backend.listeners import CannotListen, bind_tcp
from backend.settings import (
    MAIL_FOLDER,
    Settings,
    SettingsError,
    config_file,
    load_settings,
    webhook_secret_file,
)
from backend.wire.rendezvous import Places, read_backend_info

LEAST_FREE_BYTES = 2**30
Finding = tuple[bool, str]


def doctor(arguments: argparse.Namespace) -> int:
    """Prints a line for each part; exits with 1 where one is wrong."""
    try:
        settings = load_settings({"data_dir": arguments.data_dir})
    except SettingsError as error:
        complain(str(error))
        return FAILED
    well = True
    for good, text in _findings(settings, Places.of(settings.data_dir)):
        print(f"{'ok  ' if good else 'BAD '} {text}", flush=True)
        well = well and good
    return DONE if well else FAILED


def _findings(settings: Settings, places: Places) -> Iterator[Finding]:
    yield sys.version_info >= (3, 11), f"Python {sys.version.split()[0]}"
    path = config_file()
    yield True, f"config file {path}" + ("" if path.exists() else " (none: defaults)")
    yield from _data_dir(places)
    yield from _outgoing(settings)
    yield from _terminals(places)
    running = readiness(places)
    if running is None:
        yield True, "the backend does not run"
        yield from _ports(settings)
        yield from _engine(settings)
        return
    info = read_backend_info(places)
    yield True, f"the backend runs (process {info.pid if info else 'unknown'})"
    for name, part in sorted(running.get("components", {}).items()):
        yield part.get("status") == "ok", f"{name}: {part.get('message') or part.get('status')}"


def _data_dir(places: Places) -> Iterator[Finding]:
    folder = places.data_dir
    while not folder.exists():
        folder = folder.parent
    if not os.access(folder, os.W_OK | os.X_OK):
        yield False, f"the data dir {places.data_dir} cannot be written: choose another with --data-dir"
        return
    yield True, f"data dir {places.data_dir}"
    free = shutil.disk_usage(folder).free
    yield (
        free >= LEAST_FREE_BYTES,
        f"{free // 2**20} MiB free there" + ("" if free >= LEAST_FREE_BYTES else ": make room"),
    )


def _outgoing(settings: Settings) -> Iterator[Finding]:
    if settings.smtp_host:
        yield True, f"mails go through {settings.smtp_host}:{settings.smtp_port}"
    else:
        yield True, f"mails become files in {settings.data_dir / MAIL_FOLDER} (no AWS_SES_SMTP_HOST)"
    if settings.webhook_url:
        # The rest of the address may be a secret.
        target = urlsplit(settings.webhook_url)
        where = "WEBHOOK_SECRET" if settings.webhook_secret else str(webhook_secret_file(settings.data_dir))
        yield True, f"webhooks go to {target.scheme}://{target.netloc}, signed with the secret in {where}"


def _terminals(places: Places) -> Iterator[Finding]:
    try:
        for holder in terminal_holders(places):
            yield True, f"{holder.sessions} terminal sessions are held (process {holder.pid}, version {holder.version})"
    except DomainError as error:
        yield False, error.message


def _ports(settings: Settings) -> Iterator[Finding]:
    wanted = [("port", settings.host, settings.port)]
    if asyncio.run(_ingress_runs(settings)):
        yield True, "the ingress runs"
    else:
        wanted.append(("ingress_port", settings.ingress_host, settings.ingress_port))
    for name, host, port in wanted:
        try:
            with contextlib.closing(bind_tcp(host, port, name)):
                yield True, f"{name} {port} is free"
        except CannotListen as error:
            yield False, str(error)


async def _ingress_runs(settings: Settings) -> bool:
    """Whether this data dir's ingress serves, which it does without a backend too."""
    from backend.parts import ingress_of

    if not Places.of(settings.data_dir).run_dir.is_dir():
        return False
    ingress = ingress_of(settings)
    try:
        return await ingress.ready()
    finally:
        await ingress.close()


def _engine(settings: Settings) -> Iterator[Finding]:
    from backend.parts import engine_of

    async def ping() -> str:
        engine = engine_of(settings, "doctor")
        try:
            await engine.start()
            info = await engine.ping()
        finally:
            await engine.close()
        return f"{info.name} {info.version}, {info.cpus} CPUs, {info.memory_bytes // 2**20} MiB"

    try:
        yield True, f"container engine: {asyncio.run(ping())}"
    except DomainError as error:
        yield False, f"container engine: {error.message}"
