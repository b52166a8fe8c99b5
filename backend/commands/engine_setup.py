"""Makes sure that a container engine answers, before the first run. Standard library only: it runs as a plain script.

Says what is wrong where none answers; as root on Debian or Ubuntu it installs and starts the distribution's own engine.
Never fails: the app opens all the same and shows what to do.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

DEFAULT_SOCKET = "/var/run/docker.sock"
START_SECONDS = 30.0


def socket_path() -> str | None:
    """Where the engine listens; None where DOCKER_HOST names another machine."""
    host = os.environ.get("DOCKER_HOST", "")
    if not host:
        return DEFAULT_SOCKET
    parts = urlsplit(host)
    return parts.path if parts.scheme == "unix" else None


def answers(path: str) -> bool:
    """Whether an engine answers a ping on this socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(3)
        try:
            connection.connect(path)
            connection.sendall(b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n")
            return b" 200 " in connection.recv(64)
        except OSError:
            return False


def _say(text: str) -> None:
    print(f"pilothouse: {text}", file=sys.stderr)


def _is_debian() -> bool:
    try:
        text = Path("/etc/os-release").read_text()
    except OSError:
        return False
    return any(f"ID={name}" in text or f"ID_LIKE={name}" in text for name in ("debian", "ubuntu"))


def _install() -> bool:
    _say("no container engine is here: installing docker.io")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    commands = (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "docker.io", "iptables", "busybox-static"],
    )
    for command in commands:
        done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
        if done.returncode:
            _say(f"'{' '.join(command)}' failed; see its message above")
            return False
    return True


def _start(path: str) -> bool:
    _say("starting the container engine")
    if Path("/run/systemd/system").is_dir():
        subprocess.run(["systemctl", "enable", "--now", "docker"], check=False)
    else:
        with Path("/var/log/dockerd.log").open("ab") as log:
            subprocess.Popen(
                ["dockerd"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/"
            )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if answers(path):
            return True
        time.sleep(0.2)
    _say("the engine was started but does not answer; see /var/log/dockerd.log or 'systemctl status docker'")
    return False


def main() -> None:
    path = socket_path()
    if path is None or answers(path):
        return
    if os.environ.get("DOCKER_HOST"):
        _say(f"no engine answers at DOCKER_HOST={os.environ['DOCKER_HOST']}: start it, or unset DOCKER_HOST")
        return
    if shutil.which("dockerd") is None:
        if os.geteuid() != 0 or not _is_debian():
            if Path(path).exists() and not os.access(path, os.W_OK):
                _say("you may not use the container engine: run 'sudo usermod -aG docker $USER' and log in again")
            elif sys.platform == "darwin":
                _say("no container engine answers: install and start Docker Desktop, then run this again")
            elif _is_debian():
                _say("no container engine answers: run 'sudo apt-get install docker.io', then run this again")
            else:
                _say(
                    "no container engine answers: install Docker (docs.docker.com/engine/install), then run this again"
                )
            return
        if not _install():
            return
    if os.geteuid() != 0:
        if Path(path).exists() and not os.access(path, os.W_OK):
            _say("you may not use the container engine: run 'sudo usermod -aG docker $USER' and log in again")
        else:
            _say("the container engine does not run: start it with 'sudo systemctl start docker'")
        return
    # Debian's package may have started it while it was installed.
    if answers(path) or _start(path):
        _say("the container engine answers")


if __name__ == "__main__":
    main()
