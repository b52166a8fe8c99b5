"""Why an image cannot be had. The engine passes the registry's words on under changing statuses (a private image
is a 500), so the text decides and the status only helps."""

from __future__ import annotations

from enum import StrEnum

from backend.domain.errors import ImageRejected


class ImageFault(StrEnum):
    NOT_FOUND = "not_found"
    DENIED = "denied"
    UNREACHABLE = "unreachable"
    MALFORMED = "malformed"


# In this order: Docker Hub's "pull access denied ..., repository does not exist or may require 'docker login'" is a
# denial first of all, and "no such host" is not a missing image.
_MALFORMED = ("invalid reference format", "invalid repository name", "invalid tag format", "invalid checksum digest")
_DENIED = (
    "denied",
    "unauthorized",
    "authentication required",
    "no basic auth credentials",
    "incorrect username or password",
    "insufficient_scope",
    "forbidden",
)
_UNREACHABLE = (
    "connection refused",
    "connection reset",
    "no such host",
    "timeout",
    "timed out",
    "deadline exceeded",
    "x509",
    "tls:",
    "server gave http response",
    "network is unreachable",
    "no route to host",
    "server misbehaving",
    "toomanyrequests",
    "too many requests",
    "rate limit",
    "service unavailable",
    "bad gateway",
    "eof",
)
_NOT_FOUND = (
    "manifest unknown",
    "name unknown",
    "not found",
    "does not exist",
    "no matching manifest",
    "no such image",
)


def classify(status: int, text: str) -> ImageFault:
    """The kind of fault behind an engine's answer. `status` is 0 for an error inside a pull's stream."""
    lower = text.lower()
    for fault, words in (
        (ImageFault.MALFORMED, _MALFORMED),
        (ImageFault.DENIED, _DENIED),
        (ImageFault.UNREACHABLE, _UNREACHABLE),
        (ImageFault.NOT_FOUND, _NOT_FOUND),
    ):
        if any(word in lower for word in words):
            return fault
    if status in (401, 403):
        return ImageFault.DENIED
    if status == 404:
        return ImageFault.NOT_FOUND
    return ImageFault.MALFORMED if status == 400 else ImageFault.UNREACHABLE


def rejected(reference: str, fault: ImageFault, text: str, *, with_auth: bool) -> ImageRejected:
    """The domain's error, with details `reason` and a message that says what to change."""
    match fault:
        case ImageFault.NOT_FOUND if "no matching manifest" in text.lower():
            message = f"image '{reference}' has no variant for this machine's processor: choose another image or tag"
        case ImageFault.NOT_FOUND:
            message = f"image '{reference}' was not found in its registry: check the name and tag"
        case ImageFault.DENIED if with_auth:
            message = (
                f"the registry refuses image '{reference}' with the given credentials: check username and password, "
                "that this account may read the image, and that the image exists"
            )
        case ImageFault.DENIED:
            message = (
                f"the registry refuses image '{reference}': it is private or does not exist. Give the "
                "registry's username and password, or check the name"
            )
        case ImageFault.MALFORMED:
            message = f"'{reference}' is not an image reference that the engine accepts: use 'name:tag'"
        case ImageFault.UNREACHABLE:
            message = (
                f"the registry of image '{reference}' cannot be reached and the image is not on this machine: "
                f"check the registry's name and the network, then try again ({_short(text)})"
            )
    return ImageRejected(message, details={"reason": fault.value, "image": reference})


def not_a_name(image: str) -> ImageRejected:
    """An id, under which no registry keeps an image: it can neither be pinned nor pulled again."""
    return ImageRejected(
        f"'{image}' is the id of an image, not its name: use 'name:tag' or 'name@sha256:...'",
        details={"reason": ImageFault.NOT_FOUND.value, "image": image},
    )


def _short(text: str) -> str:
    return text if len(text) <= 160 else f"{text[:157]}..."
