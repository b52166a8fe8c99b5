"""What outlives the backend: shells, their screens, and the process that holds them."""

from __future__ import annotations

import asyncio
import os
import signal

from backend.domain.terminals import HANG_UP, TerminalSessionInfo
from backend.run_lock import lock_holder
from backend.terminals.client import HolderClient
from backend.terminals.places import HolderPlaces
from backend.wire.rendezvous import process_exists
from tests.backend.running_backend import run_command
from tests.end_to_end.platform import Platform, eventually
from tests.end_to_end.terminal_socket import TerminalSocket


def environment_of(platform: Platform) -> str:
    """The id of an environment that runs, made of busybox."""
    with platform.backend.devpocket(platform.backend.owner_token()) as api:
        template = {
            "name": "plain",
            "display_name": "Plain",
            "description": "busybox",
            "category": "operating_system",
            "docker_image": "busybox:latest",
            "default_resources": {"cpu": "500m", "memory": "128Mi", "storage": "1Gi"},
        }
        made = api.post("/api/v1/templates", json=template)
        assert made.status_code == 201, made.text
        answer = api.post("/api/v1/environments", json={"name": "home", "template_id": made.json()["id"]})
        assert answer.status_code == 201, answer.text
        found = str(answer.json()["id"])
        eventually(
            lambda: bool(api.get(f"/api/v1/environments/{found}").json()["status"] == "running"),
            lambda: str(api.get(f"/api/v1/environments/{found}").json()),
        )
    return found


def opened(platform: Platform, path: str, **query: object) -> TerminalSocket:
    return TerminalSocket(platform.backend.port, platform.backend.owner_token(), path, **query)  # type: ignore[arg-type]


def holder_pid(platform: Platform) -> int:
    pid = lock_holder(HolderPlaces.of(platform.backend.places).lock_file)
    assert pid
    return pid


def test_shells_and_editors_are_there_after_a_kill_9_of_the_backend(platform: Platform) -> None:
    home = f"environments/{environment_of(platform)}"
    with opened(platform, home) as shell, opened(platform, home, session="editor") as editor:
        shell.until_told("ready")
        shell.type(b"seq 1 300; x=kept; echo do''ne\n")
        shell.until_shown("done")
        editor.until_told("ready")
        editor.type(b"vi notes\n")
        editor.until_shown("~")
        editor.type(b"ifirst line\rsecond")
        editor.until_shown("second")
        holder = holder_pid(platform)
        platform.backend.kill()
        assert shell.until_closed()[0] == 1012, "the holder says why"
    platform.start()
    assert holder_pid(platform) == holder
    with opened(platform, home) as shell, opened(platform, home, session="editor", columns=100, rows=30) as editor:
        assert shell.until_told("ready")["resumed"]
        shell.until_shown("done")
        numbers = [line for line in shell.seen.scrollback + shell.seen.lines if line.isdigit()]
        assert numbers == [str(number) for number in range(1, 301)]
        shell.type(b"echo $x-$((1+1))\n")
        shell.until_shown("kept-2")
        assert editor.until_told("ready")["resumed"]
        lines = editor.until_shown("second")
        assert lines[:2] == ["first line", "second"]
        editor.type(b" line\x1b")
        editor.until_shown("second line")
        while not editor.seen.lines[-1].startswith("-"):
            editor.receive()
        editor.type(b":wq\n")
        shell.type(b"until [ -s notes ]; do sleep 0.1; done; cat notes; echo o''ver\n")
        lines = shell.until_shown("over")
        assert lines[lines.index("over") - 2 : lines.index("over")] == ["first line", "second line"]


def test_a_deployments_shell_with_a_name_survives_and_one_without_ends(platform: Platform, app_image: str) -> None:
    app = platform.deploy("web", app_image, 8000)
    platform.until_running(app, 1)
    path = f"deployments/{app}"
    with opened(platform, path, session="work") as named, opened(platform, path) as plain:
        ready = named.until_told("ready")
        assert (ready["session"], ready["answers"]) == ("work", "server")
        named.type(b"x=kept; echo rea''dy\n")
        named.until_written(b"ready\r\n")
        plain.until_told("ready")
        plain.type(b"x=lost; echo rea''dy\n")
        plain.until_written(b"ready\r\n")
        platform.backend.kill()
        named.until_closed()
    platform.start()
    platform.until_running(app, 1)
    with opened(platform, path, session="work") as named, opened(platform, path) as plain:
        again = named.until_told("ready")
        assert (again["resumed"], again["replica"]) == (True, ready["replica"])
        named.type(b"echo x=$x.\n")
        named.until_written(b"x=kept.")
        assert not plain.until_told("ready")["resumed"]
        plain.type(b"echo x=$x.\n")
        plain.until_written(b"x=.")


def test_a_lingering_session_waits_for_its_connection_and_ends_when_it_is_hung_up(
    platform: Platform, app_image: str
) -> None:
    app = platform.deploy("web", app_image, 8000)
    platform.until_running(app, 1)

    def listed() -> int:
        return len(asyncio.run(sessions_of(platform)))

    path = f"deployments/{app}"
    with opened(platform, path, session="work", linger=600) as lost:
        lost.until_told("ready")
        lost.type(b"x=kept; echo rea''dy\n")
        lost.until_written(b"ready\r\n")
        lost.cut()
    with opened(platform, path, session="work", linger=600) as again:
        assert again.until_told("ready")["resumed"]
        again.type(b"echo x=$x.\n")
        again.until_written(b"x=kept.")
        assert listed() == 1
        again.socket.close(HANG_UP)
    eventually(lambda: listed() == 0, lambda: "the session goes on")
    with opened(platform, path, session="short", linger=1) as short:
        short.until_told("ready")
        assert listed() == 1
    eventually(lambda: listed() == 0, lambda: "the session goes on")
    for wrong in ("0", "700000", "x"):
        with opened(platform, path, session="work", linger=wrong) as refused:
            assert refused.until_closed()[0] == 4400
    assert listed() == 0


async def sessions_of(platform: Platform) -> list[TerminalSessionInfo]:
    client = HolderClient(platform.backend.places)
    try:
        return await client.sessions()
    finally:
        await client.close()


def test_stop_leaves_the_holder_and_stop_all_ends_it(platform: Platform) -> None:
    home = f"environments/{environment_of(platform)}"
    data_dir = platform.backend.data_dir
    with opened(platform, home) as shell:
        shell.until_told("ready")
        holder = holder_pid(platform)
        for command in ("status", "doctor"):
            told = run_command(data_dir, command).stdout
            assert f"process {holder}" in told and "1 " in told, told
        assert platform.backend.terminate() == 0
        assert shell.until_closed()[0] == 1012
    assert process_exists(holder)
    assert f"process {holder}" in run_command(data_dir, "status").stdout
    ended = run_command(data_dir, "stop", "--all", "--yes")
    assert ended.returncode == 0, ended.stderr
    eventually(lambda: not process_exists(holder), lambda: "the holder goes on")


def test_a_killed_holder_is_told_and_the_next_open_works(platform: Platform) -> None:
    home = f"environments/{environment_of(platform)}"
    with opened(platform, home) as shell:
        shell.until_told("ready")
        os.kill(holder_pid(platform), signal.SIGKILL)
        code, reason = shell.until_closed()
        assert code == 1013
        assert "open the terminal again" in reason
    with opened(platform, home) as again:
        assert not again.until_told("ready")["resumed"]
        again.type(b"echo up-$((1+1))\n")
        again.until_shown("up-2")
