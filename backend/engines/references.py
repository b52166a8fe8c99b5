"""Image references: `[registry/]path[:tag][@digest]`, in the short form that Docker writes.

Source of the grammar: the distribution project's reference format.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from backend.domain.errors import Invalid

_HOST_PART = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_HOST = rf"(?:{_HOST_PART}(?:\.{_HOST_PART})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_PATH_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?P<name>(?:(?P<host>{_HOST})/)?{_PATH_PART}(?:/{_PATH_PART})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[a-f0-9]{64}))?",
    re.ASCII,
)
_ID = re.compile(r"[a-f0-9]{64}")
_MAX_NAME = 255
_HUB = ("docker.io/", "index.docker.io/")


@dataclass(frozen=True, slots=True)
class Reference:
    """`repository` is in Docker's familiar form (`busybox`, not `docker.io/library/busybox`)."""

    repository: str
    tag: str | None
    digest: str | None

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Raises Invalid at `image`. Without tag and digest the tag is `latest`."""
        match = _REFERENCE.fullmatch(text)
        if not match or len(match["name"]) > _MAX_NAME:
            raise Invalid.at(
                "image",
                f"{text[:200]!r} is not an image reference: use 'name:tag' or 'registry/name:tag' "
                "in lower case, such as 'nginx:1.27'",
            )
        digest = match["digest"]
        tag = match["tag"] or (None if digest else "latest")
        return cls(_familiar(match["name"]), tag, digest)

    @property
    def is_image_id(self) -> bool:
        """Whether it is an id in the engine's form, which by the grammar is also a name with a tag."""
        return self.repository == "sha256" and bool(_ID.fullmatch(self.tag or ""))

    def __str__(self) -> str:
        return self.repository + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")

    def pinned(self, digest: str) -> str:
        """`repository@sha256:...`."""
        return f"{self.repository}@{digest}"


def _familiar(name: str) -> str:
    for prefix in _HUB:
        if name.startswith(prefix):
            name = name.removeprefix(prefix)
            break
    head, slash, rest = name.partition("/")
    return rest if slash and head == "library" else name
