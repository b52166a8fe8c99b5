"""A real sshd on loopback with keys and settings of its own, and an `ssh` whose configuration is the test's."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

DEADLINE_SECONDS = 60.0


class SshServer:
    """`path` goes before PATH: its `ssh` is the system's with `config`, since ssh finds the user's own by the user
    database and not by HOME. The host is called `name` there; `home` is a HOME whose .ssh/config names it too."""

    def __init__(self, folder: Path, *, name: str = "box") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self._folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.home = folder / "home"
        self.path = folder / "bin"
        self.config = self.home / ".ssh" / "config"
        self.known_hosts = folder / "known_hosts"
        self._process: subprocess.Popen[bytes] | None = None
        self._make_files()

    def _make_files(self) -> None:
        for name in ("host", "user"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self._folder / name)], check=True, timeout=20
            )
        server = (
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self._folder}/host\n"
            f"AuthorizedKeysFile {self._folder}/user.pub\nStrictModes no\nUsePAM no\nPidFile none\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\nPrintMotd no\n"
            "PrintLastLog no\nAcceptEnv LANG LC_*\n"
        )
        (self._folder / "sshd_config").write_text(server)
        self.config.parent.mkdir(parents=True)
        self.config.write_text(
            f"Host {self.name}\n  HostName 127.0.0.1\n  Port {self.port}\n  User {getpass.getuser()}\n"
            f"Host *\n  IdentityFile {self._folder}/user\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {self.known_hosts}\n  GlobalKnownHostsFile /dev/null\n  LogLevel INFO\n"
        )
        self.path.mkdir()
        ssh = self.path / "ssh"
        ssh.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {self.config} "$@"\n')
        ssh.chmod(0o755)

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs in its environment to find this `ssh`."""
        return {"PATH": f"{self.path}:{os.environ['PATH']}", "HOME": str(self.home), "SSH_AUTH_SOCK": ""}

    def trust(self) -> None:
        """As somebody who has said yes to the host's key before."""
        key = (self._folder / "host.pub").read_text().split()[:2]
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {' '.join(key)}\n")

    def start(self) -> SshServer:
        sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        assert sshd, "no sshd: install openssh-server"
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        log = (self._folder / "log").open("ab")
        self._process = subprocess.Popen(
            [sshd, "-D", "-e", "-f", str(self._folder / "sshd_config")],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        log.close()
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not self._answers():
            assert time.monotonic() < deadline and self._process.poll() is None, (self._folder / "log").read_text()
            time.sleep(0.05)
        return self

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    def connections(self) -> list[int]:
        """Processes that serve a connection."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def go_down(self) -> None:
        """The host is gone: its connections end without a word from their shells, and no new one is taken."""
        pids = self.connections()
        self.stop()
        for pid in pids:
            os.kill(pid, 9)

    def stop(self) -> None:
        """No new connections; those that there are go on."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
