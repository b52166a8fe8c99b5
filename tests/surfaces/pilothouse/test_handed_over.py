"""Sockets that the holder of the session serves itself."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import unix_connect

from backend.run_lock import lock_holder
from backend.terminals.places import HolderPlaces
from tests.backend.running_backend import RunningBackend
from tests.surfaces.people import Person
from tests.surfaces.pilothouse.test_environment_terminals import API, Home


@pytest.fixture
def home(backend: RunningBackend, person: Person) -> Iterator[Home]:
    made = Home(backend, person)
    try:
        yield made
    finally:
        made.http.delete(f"{API}/environments/{made.id}")
        made.http.close()


def test_pings_fragments_and_masks(home: Home) -> None:
    with home.open() as socket:
        socket.until_told("ready")
        assert socket.socket.ping(b"here?").wait(20)
        socket.socket.send([b"echo fr", b"", b"ag''me", b"nt\n"])
        socket.until_shown("fragment")
        socket.type(b"echo " + b"x" * 800 + b" | wc -c\n")
        socket.until_shown("801")
        assert socket.socket.ping(b"still?").wait(20)


def test_what_is_typed_before_the_terminal_is_ready_is_not_lost(home: Home) -> None:
    with home.open() as socket:
        socket.type(b"echo ear''ly\n")
        socket.resize(100, 30)
        socket.type(b"stty size\n")
        socket.until_shown("early")
        socket.until_shown("30 100")


def test_every_byte_comes_through(home: Home) -> None:
    with home.open(session="raw", command="sh -c 'stty raw -echo; echo ready; cat'") as socket:
        socket.until_written(b"ready\n")
        data = bytes(range(256)) * 64
        for at in range(0, len(data), 1000):
            socket.type(data[at : at + 1000])
        while len(socket.output) < len(data):
            socket.receive()
        assert socket.output == data


def test_a_client_that_stalls_costs_little_and_sees_the_present_again(home: Home) -> None:
    with home.open(session="flood", command="yes a line of some length that comes again and again") as stalled:
        stalled.until_written(b"again\r\n")
        pid = lock_holder(HolderPlaces.of(home.backend.places).lock_file)
        assert pid
        before = _resident_mb(pid)
        with home.open() as other:
            other.until_told("ready")
            for turn in range(15):
                other.type(f"echo tu''rn-{turn}\n".encode())
                other.until_written(f"turn-{turn}\r\n".encode())
                time.sleep(0.2)
        assert _resident_mb(pid) < before + 40
        stalled.type(b"\x03")
        code, reason = stalled.until_closed()
        assert (code, reason) == (1000, "the process ended with code 130")


def test_a_client_that_closes_is_detached(home: Home) -> None:
    with home.open() as socket:
        socket.until_told("ready")
        socket.socket.close()
        with pytest.raises(ConnectionClosed) as closed:
            while True:  # what came before the close is there still
                socket.socket.recv()
        assert closed.value.rcvd is not None, "the close is answered"
        home.backend.until(lambda: [each.viewers for each in home.sessions().sessions] == [0], "it is still a viewer")


def test_a_credential_that_ends_closes_the_socket(home: Home) -> None:
    login = {"email": f"{home.person.username}@example.com", "password": "correct horse 7 battery"}
    url = f"http://127.0.0.1:{home.backend.port}{API}/auth"
    token = httpx.post(f"{url}/login", json=login, trust_env=False, timeout=30).json()["access_token"]
    with home.open(token=token) as socket:
        socket.until_told("ready")
        left = httpx.post(f"{url}/logout", headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=30)
        assert left.is_success, left.text
        code, reason = socket.until_closed()
        assert code == 1008, reason
    with home.open() as again:
        assert again.until_told("ready")["resumed"]


def test_a_token_that_runs_out_leaves_the_terminal_open_while_its_session_lives(home: Home) -> None:
    """People work at a terminal for longer than the hour of a token."""
    login = {"email": f"{home.person.username}@example.com", "password": "correct horse 7 battery"}
    url = f"http://127.0.0.1:{home.backend.port}{API}/auth"
    token, other = (
        httpx.post(f"{url}/login", json=login, trust_env=False, timeout=30).json()["access_token"] for _ in range(2)
    )
    short = home.backend.expiring(token, 3)
    with home.open(token=short) as socket:
        socket.until_told("ready")
        while httpx.get(
            f"{url}/me", headers={"Authorization": f"Bearer {short}"}, trust_env=False, timeout=30
        ).is_success:
            time.sleep(0.2)
        # The end of any session of the user has all open sockets looked at.
        left = httpx.post(f"{url}/logout", headers={"Authorization": f"Bearer {other}"}, trust_env=False, timeout=30)
        assert left.is_success, left.text
        time.sleep(1)
        socket.type(b"echo st''ill\n")
        socket.until_shown("still")
        left = httpx.post(f"{url}/logout", headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=30)
        assert left.is_success, left.text
        code, reason = socket.until_closed()
        assert (code, "over" in reason) == (1008, True), reason


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


def test_over_the_owners_unix_socket_too(home: Home) -> None:
    path = f"/pilothouse/v1/environments/{home.id}/terminal?token={home.person.token}"
    with unix_connect(str(home.backend.places.socket), f"ws://localhost{path}") as socket:
        assert json.loads(socket.recv(timeout=20))["type"] == "ready"
        socket.send(b"echo un''ix; exit 5\n")
        output = b""
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                message = socket.recv(timeout=20)
                output += message if isinstance(message, bytes) else b""
        assert b"unix\r\n" in output
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1000, "the process ended with code 5")
