"""Terminal sessions of environments, over their sockets."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from backend.wire.pilothouse import TerminalSessionsResponse
from tests.backend.running_backend import RunningBackend
from tests.end_to_end.terminal_socket import TerminalSocket
from tests.surfaces.people import Person

API = "/devpocket/api/v1"


class Home:
    """A user's environment, made of busybox."""

    def __init__(self, backend: RunningBackend, person: Person) -> None:
        self.backend = backend
        self.person = person
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{backend.port}",
            headers={"Authorization": f"Bearer {person.token}"},
            timeout=60,
            trust_env=False,
        )
        with backend.tcp(backend.owner_token()) as owner:
            made = owner.post(
                f"http://127.0.0.1:{backend.port}{API}/templates",
                json={
                    "name": f"plain-{secrets.token_hex(4)}",
                    "display_name": "Plain",
                    "description": "busybox",
                    "category": "operating_system",
                    "docker_image": "busybox:latest",
                    "default_resources": {"cpu": "500m", "memory": "128Mi", "storage": "1Gi"},
                },
            )
        assert made.status_code == 201, made.text
        body = {"name": f"home-{secrets.token_hex(4)}", "template_id": made.json()["id"]}
        answer = self.http.post(f"{API}/environments", json=body)
        assert answer.status_code == 201, answer.text
        self.id = str(answer.json()["id"])
        self.until("running")

    def until(self, status: str) -> None:
        def reached() -> bool:
            found = self.http.get(f"{API}/environments/{self.id}").json()
            assert found["status"] != "error", found
            return bool(found["status"] == status)

        self.backend.until(reached, f"never {status}")

    def act(self, verb: str, status: str) -> None:
        answer = self.http.post(f"{API}/environments/{self.id}/{verb}")
        assert answer.status_code == 200, answer.text
        self.until(status)

    def open(self, token: str = "", **query: object) -> TerminalSocket:
        return TerminalSocket(self.backend.port, token or self.person.token, f"environments/{self.id}", **query)

    def sessions(self) -> TerminalSessionsResponse:
        answer = self.http.get(f"/pilothouse/v1/environments/{self.id}/terminals")
        assert answer.status_code == 200, answer.text
        return TerminalSessionsResponse.model_validate(answer.json())


@pytest.fixture
def home(backend: RunningBackend, person: Person) -> Iterator[Home]:
    made = Home(backend, person)
    try:
        yield made
    finally:
        made.http.delete(f"{API}/environments/{made.id}")
        made.http.close()


def test_a_shell_survives_a_cut_connection(home: Home) -> None:
    with home.open() as first:
        ready = first.until_told("ready")
        assert (ready["session"], ready["resumed"], ready["answers"]) == ("main", False, "server")
        first.type(b"seq 1 100; x=kept; echo do''ne\n")
        first.until_shown("done")
        first.cut()
    with home.open(columns=100, rows=30) as again:
        assert again.until_told("ready")["resumed"]
        lines = again.until_shown("done")
        assert "100" in lines
        assert [line for line in again.seen.scrollback + again.seen.lines if line.isdigit()] == [
            str(number) for number in range(1, 101)
        ]
        again.type(b"echo $x-$(stty size)\n")
        again.until_shown("kept-30 100")
        again.type(b"exit 6\n")
        assert again.until_closed() == (1000, "the process ended with code 6")
        told = again.until_told("exit")
        assert (told["code"], told["reason"]) == (6, "exited")
    assert home.sessions().sessions == []


def test_viewers_are_told_the_size_and_sessions_are_listed_and_ended(home: Home) -> None:
    with ExitStack() as stack:
        # The last that comes sets the size.
        one = stack.enter_context(home.open(columns=100, rows=30))
        one.until_told("ready")
        two = stack.enter_context(home.open(columns=80, rows=20))
        other = stack.enter_context(home.open(session="b"))
        for each in (two, other):
            each.until_told("ready")
        told = one.until_told("size")
        assert (told["columns"], told["rows"]) == (80, 20)
        two.resize(90, 25)
        two.type(b"stty size\n")
        assert b"25 90" in one.until_written(b"25 90")
        listed = {each.name: each for each in home.sessions().sessions}
        assert (listed["main"].viewers, listed["main"].columns, listed["main"].rows) == (2, 90, 25)
        assert (listed["b"].viewers, listed["b"].command) == (1, "bash or sh")
        url = f"/pilothouse/v1/environments/{home.id}/terminals"
        assert home.http.delete(f"{url}/main").status_code == 204
        code, reason = one.until_closed()
        assert code == 4410
        assert reason == f"the session was ended by {home.person.username}"
        assert home.http.delete(f"{url}/main").status_code == 404
        other.type(b"echo still''-here\n")
        other.until_shown("still-here")


def test_a_command_of_ones_own(home: Home) -> None:
    with home.open(session="count", command="sh -c 'echo one; exit 9'") as socket:
        assert socket.until_closed() == (1000, "the process ended with code 9")
        assert socket.output == b"one\r\n"
    with home.open(session="none", command="no-such-thing") as socket:
        code, reason = socket.until_closed()
        assert code == 4400
        assert "no-such-thing" in reason


def test_a_stopped_environment_says_so_and_a_started_one_has_a_fresh_shell(home: Home) -> None:
    with home.open() as socket:
        socket.until_told("ready")
        socket.type(b"echo before > ~/kept; echo wri''tten\n")
        socket.until_shown("written")
        home.act("stop", "stopped")
        code, _ = socket.until_closed()
        assert code == 4409
        assert socket.until_told("exit")["reason"] == "container_stopped"
    with home.open() as socket:
        code, reason = socket.until_closed()
        assert code == 4409
        assert "stopped" in reason
        assert "stopped" in socket.until_told("error")["message"]
    home.act("start", "running")
    with home.open() as socket:
        assert not socket.until_told("ready")["resumed"]
        socket.type(b"cat ~/kept\n")
        socket.until_shown("before")


def test_bad_input_has_a_reason_and_harms_nobody(home: Home, other: Person) -> None:
    with home.open() as good:
        good.until_told("ready")
        for columns, rows in ((0, 24), (80, 10_000), ("x", 24)):
            with home.open() as bad:
                bad.until_told("ready")
                bad.resize(columns, rows)
                code, reason = bad.until_closed()
                assert code == 1003
                assert "1 to 1000" in reason
        for text in ("nonsense", "[]", '{"type": "dance"}'):
            with home.open() as bad:
                bad.socket.send(text)
                assert bad.until_closed()[0] == 1003
        with home.open() as bad:
            bad.until_told("ready")
            bad.type(b"x" * (2**20 + 1))
            assert bad.until_closed()[0] == 1009
        with home.open(session="../main") as bad:
            code, reason = bad.until_closed()
            assert (code, "session" in reason) == (4400, True)
        for query, status in (({"columns": 0}, 400), ({"rows": 10_000}, 400)):
            with pytest.raises(InvalidStatus) as refused:
                home.open(**query)
            assert refused.value.response.status_code == status
        with pytest.raises(InvalidStatus) as refused:
            home.open(token=other.token)
        assert refused.value.response.status_code == 404
        with pytest.raises(InvalidStatus) as refused:
            home.open(token="nobody")
        assert refused.value.response.status_code == 401
        listed = httpx.get(
            f"http://127.0.0.1:{home.backend.port}/pilothouse/v1/environments/{home.id}/terminals",
            headers={"Authorization": f"Bearer {other.token}"},
            trust_env=False,
            timeout=30,
        )
        assert listed.status_code == 404
        good.type(b"echo still''-good\n")
        good.until_shown("still-good")


def test_at_most_ten_sockets_and_a_closed_one_makes_room(home: Home) -> None:
    with ExitStack() as open_ones:
        sockets = [open_ones.enter_context(home.open()) for _ in range(10)]
        for socket in sockets:
            socket.until_told("ready")
        with home.open() as eleventh:
            code, reason = eleventh.until_closed()
            assert code == 4429
            assert "10 terminals" in reason
        sockets[0].socket.close()
        deadline = time.monotonic() + 60
        while True:
            with home.open() as again:
                again.receive()
                if again.told[0]["type"] == "ready":
                    break
            assert time.monotonic() < deadline, "no room was made"


def test_input_is_activity(home: Home) -> None:
    def last() -> str | None:
        found = home.http.get(f"{API}/environments/{home.id}").json()
        return str(found.get("last_activity") or "")

    before = last()
    # The answer tells whole seconds.
    home.backend.until(lambda: f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}" > before)
    with home.open() as socket:
        socket.until_told("ready")
        socket.type(b"\n")
        home.backend.until(lambda: last() != before, "input is not noted as activity")
