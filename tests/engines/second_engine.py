"""A second real engine, on a network of its own: reached over TLS with client certificates, and over SSH through a real
server. Takes root, as the private engine of the tests does."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import docker
from docker.errors import DockerException

from backend.domain.clusters import DockerAddress
from tests.engines.certificates import write_certificates

DEADLINE_SECONDS = 60.0
TLS_PORT = 2376


@dataclass(frozen=True)
class SecondEngine:
    """`tls` and `ssh` are its two addresses; `socket` is its socket file, for looking at it from outside."""

    tls: DockerAddress
    ssh: DockerAddress
    socket: Path
    sshd: subprocess.Popen[bytes]

    def client(self) -> docker.DockerClient:
        return docker.DockerClient(base_url=f"unix://{self.socket}")

    def load(self, image: str) -> None:
        """Give it an image of the first engine."""
        with closing(docker.from_env()) as first, closing(self.client()) as second:
            second.images.load(b"".join(first.images.get(image).save(named=True)))

    def cut_ssh(self) -> None:
        """End every SSH connection; the server goes on to take new ones."""
        children = Path(f"/proc/{self.sshd.pid}/task/{self.sshd.pid}/children").read_text().split()
        for child in children:
            os.kill(int(child), signal.SIGKILL)


@contextmanager
def second_engine() -> Iterator[SecondEngine]:
    """Up in some seconds, with no image; gone at the end with all that it held."""
    folder = Path(tempfile.mkdtemp(prefix="ph2-", dir="/var/tmp"))
    name = f"ph2{secrets.token_hex(3)}"
    subnet = f"10.{100 + secrets.randbelow(28)}.{secrets.randbelow(256)}"
    engine = ssh = None
    try:
        _network(name, subnet)
        write_certificates(folder, "127.0.0.1", f"{subnet}.2")
        engine = _start_engine(folder, name, subnet)
        _wait(lambda: _answers(folder / "docker.sock"), folder / "dockerd.log")
        port = _free_port()
        ssh = _start_sshd(folder, port)
        _wait(lambda: _listens(port), folder / "sshd.log")
        text = {one: (folder / f"{one}.pem").read_text() for one in ("ca", "cert", "key")}
        yield SecondEngine(
            tls=DockerAddress(f"tcp://{subnet}.2:{TLS_PORT}", text["ca"], text["cert"], text["key"]),
            ssh=DockerAddress(
                f"ssh://root@127.0.0.1:{port}{folder}/docker.sock",
                ssh_private_key=(folder / "user_key").read_text(),
                ssh_host_key=(folder / "host_key.pub").read_text(),
            ),
            socket=folder / "docker.sock",
            sshd=ssh,
        )
    finally:
        if ssh is not None:
            ssh.kill()
            ssh.wait()
        if engine is not None:
            _end_engine(folder, engine)
        subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(folder, ignore_errors=True)


def _network(name: str, subnet: str) -> None:
    for command in (
        f"ip netns add {name}",
        f"ip -n {name} link set lo up",
        f"ip link add {name}a type veth peer name {name}b netns {name}",
        f"ip addr add {subnet}.1/30 dev {name}a",
        f"ip link set {name}a up",
        f"ip -n {name} addr add {subnet}.2/30 dev {name}b",
        f"ip -n {name} link set {name}b up",
    ):
        subprocess.run(command.split(), check=True)


def _start_engine(folder: Path, name: str, subnet: str) -> subprocess.Popen[bytes]:
    """In a mount namespace of its own, since engines on one machine meet in /run and /etc/docker."""
    (folder / "exec").mkdir()
    Path("/etc/docker").mkdir(exist_ok=True)
    third = subnet.split(".")[2]
    script = (
        "mount --make-rprivate / && mount -t tmpfs tmpfs /etc/docker && mount -t tmpfs tmpfs "
        f"{folder}/exec && exec dockerd -H unix://{folder}/docker.sock -H tcp://{subnet}.2:{TLS_PORT} --tlsverify "
        f"--tlscacert {folder}/ca.pem --tlscert {folder}/cert.pem --tlskey {folder}/key.pem "
        f"--data-root {folder}/engine --exec-root {folder}/exec --pidfile {folder}/exec/docker.pid "
        f"--cgroup-parent /{name} --bip 172.31.{third}.1/24"
    )
    command = ["unshare", "-m", "nsenter", f"--net=/run/netns/{name}", "bash", "-c", script]
    with (folder / "dockerd.log").open("wb") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)


def _end_engine(folder: Path, engine: subprocess.Popen[bytes]) -> None:
    if _answers(folder / "docker.sock"):
        with closing(docker.DockerClient(base_url=f"unix://{folder / 'docker.sock'}")) as client:
            for one in client.containers.list(all=True):
                one.remove(force=True)
    engine.terminate()
    try:
        engine.wait(20)
    except subprocess.TimeoutExpired:
        engine.kill()
        engine.wait()


def _start_sshd(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """Real, with its defaults (ten sessions a connection) but for where its files are."""
    Path("/run/sshd").mkdir(exist_ok=True)
    for name in ("host_key", "user_key"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)], check=True
        )
    config = folder / "sshd_config"
    config.write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {folder}/host_key\nAuthorizedKeysFile {folder}/user_key.pub\n"
        f"PidFile none\nStrictModes no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n"
    )
    server = shutil.which("sshd", path=os.environ["PATH"] + ":/usr/sbin")
    assert server is not None
    with (folder / "sshd.log").open("wb") as log:
        return subprocess.Popen([server, "-D", "-e", "-f", str(config)], stdin=subprocess.DEVNULL, stderr=log)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    return port


def _answers(path: Path) -> bool:
    try:
        with closing(docker.DockerClient(base_url=f"unix://{path}", timeout=5)) as client:
            return bool(client.ping())
    except DockerException:
        return False


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def _wait(ready: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not ready():
        assert time.monotonic() < deadline, log.read_text()[-600:]
        time.sleep(0.1)
