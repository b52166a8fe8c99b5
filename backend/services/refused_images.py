"""What helps where a registry denies an image. The engine's words ask for credentials, which not every request has a
place for."""

from __future__ import annotations

from backend.domain.errors import ImageRejected

FOR_ENVIRONMENTS = "An environment's image must be one that everybody may read: check the name"
_WITHOUT_CREDENTIALS = (
    "A change uses the credentials that were given at creation, and there were none: check the name, or deploy the app "
    "anew with the registry's username and password"
)
_WITH_CREDENTIALS = (
    "A change uses the credentials that were given at creation: check that their account may read the image, or deploy "
    "the app anew with others"
)


def for_a_change(*, with_credentials: bool) -> str:
    """The way out for a change to a deployment that was made with or without credentials."""
    return _WITH_CREDENTIALS if with_credentials else _WITHOUT_CREDENTIALS


def with_way_out(error: ImageRejected, way_out: str) -> ImageRejected:
    """A denial with another way out than the engine's; any other refusal in its own words."""
    words = error.message
    if error.details.get("reason") == "denied":
        words = f"the registry refuses image '{error.details['image']}': it is private or does not exist. {way_out}"
    return ImageRejected(words, details=error.details)
