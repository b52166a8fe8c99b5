"""Terminals of environments over their sockets: how long a key takes to come back, against `docker exec -it` on the
same engine, and what many of them cost in memory."""

from __future__ import annotations

import os
import pty
import secrets
import selectors
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from urllib.parse import urlencode

import httpx

from backend.run_lock import lock_holder
from backend.terminals.places import HolderPlaces
from benchmarks import processes
from benchmarks.options import Options
from benchmarks.raw_websocket import RawSocket
from benchmarks.report import Figure, Measured, percentile
from benchmarks.server import Server, new_server

NAME = "terminal_sockets"
ECHO_TARGET = 2.0
SOCKETS, SOCKETS_PER_USER = 50, 10
# What 50 sessions, each with a full scrollback, add to backend and holder together.
GROWTH_TARGET_MB = 60.0
BURST_LINES = 3_000
SURFACE = "/devpocket/api/v1"
SCRIPT = "stty raw -echo; echo ready; cat"
_BLOCK = 50
_PASSWORD = "correct horse 7 battery"
_PATIENCE_SECONDS = 60.0


def run(options: Options) -> Iterator[Figure]:
    with new_server() as server:
        template = _template(server)
        users = [_User(server, template) for _ in range(SOCKETS // SOCKETS_PER_USER)]
        yield from _echo(users[0], keys=options.pick(1_000, 200))
        yield from _soak(server, users, rounds=options.pick(5, 2))


# Echo


def _echo(user: _User, keys: int) -> Iterator[Figure]:
    command = ["docker", "exec", "-it", user.container(), "sh", "-c", SCRIPT]
    with _pseudo_terminal(command) as cli:
        while b"ready" not in os.read(cli, 1024):
            continue
        with closing(user.socket("echo", f"sh -c '{SCRIPT}'")) as socket:
            _read_until(socket, b"ready\n")
            yield from _figures("echo, binary socket", lambda: _key_to_socket(socket), cli, keys)
        with closing(user.documented_socket("echo")) as documented:
            _read_until(documented, b"ready")
            yield from _figures("echo, DevPocket's socket", lambda: _key_as_json(documented), cli, keys)


def _figures(label: str, key: Callable[[], None], cli: int, keys: int) -> Iterator[Figure]:
    """In turns, so that what else the machine does hits both."""
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(keys // _BLOCK):
        ours += [_seconds(key) for _ in range(_BLOCK)]
        theirs += [_seconds(lambda: _key_to_cli(cli)) for _ in range(_BLOCK)]
    for percent in (50, 99):
        yield Figure(
            NAME,
            Measured.of(f"{label}, p{percent}", "ms", [1e3 * percentile(ours, percent)]),
            Measured.of("docker exec -it", "ms", [1e3 * percentile(theirs, percent)]),
            ECHO_TARGET,
        )


def _seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _key_to_socket(socket: RawSocket) -> None:
    socket.write(b"k")
    _read_until(socket, b"k")


def _key_as_json(socket: RawSocket) -> None:
    socket.write(b'{"type":"input","data":"k"}', text=True)
    _read_until(socket, b'"k"')


def _key_to_cli(leader: int) -> None:
    os.write(leader, b"k")
    while b"k" not in os.read(leader, 1024):
        continue


@contextmanager
def _pseudo_terminal(command: Sequence[str]) -> Iterator[int]:
    """The leader's end of the terminal in which a command runs."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, start_new_session=True)
    os.close(follower)
    try:
        yield leader
    finally:
        process.kill()
        process.wait()
        os.close(leader)


# Many at once


def _soak(server: Server, users: list[_User], rounds: int) -> Iterator[Figure]:
    """Every socket has a shell that writes bursts; between them each echoes keys."""
    with ExitStack() as life:
        sockets = []
        backend, holder = _memory(server)
        for user in users:
            for number in range(SOCKETS_PER_USER):
                sockets.append(life.enter_context(closing(user.socket(f"soak-{number}", "sh"))))
        _all(sockets, b"echo up$((1+1))\n", b"up2")
        rates, echoes = [], []
        for _ in range(rounds):
            seconds = _seconds(lambda: _all(sockets, f"seq 1 {BURST_LINES}; echo en''d\n".encode(), b"end"))
            rates.append(len(sockets) * BURST_LINES / seconds)
            for socket in sockets:
                echoes.append(_seconds(lambda socket=socket: _line(socket)))  # type: ignore[misc]
        backend_after, holder_after = _memory(server)
    grown = backend_after - backend + holder_after - holder
    label = f"{len(sockets)} sockets"
    yield Figure(NAME, Measured.of(f"{label}: memory grew by", "MB", [grown]), target=GROWTH_TARGET_MB)
    yield Figure(NAME, Measured.of("  the backend's memory", "MB", [backend_after]))
    yield Figure(NAME, Measured.of("  the holder's memory", "MB", [holder_after]))
    yield Figure(NAME, Measured.of("  lines, all bursting at once", "/s", rates))
    yield Figure(NAME, Measured.of("  a command's answer, p50", "ms", [1e3 * percentile(echoes, 50)]))
    yield Figure(NAME, Measured.of("  a command's answer, p99", "ms", [1e3 * percentile(echoes, 99)]))


def _line(socket: RawSocket) -> None:
    mark = secrets.token_hex(4)
    socket.write(f"echo {mark[:4]}''{mark[4:]}\n".encode())
    _read_until(socket, mark.encode())


def _all(sockets: list[RawSocket], typed: bytes, wanted: bytes) -> None:
    """Type into all at once, and read all until each has written that."""
    with selectors.DefaultSelector() as selector:
        tails = {}
        for socket in sockets:
            socket.write(typed)
            selector.register(socket, selectors.EVENT_READ, socket)
            tails[socket] = b""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while tails:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(tails)} of {len(sockets)} sockets never wrote {wanted!r}")
            for key, _ in selector.select(1.0):
                socket = key.data
                tails[socket] = (tails[socket] + b"".join(socket.read()))[-200_000:]
                if wanted in tails[socket]:
                    selector.unregister(socket)
                    del tails[socket]


def _memory(server: Server) -> tuple[float, float]:
    """Of the backend, and of the holder (0 where none runs yet)."""
    pid = lock_holder(HolderPlaces.of(server.places).lock_file)
    held = [pid] if pid else []
    return processes.rss_mb(one for one in server.backend_pids() if one not in held), processes.rss_mb(held)


def _read_until(socket: RawSocket, wanted: bytes) -> bytes:
    seen = b""
    while wanted not in seen:
        seen += b"".join(socket.read())
    return seen


# Whose terminals they are


def _template(server: Server) -> str:
    body = {
        "name": f"plain-{secrets.token_hex(4)}",
        "display_name": "Plain",
        "description": "busybox",
        "category": "operating_system",
        "docker_image": "busybox:latest",
        "default_resources": {"cpu": "2000m", "memory": "256Mi", "storage": "1Gi"},
    }
    with server.client() as client:
        headers = {"Authorization": f"Bearer {server.token()}"}
        made = client.post(f"{SURFACE}/templates", json=body, headers=headers).raise_for_status()
    return str(made.json()["id"])


class _User:
    """A new user with an environment that runs."""

    def __init__(self, server: Server, template: str) -> None:
        self._server = server
        name = f"bench-{secrets.token_hex(4)}"
        login = {"email": f"{name}@example.com", "password": _PASSWORD}
        with server.client() as client:
            client.post(f"{SURFACE}/auth/register", json={**login, "username": name}).raise_for_status()
            self._token = client.post(f"{SURFACE}/auth/login", json=login).raise_for_status().json()["access_token"]
            client.headers["Authorization"] = f"Bearer {self._token}"
            body = {"name": "home", "template_id": template}
            self._id = client.post(f"{SURFACE}/environments", json=body).raise_for_status().json()["id"]
            self._until_running(client)

    def _until_running(self, client: httpx.Client) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while (found := client.get(f"{SURFACE}/environments/{self._id}").json())["status"] != "running":
            if time.monotonic() > deadline or found["status"] == "error":
                raise RuntimeError(f"the environment does not run: {found}")
            time.sleep(0.05)

    def container(self) -> str:
        """The name of the environment's container."""
        listed = subprocess.run(
            ["docker", "ps", "--filter", f"label=pilothouse.id={self._id}", "--format", "{{.Names}}"],
            capture_output=True,
            text=True,
            check=True,
        )
        [name] = listed.stdout.split()
        return name

    def socket(self, session: str, command: str) -> RawSocket:
        """A terminal over our own socket; it runs when this returns."""
        query = urlencode({"session": session, "command": command})
        path = f"/pilothouse/v1/environments/{self._id}/terminal?{query}"
        opened = RawSocket(self._server.port, path, self._token)
        _read_until(opened, b'"ready"')
        return opened

    def documented_socket(self, session: str) -> RawSocket:
        """The same terminal over the DevPocket document's socket."""
        return RawSocket(self._server.port, f"{SURFACE}/ws/terminal/{self._id}?session={session}", self._token)
