"""Processes without a terminal, lists of processes, image users and changed limits, on a real engine."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from backend.domain.engine import ImageUser
from backend.domain.errors import Conflict, NotFound
from backend.engines.image_user import find_user
from tests.engines.engine_bench import Bench, exit_code_of, until

PASSWD = (
    "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/nonexistent:/bin/false\ndev:x:1000:1001::/home/dev:/bin/sh\n"
)


async def run(bench: Bench, container_id: str, *command: str, **more: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    process = await bench.engine.exec_process(container_id, command, **{"env": {}, **more})  # type: ignore[arg-type]
    parts: dict[str, bytes] = {"stdout": b"", "stderr": b""}
    try:
        while output := await process.read():
            for stream, data in output:
                parts[stream] += data
        return await exit_code_of(process), parts["stdout"].decode(), parts["stderr"].decode()
    finally:
        await process.close()


async def test_a_process_tells_its_output_and_its_end(bench: Bench) -> None:
    made = await bench.run()
    code, out, err = await run(
        bench, made, "sh", "-c", 'echo "$WORD"; pwd; id -u; echo bad >&2; exit 3', env={"WORD": "hé"}
    )
    assert (code, out, err) == (3, "hé\n/\n0\n", "bad\n")
    _, out, _ = await run(bench, made, "sh", "-c", "pwd; id -u", user="1234", working_dir="/tmp")
    assert out == "/tmp\n1234\n"


async def test_a_flood_comes_whole(bench: Bench) -> None:
    made = await bench.run()
    code, out, _ = await run(bench, made, "sh", "-c", "seq 1 100000")
    assert code == 0
    assert out.split() == [str(number) for number in range(1, 100001)]


async def test_what_cannot_be_started_says_so(bench: Bench) -> None:
    made = await bench.run()
    code, out, err = await run(bench, made, "there-is-none")
    assert code in (126, 127)
    assert "there-is-none" in out + err
    await bench.engine.stop_container(made, 0)
    with pytest.raises(Conflict):
        await run(bench, made, "true")
    with pytest.raises(NotFound):
        await run(bench, "f" * 64, "true")


async def test_processes_are_listed_with_what_terminals_wait_for(bench: Bench) -> None:
    made = await bench.run("sh", "-c", "sleep 500 & sleep 600")
    terminal = await bench.engine.exec_terminal(made, ["sh"], columns=80, rows=24, env={})
    try:
        await terminal.write(b"sleep 700\n")

        async def both() -> Sequence[object]:
            found = await bench.engine.processes(made)
            ahead = [one for one in found if one.foreground and one.command == "sleep"]
            return found if ahead else []

        found = await until(both)
        assert sorted(one.command for one in found).count("sleep") == 3
        assert sum(one.foreground for one in found) == 1
    finally:
        await terminal.close()
    await bench.engine.stop_container(made, 0)
    with pytest.raises(Conflict):
        await bench.engine.processes(made)


async def test_limits_change_while_it_runs(bench: Bench) -> None:
    made = await bench.run()
    await bench.engine.update_container(made, cpu_millicores=250, memory_bytes=48 * 2**20)
    state = await bench.engine.inspect_container(made)
    assert (state.cpu_millicores, state.memory_limit_bytes) == (250, 48 * 2**20)
    with pytest.raises(NotFound):
        await bench.engine.update_container("f" * 64, cpu_millicores=250, memory_bytes=48 * 2**20)


async def test_the_user_of_an_image_is_read_from_it(bench: Bench) -> None:
    found = await bench.engine.image_user(bench.image)
    assert found == ImageUser(name="", uid=0, gid=0, home="/root", working_dir="")
    assert await bench.engine.list_containers() == []
    with pytest.raises(NotFound):
        await bench.engine.image_user("sha256:" + "0" * 64)


@pytest.mark.parametrize(
    ("user", "passwd", "expected"),
    [
        ("", PASSWD, ("", 0, 0, "/root")),
        ("dev", PASSWD, ("dev", 1000, 1001, "/home/dev")),
        ("1000", PASSWD, ("1000", 1000, 1001, "/home/dev")),
        ("dev:7", PASSWD, ("dev:7", 1000, 7, "/home/dev")),
        ("nobody", PASSWD, ("nobody", 65534, 65534, None)),
        ("4242", PASSWD, ("4242", 4242, 0, None)),
        ("", "", ("", 0, 0, "/root")),
        ("root", "root:x:0:0:root:relative:/bin/sh\n", ("root", 0, 0, "/root")),
        ("dev", "broken line\ndev:x:many:1:::\n", ("dev", 0, 0, None)),
        ("dev", "dev:x:\N{SUPERSCRIPT TWO}:1::/home/dev:\n", ("dev", 0, 0, None)),
        ("dev", f"dev:x:{'9' * 5000}:1::/home/dev:\n", ("dev", 0, 0, None)),
        ("dev", "dev:x:4294967296:1::/home/dev:\n", ("dev", 0, 0, None)),
        ("1000:4294967296", "", ("1000:4294967296", 1000, 0, None)),
    ],
)
def test_a_home_is_what_the_passwd_file_names(
    user: str, passwd: str, expected: tuple[str, int, int, str | None]
) -> None:
    assert find_user(user, "/work", passwd) == ImageUser(*expected, working_dir="/work")
