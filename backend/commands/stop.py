"""`stop`: end the backend of a data dir; with `--all` also its terminals, ingress, containers and networks."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backend.commands.exits import DONE, FAILED, STATE, WRONG_USE, complain, complain_of_data_dir
from backend.run_lock import AlreadyRunning, lock_holder, run_lock
from backend.settings import Settings, SettingsError, load_settings
from backend.wire.rendezvous import Places, process_exists, read_backend_info

if TYPE_CHECKING:
    from backend.domain.engine import Engine

WAIT_SECONDS = 30.0
POLL_SECONDS = 0.05
CONFIRMATION = "delete everything"


def stop(arguments: argparse.Namespace) -> int:
    """End the backend if it runs. Without `--all`, apps, ingress and terminal sessions keep running."""
    try:
        settings = load_settings({"data_dir": arguments.data_dir})
    except SettingsError as error:
        complain(str(error))
        return WRONG_USE
    places = Places.of(settings.data_dir)
    if arguments.all and not arguments.yes and not _confirmed(places):
        return WRONG_USE
    try:
        ended = end_backend(places)
    except OSError as error:
        return complain_of_data_dir(places.data_dir, error)
    if not arguments.all:
        if ended is None:
            print(f"No backend runs for {places.data_dir}.")
            return STATE
        if ended:
            print("The backend ended. Apps, ingress and terminal sessions keep running.")
        return DONE if ended else FAILED
    if ended is False:
        return FAILED
    if not places.data_dir.is_dir():
        print(f"There is nothing in {places.data_dir}.")
        return DONE
    return _remove_everything(settings, places)


def end_backend(places: Places) -> bool | None:
    """True once it ended, False (and a word why) where it did not, None where none runs. Raises OSError where the
    data dir cannot be used."""
    holder = lock_holder(places.lock_file)
    if holder is None:
        return None
    info = read_backend_info(places)
    pid = info.pid if info is not None and info.is_alive() else holder
    # The lock says that one runs; the pid is only believed where it is that very process.
    if not pid or not process_exists(pid) or pid != holder:
        complain(f"a backend holds {places.lock_file}, but does not say which process it is: end it yourself")
        return False
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return True
    except PermissionError:
        complain(f"the backend (process {pid}) belongs to another user")
        return False
    deadline = time.monotonic() + WAIT_SECONDS
    while lock_holder(places.lock_file) is not None:
        if time.monotonic() > deadline:
            complain(f"the backend (process {pid}) has not ended within {WAIT_SECONDS:.0f} s; see {places.log_file}")
            return False
        time.sleep(POLL_SECONDS)
    return True


def _confirmed(places: Places) -> bool:
    if not sys.stdin.isatty():
        complain("stop --all removes every container of this installation: add --yes to do it without being asked")
        return False
    print(f"This ends the backend, the ingress and the terminals of {places.data_dir}.")
    print("All its containers and networks are removed.")
    print("Accounts, deployments and environments stay stored, and the homes of environments stay in their volumes:")
    print("the next start of the backend brings them back.")
    answer = input(f"Type '{CONFIRMATION}' to go on: ")
    if answer.strip() != CONFIRMATION:
        complain("nothing was done")
        return False
    return True


def _remove_everything(settings: Settings, places: Places) -> int:
    from backend.domain.errors import DomainError

    try:
        places.prepare()
    except OSError as error:
        return complain_of_data_dir(places.data_dir, error)
    try:
        # Holding the lock, so that no backend starts in the middle and brings back what is being removed.
        with run_lock(places.lock_file):
            removed = asyncio.run(_remove(settings))
    except AlreadyRunning as error:
        complain(f"a backend was started meanwhile ({error}): try again")
        return STATE
    except DomainError as error:
        complain(f"not everything could be removed: {error.message}")
        return FAILED
    print(f"Ingress and terminals ended; {removed.containers} containers and {removed.networks} networks were removed.")
    if removed.volumes:
        print(f"The homes of {removed.volumes} environment{'s' if removed.volumes > 1 else ''} are kept:")
        print("the next start brings the environments back; deleting one in the app deletes its home.")
    for fault in removed.faults:
        complain(f"not everything could be removed: {fault}")
    return FAILED if removed.faults else DONE


@dataclass
class _Removed:
    """What went, what was kept, and what could not be reached."""

    containers: int = 0
    networks: int = 0
    volumes: int = 0
    faults: list[str] = field(default_factory=list)


async def _remove(settings: Settings) -> _Removed:
    """The ingress goes first: nothing is routed to what goes. Volumes stay: they hold what users made."""
    from backend.domain.errors import DomainError
    from backend.parts import open_installation
    from backend.terminals.client import HolderClient

    removed = _Removed()
    async with open_installation(settings) as parts:
        await HolderClient(Places.of(settings.data_dir)).stop()
        await parts.ingress.stop()
        await _clear(parts.engine, await parts.tenants_with_networks(), removed)
        for cluster_id in sorted(await parts.clusters_in_use()):
            try:
                await _clear(await parts.clusters.engine_of(cluster_id), set(), removed)
            except DomainError as error:
                removed.faults.append(error.message)
    return removed


async def _clear(engine: Engine, tenants: set[str], removed: _Removed) -> None:
    """Remove all containers of this installation from one engine, and the networks of these and their own tenants."""
    from backend.domain.errors import Conflict

    containers = await engine.list_containers()
    await asyncio.gather(*(engine.remove_container(container.id) for container in containers))
    tenants = tenants | {container.tenant_id for container in containers if container.tenant_id}
    removed.containers += len(containers)
    for tenant in sorted(tenants):
        try:
            await engine.remove_network(tenant)
        except Conflict as error:
            removed.faults.append(error.message)
        else:
            removed.networks += 1
    removed.volumes += len(await engine.list_volumes())
