"""`status`: what runs for a data dir."""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import socket
from typing import TYPE_CHECKING, Any

from backend.commands.exits import DONE, STATE, WRONG_USE, complain, complain_of_data_dir
from backend.domain.errors import DomainError
from backend.run_lock import lock_holder
from backend.settings import SettingsError, load_settings
from backend.wire.rendezvous import Places, read_backend_info, read_startup_progress

if TYPE_CHECKING:
    from backend.domain.terminals import HolderStatus

TIMEOUT_SECONDS = 10.0


class OwnerConnection(http.client.HTTPConnection):
    """HTTP over the owner's unix socket."""

    def __init__(self, places: Places) -> None:
        super().__init__("localhost", timeout=TIMEOUT_SECONDS)
        self._path = str(places.socket)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT_SECONDS)
        self.sock.connect(self._path)


def readiness(places: Places) -> dict[str, Any] | None:
    """What the backend says of its parts; None where none answers."""
    connection = OwnerConnection(places)
    try:
        connection.request("GET", "/health/ready")
        found = json.loads(connection.getresponse().read())
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return found if isinstance(found, dict) else None


def status(arguments: argparse.Namespace) -> int:
    """Exits with 0 where the backend answers and all its parts are well, else with 3."""
    try:
        settings = load_settings({"data_dir": arguments.data_dir})
    except SettingsError as error:
        complain(str(error))
        return WRONG_USE
    places = Places.of(settings.data_dir)
    print(f"data dir   {places.data_dir}")
    found = readiness(places)
    if found is None:
        try:
            _tell_terminals(places)
            return _silent(places)
        except OSError as error:
            return complain_of_data_dir(places.data_dir, error)
    info = read_backend_info(places)
    if info is not None:
        print(f"backend    runs: process {info.pid}, version {info.version}, since {info.started_at}")
        print(f"API        http://{info.host}:{info.port}")
        print(f"apps       http://<app>.{settings.domain_suffix}:{info.ingress_port}")
    for name, part in sorted(found.get("components", {}).items()):
        status, message = part.get("status"), part.get("message", "")
        print(f"{name:<10} {status}{f': {message}' if message not in ('', status) else ''}")
    _tell_terminals(places)
    print(f"log        {places.log_file}")
    return DONE if found.get("status") == "ok" else STATE


def terminal_holders(places: Places) -> list[HolderStatus]:
    """The holders of terminal sessions that run. Raises DomainError where one does not answer."""
    from backend.terminals.client import HolderClient

    return asyncio.run(HolderClient(places).holders())


def _tell_terminals(places: Places) -> None:
    try:
        for holder in terminal_holders(places):
            print(f"terminals  {holder.sessions} held by process {holder.pid}, version {holder.version}")
    except DomainError as error:
        print(f"terminals  {error.message}")


def _silent(places: Places) -> int:
    if lock_holder(places.lock_file) is None:
        print("backend    does not run; start it with 'pilothouse serve' or open 'pilothouse'")
        return STATE
    progress = read_startup_progress(places)
    print(f"backend    starts: {progress.message if progress else 'no word yet'}")
    return STATE
