"""Pinning images to digests and pulling them."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlencode

from backend.domain.deployments import RegistryAuth
from backend.domain.engine import PullProgress, ResolvedImage
from backend.domain.errors import EngineUnavailable
from backend.engines.connection import EngineConnection
from backend.engines.errors import EngineFault, EngineTimeout, translated
from backend.engines.image_faults import ImageFault, classify, not_a_name, rejected
from backend.engines.references import Reference
from backend.engines.sdk import registry_header

REGISTRY_SECONDS = 10.0
_PROGRESS_SECONDS = 0.1


def auth_config(auth: RegistryAuth | None) -> dict[str, str]:
    """For the engine. Empty without credentials, never the login of whoever runs this process: that would lend the
    operator's private images to every tenant."""
    return {} if auth is None else {"username": auth.username, "password": auth.password}


async def resolve_image(connection: EngineConnection, image: str, auth: RegistryAuth | None) -> ResolvedImage:
    """Pin a reference. The registry has the first word, so that a private image that is already here is not handed
    to somebody without its credentials; it is not asked about an image that only this machine knows, and a local
    copy stands in where it cannot be reached. Raises ImageRejected, Invalid, EngineUnavailable."""
    reference = Reference.parse(image)
    if reference.is_image_id:
        raise not_a_name(image)
    local = await _local_image(connection, reference)
    known = _repo_digest(local, reference) if local else None
    if local is not None and known is None:
        return ResolvedImage(image, str(local["Id"]), True)
    fault: EngineFault
    try:
        answer = await connection.ask_registry(
            lambda client: client.inspect_distribution(str(reference), auth_config=auth_config(auth)),
            timeout=REGISTRY_SECONDS,
        )
        pinned = reference.pinned(answer["Descriptor"]["digest"])
        return ResolvedImage(image, pinned, pinned == known or await has_image(connection, pinned))
    except EngineTimeout:
        await connection.ping()  # the engine itself may be what is silent
        fault = EngineFault(0, f"the registry did not answer within {REGISTRY_SECONDS:.0f} s")
    except EngineFault as error:
        fault = error
    kind = classify(fault.status, fault.text)
    if known is not None and kind in (ImageFault.UNREACHABLE, ImageFault.NOT_FOUND):
        return ResolvedImage(image, known, True)
    raise rejected(image, kind, fault.text, with_auth=auth is not None) from fault


async def has_image(connection: EngineConnection, pinned: str) -> bool:
    """Whether a container can be made of the pinned image without a pull."""
    return await _inspect(connection, pinned) is not None


async def pull_image(
    connection: EngineConnection, image: ResolvedImage, auth: RegistryAuth | None
) -> AsyncIterator[PullProgress]:
    """Pull, with progress at most every 0.1 s. The engine gives up the pull when the caller goes away."""
    if image.local and await has_image(connection, image.pinned):
        return
    repository, at, digest = image.pinned.partition("@")
    if not at:
        raise rejected(image.reference, ImageFault.NOT_FOUND, "a local image that is gone", with_auth=False)
    path = f"/images/create?{urlencode({'fromImage': repository, 'tag': digest})}"
    headers = {"X-Registry-Auth": registry_header(auth_config(auth))}
    progress = _Progress()
    try:
        async with connection.stream("POST", path, headers=headers) as response:
            rest, told = b"", 0.0
            while data := await connection.read_watched(response):
                *documents, rest = (rest + data).split(b"\n")
                for document in documents:
                    if document.strip():
                        progress.take(json.loads(document))
                if (now := time.monotonic()) - told >= _PROGRESS_SECONDS:
                    told = now
                    yield progress.now()
            yield progress.now()
    except EngineFault as fault:
        kind = classify(fault.status, fault.text)
        raise rejected(image.reference, kind, fault.text, with_auth=auth is not None) from fault
    if not await has_image(connection, image.pinned):
        raise EngineUnavailable(f"the engine ended the pull of '{image.reference}' without the image: try again")


class _Progress:
    """Sums over the layers known so far. Downloading and unpacking both count a layer's bytes: the download is the
    part that is waited for, so a layer counts as done when it begins to unpack."""

    def __init__(self) -> None:
        self._layers: dict[str, tuple[int, int]] = {}
        self._status = "Pulling"

    def take(self, document: Mapping[str, Any]) -> None:
        """One line of the engine's stream. Raises EngineFault for an error line."""
        if "error" in document:
            raise EngineFault(0, str(document["error"]))
        self._status = str(document.get("status") or self._status)
        layer, detail = document.get("id"), document.get("progressDetail") or {}
        total = int(detail.get("total") or 0)
        if layer and self._status == "Downloading" and total > 0:
            self._layers[str(layer)] = (min(int(detail.get("current") or 0), total), total)
        elif layer in self._layers:
            total = self._layers[str(layer)][1]
            self._layers[str(layer)] = (total, total)

    def now(self) -> PullProgress:
        current = sum(done for done, _ in self._layers.values())
        return PullProgress(self._status, current, sum(total for _, total in self._layers.values()))


async def _inspect(connection: EngineConnection, name: str) -> Mapping[str, Any] | None:
    try:
        found = await connection.call(lambda client: client.inspect_image(name))
    except EngineFault as fault:
        if fault.status in (400, 404):
            return None
        with translated(f"image {name}"):
            raise
    return dict(found)


async def _local_image(connection: EngineConnection, reference: Reference) -> Mapping[str, Any] | None:
    found = await _inspect(connection, str(reference))
    if found is None:
        return None
    # The engine also takes ids and their prefixes for names: only a name counts, else 'cafe' would run whatever
    # image's id begins so.
    if reference.digest is not None:
        return found if _repo_digest(found, reference) else None
    tags = {str(Reference.parse(tag)) for tag in found.get("RepoTags") or [] if not tag.startswith("<none>")}
    return found if str(reference) in tags else None


def _repo_digest(found: Mapping[str, Any], reference: Reference) -> str | None:
    """The local image's pin in the reference's own repository."""
    for pinned in found.get("RepoDigests") or []:
        if not pinned.startswith("<none>"):
            parsed = Reference.parse(pinned)
            if parsed.repository == reference.repository and reference.digest in (None, parsed.digest):
                return str(pinned)
    return None
