"""Checks that several kinds of request share. All faults are collected, so that a form can show each at its field."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from backend.domain.errors import FieldError, Invalid
from backend.domain.shown import shown

# `\Z`, not `$`, which also passes a line feed at the end.
_ENV_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_.-]{0,254}\Z")
# Runs of separators are bounded by the length check, and no branch overlaps another: no backtracking.
_IMAGE = re.compile(
    r"^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?/)?"
    r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[a-f0-9]{64})?\Z"
)
_IMAGE_ID = re.compile(r"^sha256:[a-f0-9]{64}\Z")
MAX_ENV_VALUE_BYTES = 128 * 1024 - 1  # what execve(2) takes for one string
MAX_ENV_BYTES = 1024 * 1024


class Faults:
    """What was found wrong so far."""

    def __init__(self) -> None:
        self.found: list[FieldError] = []

    def add(self, field: str, message: str) -> None:
        self.found.append(FieldError(field, message))

    def collect(self, check: Callable[[], object]) -> None:
        """Take over the faults of a check that raises Invalid."""
        try:
            check()
        except Invalid as error:
            self.found.extend(error.fields)

    def raise_any(self) -> None:
        """Raise Invalid with all of them, if there are any."""
        if not self.found:
            return
        more = f" (and {len(self.found) - 1} more)" if len(self.found) > 1 else ""
        raise Invalid(f"{_told(self.found[0])}{more}", fields=tuple(self.found))


def _told(fault: FieldError) -> str:
    """A fault as a sentence that names its field, once."""
    place, dot, name = fault.field.rpartition(".")
    if fault.message.startswith(f"{name} "):
        return f"{place}{dot}{fault.message}"
    return fault.message if fault.message.startswith(f"{fault.field} ") else f"{fault.field}: {fault.message}"


def check_image(faults: Faults, image: str) -> None:
    """An image reference, or an image id."""
    if len(image) > 512 or not (_IMAGE.fullmatch(image) or _IMAGE_ID.match(image)):
        faults.add(
            "image",
            f"{shown(image)} is not an image reference: use [registry/]name[:tag] in lower case, "
            "such as 'nginx:1.27' or 'ghcr.io/owner/app:v2'",
        )


def check_env(faults: Faults, env: Mapping[str, str]) -> None:
    """Environment variables, each and together."""
    size = 0
    for name, value in env.items():
        size += len(name) + len(value.encode(errors="surrogatepass")) + 2
        if not _ENV_NAME.fullmatch(name):
            faults.add(f"env.{name[:64]}", f"{shown(name)} is not a variable name: use letters, digits and '_'")
        elif "\0" in value or not _encodable(value):
            faults.add(f"env.{name}", "the value holds characters that no environment can carry (NUL or surrogates)")
        elif len(value.encode()) + len(name) + 1 > MAX_ENV_VALUE_BYTES:
            faults.add(f"env.{name}", f"the value is longer than {MAX_ENV_VALUE_BYTES} bytes")
    if size > MAX_ENV_BYTES:
        faults.add("env", f"all variables together exceed {MAX_ENV_BYTES} bytes")


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
