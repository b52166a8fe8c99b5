"""One process that does not do what it should: it never answers, ends at once, or is not to be recognised."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.domain.errors import Unavailable
from backend.ingress import process as module
from backend.ingress.paths import IngressPaths
from backend.ingress.process import CaddyProcess

HAS_PROC = Path("/proc/self/cmdline").exists()


@pytest.fixture
def paths(tmp_path: Path) -> IngressPaths:
    return IngressPaths.prepare(tmp_path / "run", tmp_path / "log")


@pytest.fixture
def left_over(paths: IngressPaths) -> Iterator[subprocess.Popen[bytes]]:
    """A process that was noted as the router and does not answer."""
    script = "import time; print(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", script, str(paths.config("router"))], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()  # while it is only being executed, the system tells no command line of it
        paths.pid("router").write_text(str(child.pid))
        yield child
        child.kill()


def _stand_in(path: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    monkeypatch.setattr(module, "find_caddy", lambda: path)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_one_that_does_not_come_up_is_ended(
    paths: IngressPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _stand_in(tmp_path / "never-answers", "exec sleep 60", monkeypatch)
    monkeypatch.setattr(module, "_START_SECONDS", 0.2)
    router, pids = CaddyProcess("router", paths), set()

    async def never() -> bool:
        pids.add(router.pid)
        return False

    monkeypatch.setattr(router.admin, "answers", never)
    with pytest.raises(Unavailable, match="did not start"):
        await router.start({})
    [pid] = pids
    assert pid is not None
    assert not _runs(pid), "neither an orphan nor a zombie"
    assert router.pid is None
    assert not paths.pid("router").exists()
    await router.admin.close()


async def test_one_that_ends_at_its_start_and_leaves_no_output_is_told(
    paths: IngressPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _stand_in(tmp_path / "ends", f"rm '{paths.output('router')}'", monkeypatch)
    router = CaddyProcess("router", paths)
    with pytest.raises(Unavailable, match=r"the ingress router ended at its start: .*No such file"):
        await router.start({})
    await router.admin.close()


@pytest.mark.parametrize(("proc", "ps"), [(True, True), (True, False), (False, True), (False, False)])
async def test_a_left_over_process_is_ended_where_it_can_be_recognised(
    proc: bool,
    ps: bool,
    paths: IngressPaths,
    left_over: subprocess.Popen[bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if proc and not HAS_PROC:
        pytest.skip("this system has no /proc")
    if not proc:
        monkeypatch.setattr(module, "_PROC", tmp_path / "no-proc")
    if not ps:
        monkeypatch.setenv("PATH", str(tmp_path))
    router = CaddyProcess("router", paths)
    assert not await router.adopt()
    assert _runs(left_over.pid) == (not proc and not ps)
    await router.admin.close()


async def test_a_stranger_that_got_the_process_id_is_left_alone(
    paths: IngressPaths, left_over: subprocess.Popen[bytes]
) -> None:
    paths.pid("door").write_text(str(left_over.pid))
    door = CaddyProcess("door", paths)
    assert not await door.adopt()
    assert _runs(left_over.pid)
    await door.admin.close()


async def test_a_left_over_process_may_end_by_itself_meanwhile(
    paths: IngressPaths, left_over: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def ends(process: CaddyProcess, pid: int) -> bool:
        left_over.kill()
        left_over.wait()
        return True

    monkeypatch.setattr(CaddyProcess, "_is_ours", ends)
    router = CaddyProcess("router", paths)
    assert not await router.adopt()
    await router.admin.close()
