"""The version of what runs."""

from __future__ import annotations

from functools import cache
from importlib import metadata


@cache
def version() -> str:
    """The installed distribution's version; `0+unknown` where it runs without having been installed."""
    try:
        return metadata.version("pilothouse")
    except metadata.PackageNotFoundError:
        return "0+unknown"
