"""`pilothouse demo`: deploys a sample app through the API, so that a newcomer sees something real."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from backend.wire.rendezvous import Places, StartupProgress
from tui.invocation import own_command

if TYPE_CHECKING:
    from backend.wire.container_engine import DeploymentListItem, DeploymentStatusResponse
    from tui.client.connection import Backend

REGISTRY_IMAGE, REGISTRY_PORT = "nginx:alpine", 80
LOCAL_IMAGE_PORT = 8080
POLL_SECONDS = 0.3
PATIENCE_SECONDS = 180.0
LOCAL_IMAGE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Sample:
    """An image, and the port that it serves on."""

    image: str
    port: int


class DemoFault(Exception):
    """The demo came to nothing; the text says why and what to do."""


def run_demo(
    data_dir: Path | None, *, image: str | None, port: int | None, name: str, serve: tuple[str, ...] = ()
) -> int:
    """Returns the exit code: 0 once the app answers, 1 otherwise."""
    from tui.client.errors import ClientError, StartFault

    places = Places.of(data_dir)
    app = own_command(data_dir=data_dir)
    try:
        asyncio.run(_demo(places, Sample(image, port or REGISTRY_PORT) if image else None, name, serve, app))
    except StartFault as fault:
        print(f"pilothouse demo: {fault.message}", file=sys.stderr)
        if fault.tail:
            print(fault.tail, file=sys.stderr)
        return 1
    except (ClientError, DemoFault) as fault:
        print(f"pilothouse demo: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


async def _demo(places: Places, wanted: Sample | None, name: str, serve: tuple[str, ...], app: str) -> None:
    from tui.client.connection import Backend
    from tui.client.local_backend import ensure_backend
    from tui.client.transport import Endpoint

    await ensure_backend(places, _tell_progress, arguments=serve)
    backend = Backend(Endpoint(socket=places.socket), lambda _: None)
    try:
        deployment_id, url = await _find_or_deploy(backend, places, wanted, name)
        await _until_running(backend, deployment_id, app)
    finally:
        await backend.close()
    _say(f"\n{name} answers at {url}")
    # A line of its own, and never broken: it is there to be copied.
    print(f"To look at it:\n  {app}")
    _say("There: l its logs, m its metrics, s a shell in it, S more replicas of it.")


def _say(text: str) -> None:
    """Broken between words where a terminal would break it anywhere."""
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns
        indent = text[: len(text) - len(text.lstrip(" "))]
        text = "\n".join(
            textwrap.fill(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
            for line in text.split("\n")
        )
    print(text, flush=True)


def _tell_progress(progress: StartupProgress) -> None:
    _say(f"  {progress.message}")


async def _find_or_deploy(backend: Backend, places: Places, wanted: Sample | None, name: str) -> tuple[str, str]:
    from tui.client.errors import ApiError

    existing = await _named(backend, name)
    if existing is not None:
        _say(f"{name} is deployed already.")
        if existing.status == "stopped":
            await backend.deployments.start(existing.id)
        return existing.id, existing.url
    sample = wanted or Sample(REGISTRY_IMAGE, REGISTRY_PORT)
    _say(f"Deploying {sample.image} as {name}")
    try:
        return await _deploy(backend, sample, name)
    except ApiError as error:
        # 422: the image is not to be had. Offline, one made from what this machine has shows the same.
        if error.status != 422 or wanted is not None:
            raise
        _say(f"  {error.message}")
    sample = await asyncio.to_thread(_build_local_image, places)
    _say(f"Deploying {sample.image}, made on this machine, as {name}")
    return await _deploy(backend, sample, name)


async def _deploy(backend: Backend, sample: Sample, name: str) -> tuple[str, str]:
    from backend.wire.container_engine import DeploymentCreateRequest, ResourcesModel

    request = DeploymentCreateRequest.model_validate(
        {
            "appName": name,
            "image": sample.image,
            "port": sample.port,
            "replicas": 2,
            "resources": ResourcesModel(cpu="200m", memory="64Mi"),
        }
    )
    answer = await backend.deployments.create(request)
    return answer.id, answer.url


async def _named(backend: Backend, name: str) -> DeploymentListItem | None:
    number = 1
    while True:
        page = await backend.deployments.page(number)
        found = next((deployment for deployment in page.deployments if deployment.app_name == name), None)
        if found is not None or number >= page.pagination.total_pages:
            return found
        number += 1


def _build_local_image(places: Places) -> Sample:
    """Asks the backend's own command for an image; this process never holds the engine's client."""
    command = [sys.executable, "-P", "-m", "backend", "demo-image", "--data-dir", str(places.data_dir)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LOCAL_IMAGE_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise DemoFault("Building a sample image took too long; is the container engine busy?") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise DemoFault(f"No sample image could be built: {said[-1] if said else 'no reason given'}")
    try:
        answer = json.loads(done.stdout)
        return Sample(str(answer["image"]), int(answer.get("port", LOCAL_IMAGE_PORT)))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DemoFault("The backend and this command are of different versions: reinstall Pilothouse") from error


async def _until_running(backend: Backend, deployment_id: str, app: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    said = ""
    while True:
        status = await backend.deployments.status(deployment_id)
        line = _status_line(status)
        if line != said:
            said = line
            _say(f"  {line}")
        if status.status == "running":
            return
        if status.status == "failed":
            raise DemoFault(status.error_message or status.message or "the deployment failed")
        if time.monotonic() > deadline:
            raise DemoFault(f"it does not come up; `{app}` shows why, under h")
        await asyncio.sleep(POLL_SECONDS)


def _status_line(status: DeploymentStatusResponse) -> str:
    words = status.message or status.reason.replace("_", " ")
    counts = f"{status.replicas.ready} of {status.replicas.desired} ready"
    return f"{status.status}: {words} ({counts})" if words else f"{status.status} ({counts})"
