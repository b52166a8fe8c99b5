"""Both sockets: every message of the document, what is wrong and goes on, and closes that say why."""

from __future__ import annotations

import json
import secrets
import time
from contextlib import ExitStack

import jwt
import pytest
from websockets.exceptions import ConnectionClosed

from tests.backend.running_backend import RunningBackend
from tests.end_to_end.platform import eventually
from tests.surfaces.devpocket.client import Client, Frames
from tests.surfaces.shapes import fits

SOCKETS_PER_USER = 10
# An open socket's credential is looked at every 15 s in any case. The token runs out between two looks, and the socket
# closes well before the later one.
TOKEN_SECONDS = 20
SOON_SECONDS = 8


def _prompted(frames: Frames) -> Frames:
    """Once the shell answers."""
    mark = secrets.token_hex(4)
    frames.type(f"echo re''ady-{mark}\n")
    frames.until_shown(f"ready-{mark}")
    return frames


# --- the terminal


def test_input_output_resize_ping(dweller: Client, home: str) -> None:
    with dweller.socket(f"terminal/{home}", session="talk", cols=100, rows=40) as frames:
        _prompted(frames)
        frames.type("stty size\n")
        frames.until_shown("40 100")
        frames.send(type="resize", cols=81, rows=25)
        frames.type("stty size\n")
        frames.until_shown("25 81")
        frames.send(type="ping")
        assert frames.until("pong") == {"type": "pong"}
        frames.type("echo caf\\303\\251 | cat; printf 'caf\\303\\251 \\360\\237\\230\\200\\n'; exit 7\n")
        frames.until_shown("café 😀")
        code, reason, _ = frames.closed()
    assert (code, "7" in reason) == (1000, True), reason


def test_characters_cut_in_two_and_bytes_that_are_none(dweller: Client, home: str) -> None:
    with dweller.socket(f"terminal/{home}", session="cut") as frames:
        _prompted(frames)
        frames.type("printf '<\\303'; sleep 0.3; printf '\\251>'; printf '<\\377>'; echo; echo en''d\n")
        text = frames.until_shown("end")
        frames.type("exit\n")
        frames.closed()
    assert "<é>" in text
    assert "<\ufffd>" in text


def test_messages_that_are_wrong(dweller: Client, home: str) -> None:
    """Each is answered, and the socket goes on."""
    with dweller.socket(f"terminal/{home}", session="wrong") as frames:
        _prompted(frames)
        for message, word in (
            ("no json", "no JSON"),
            ("", "no JSON"),
            ("[]", "object"),
            ("5", "object"),
            ('{"type": "dance"}', "type is not known"),
            ('{"data": "x"}', "type is not known"),
            ('{"type": "input"}', "data"),
            ('{"type": "input", "data": 5}', "data"),
            ('{"type": "resize", "cols": 0, "rows": 24}', "cols"),
            ('{"type": "resize", "cols": 10000, "rows": 24}', "cols"),
            ('{"type": "resize", "cols": 80, "rows": 10000}', "rows"),
            ('{"type": "resize", "cols": "80", "rows": 24}', "cols"),
            ('{"type": "resize", "cols": 80}', "rows"),
            ("[" * 5000, "JSON"),
        ):
            frames.socket.send(message)
            told = frames.until("error")
            fits(told, {"type": "=error", "message": "text"})
            assert word in told["message"], (message[:60], told)
        frames.socket.send(b"\xff\xfe")
        assert "no JSON" in frames.until("error")["message"]
        frames.socket.send(json.dumps({"type": "ping", "sent_at": 5}))
        frames.until("pong")
        frames.type("echo still he''re; exit\n")
        frames.until_shown("still here")


@pytest.mark.parametrize("size", [256 * 1024, 2 * 2**20])
def test_a_message_that_is_too_large(dweller: Client, home: str, size: int) -> None:
    with dweller.socket(f"terminal/{home}", session=f"large-{size}") as frames:
        _prompted(frames)
        frames.send(type="input", data="x" * size)
        assert frames.closed()[0] == 1009
    with dweller.socket(f"terminal/{home}", session=f"large-{size}") as frames:
        _prompted(frames)
        frames.type("exit\n")


def test_the_shell_lives_on(backend: RunningBackend, dweller: Client, home: str) -> None:
    """A socket that comes again gets the screen with what was written meanwhile; two look at one session."""
    with dweller.socket(f"terminal/{home}", session="lasting") as frames:
        _prompted(frames)
        frames.type("cd /tmp; secret=kept; (sleep 0.5; echo wh''ile away) &\n")
        frames.until_shown("secret=kept")
    with (
        dweller.socket(f"terminal/{home}", session="lasting") as one,
        dweller.socket(f"terminal/{home}", session="lasting") as other,
    ):
        assert "secret=kept" in one.until_shown("while away")
        one.type("echo $secret from $PWD\n")
        one.until_shown("kept from /tmp")
        other.until_shown("kept from /tmp")
        other.type("exit 3\n")
        assert (one.closed()[0], other.closed()[0]) == (1000, 1000)


def test_a_flood_starves_nobody(dweller: Client, home: str) -> None:
    with (
        dweller.socket(f"terminal/{home}", session="flood") as flooded,
        dweller.socket(f"terminal/{home}", session="beside") as beside,
    ):
        _prompted(flooded)
        flooded.type("yes is here\n")
        # Nothing of it is read: the shell waits for its viewer, and others do not.
        for _ in range(5):
            _prompted(beside)
        flooded.until_shown("is here\r\nis here")
        flooded.type("\x03")
        _prompted(flooded)
        for frames in (flooded, beside):
            frames.type("exit\n")
            frames.closed()


def test_terminals_that_are_refused(user: Client, dweller: Client, outsider: Client, shell: str, home: str) -> None:
    for token, path, code in (
        ("", home, 1008),
        ("forged", home, 1008),
        (outsider.token, home, 4404),
        (dweller.token, "no-such-environment", 4404),
    ):
        with dweller.socket(f"terminal/{path}", token) as frames:
            found, reason, told = frames.closed()
        assert (found, [one["type"] for one in told]) == (code, ["error"]), (path, reason)
        assert told[0]["message"].startswith(reason.encode()[:100].decode())
    for query in ({"cols": 0}, {"cols": 10000}, {"rows": "x"}, {"session": "no/name"}):
        with dweller.socket(f"terminal/{home}", **query) as frames:
            assert frames.closed()[0] == 4422, query


def test_an_environment_that_stops(user: Client, shell: str) -> None:
    made = user.environment(shell)
    with user.socket(f"terminal/{made}") as frames:
        assert frames.closed()[0] == 4400, "while it is being made"
    user.until(made, "running")
    with user.socket(f"terminal/{made}") as frames:
        _prompted(frames)
        assert user.http.post(f"/api/v1/environments/{made}/stop").status_code == 200
        code, reason, told = frames.closed()
    assert code == 4400, reason
    assert told[-1]["type"] == "error"
    user.until(made, "stopped")
    with user.socket(f"terminal/{made}") as frames:
        code, reason, _ = frames.closed()
    assert (code, "stopped" in reason) == (4400, True)


def test_a_token_that_ends_during_a_session(backend: RunningBackend, user: Client, shell: str) -> None:
    made = user.environment(shell)
    user.until(made, "running")
    with user.socket(f"terminal/{made}") as terminal, user.socket(f"logs/{made}") as logs:
        _prompted(terminal)
        assert user.http.post("/api/v1/auth/logout").status_code == 200
        for frames in (terminal, logs):
            code, reason, told = frames.closed()
            assert code == 1008, reason
            assert told[-1]["type"] == "error"
    with user.socket(f"terminal/{made}") as frames:
        assert frames.closed()[0] == 1008
    user.log_in()


def test_a_token_that_runs_out_during_a_session(backend: RunningBackend, dweller: Client, home: str) -> None:
    """The sockets close with a reason, at once and not when they are next looked at; the shell goes on."""
    token = backend.expiring(dweller.token, TOKEN_SECONDS)
    with (
        dweller.socket(f"terminal/{home}", token=token, session="late") as terminal,
        dweller.socket(f"logs/{home}", token=token) as logs,
        dweller.socket(f"terminal/{home}", session="late") as longer,
    ):
        _prompted(terminal).type("mine=kept\n")
        for frames in (terminal, logs):
            code, reason, told = frames.closed()
            assert (code, "expired" in reason) == (1008, True), reason
            assert told[-1]["type"] == "error"
            assert "expired" in told[-1]["message"]
        assert time.time() < jwt.decode(token, options={"verify_signature": False})["exp"] + SOON_SECONDS
        longer.type('echo "is $mine"; exit\n')
        longer.until_shown("is kept")
        longer.closed()
    with dweller.socket(f"terminal/{home}", token=token) as frames:
        assert frames.closed()[0] == 1008


def test_ten_sockets_of_a_user(user: Client, shell: str) -> None:
    made = user.environment(shell)
    user.until(made, "running")
    with ExitStack() as stack:
        logs = [stack.enter_context(user.socket(f"logs/{made}")) for _ in range(SOCKETS_PER_USER - 1)]
        logs.append(stack.enter_context(user.socket(f"terminal/{made}")))
        for frames in logs:
            frames.send(type="ping")
            frames.until("pong")
        with user.socket(f"logs/{made}") as eleventh:
            code, reason, told = eleventh.closed()
        assert (code, told[0]["type"]) == (4429, "error"), reason
        with user.socket(f"terminal/{made}") as eleventh:
            assert eleventh.closed()[0] == 4429
        logs[0].socket.close()

        def answered() -> bool:
            with user.socket(f"logs/{made}") as frames:
                frames.send(type="ping")
                try:
                    return frames.until("pong") == {"type": "pong"}
                except ConnectionClosed:
                    return False  # the one that was closed is still being put away

        eventually(answered, lambda: "no place is free again")


# --- the log


def test_an_installation_and_its_replay(user: Client, admin: Client) -> None:
    body = {
        "name": f"steps-{secrets.token_hex(4)}",
        "display_name": "Two steps",
        "description": "",
        "category": "framework",
        "docker_image": "busybox:latest",
        "default_resources": {"cpu": "200m", "memory": "64Mi", "storage": "1Gi"},
        "startup_commands": ["echo one; sleep 0.3; echo two", "echo three"],
    }
    template = admin.http.post("/api/v1/templates", json=body).json()["id"]
    made = user.environment(template)
    common = {"environment_id": f"={made}", "timestamp": "time"}
    shapes = {
        "installation_log": common | {"data": "text"},
        "installation_status": common | {"status": "text"},
        "installation_complete": common | {"message": "text"},
    }
    seen: list[list[dict[str, str]]] = []
    for _ in range(2):
        with user.socket(f"logs/{made}") as frames:
            told = []
            while not told or told[-1]["type"] != "installation_complete":
                told.append(frames.receive())
                fits(told[-1], shapes[told[-1]["type"]])
            seen.append(told)
    assert [one["data"] for one in seen[0] if one["type"] == "installation_log"] == ["one", "two", "three"]
    assert seen[0] == seen[1], "who comes late is told the same"
    with user.socket(f"logs/{made}") as frames:
        frames.until("installation_complete")
        assert user.http.delete(f"/api/v1/environments/{made}").status_code == 204
        assert frames.closed()[0] == 1000


def test_an_installation_that_fails(user: Client, admin: Client) -> None:
    body = {
        "name": f"fails-{secrets.token_hex(4)}",
        "display_name": "Fails",
        "description": "",
        "category": "devops",
        "docker_image": "busybox:latest",
        "startup_commands": ["echo before; exit 9"],
    }
    made = user.environment(admin.http.post("/api/v1/templates", json=body).json()["id"])
    with user.socket(f"logs/{made}") as frames:
        told = frames.until("installation_error")
    fits(told, {"environment_id": f"={made}", "timestamp": "time", "error": "text"})
    assert "9" in told["error"]


def test_the_log_socket_answers(dweller: Client, outsider: Client, home: str) -> None:
    with dweller.socket(f"logs/{home}") as frames:
        frames.until("installation_complete")
        for message in ("no json", '{"type": "input", "data": "x"}', "{}"):
            frames.socket.send(message)
            fits(frames.until("error"), {"message": "text"})
        frames.send(type="ping")
        assert frames.until("pong") == {"type": "pong"}
        frames.socket.send("x" * 300_000)
        assert frames.closed()[0] == 1009
    for token, path, code in (("", home, 1008), (outsider.token, home, 4404), (dweller.token, "nothing", 4404)):
        with dweller.socket(f"logs/{path}", token) as frames:
            assert frames.closed()[0] == code


def test_lines_as_they_come(dweller: Client, home: str) -> None:
    with dweller.socket(f"logs/{home}") as logs, dweller.socket(f"terminal/{home}", session="logger") as terminal:
        logs.until("installation_complete")
        _prompted(terminal)
        terminal.type("echo a line of the container > /proc/1/fd/1; exit\n")
        frame = logs.until("log")
    fits(frame, {"type": "=log", "data": {"timestamp": "time", "level": "text", "message": "text", "source": "text"}})
    assert (frame["data"]["message"], frame["data"]["source"]) == ("a line of the container", "container")
