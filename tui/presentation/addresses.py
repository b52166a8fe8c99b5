"""How a user reaches the URL of an app from where they sit."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit


def over_ssh(environment: Mapping[str, str]) -> bool:
    """Whether the app runs in an SSH session, where a browser here would open on the wrong machine."""
    return bool(environment.get("SSH_CONNECTION") or environment.get("SSH_TTY"))


def shows_no_browser(environment: Mapping[str, str], platform: str) -> bool:
    """Whether no browser can open here: a Linux console or container without a desktop, and without a BROWSER that
    the user named. `platform` as in sys."""
    ways = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    return platform.startswith("linux") and not any(environment.get(name) for name in ways)


def forward_line(url: str, environment: Mapping[str, str], user: str) -> str:
    """The exact command, to be run on the user's own machine, after which the URL opens in the browser there.
    SSH_CONNECTION is `client-address client-port server-address server-port`."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    fields = environment.get("SSH_CONNECTION", "").split()
    host, ssh_port = (fields[2], fields[3]) if len(fields) == 4 else ("HOST", "22")
    login = f"{user}@{host}"
    flag = "" if ssh_port == "22" else f" -p {ssh_port}"
    return f"ssh -N -L {port}:127.0.0.1:{port}{flag} {login}"
