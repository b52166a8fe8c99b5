"""Two installations on one engine, and what `stop` leaves and takes."""

from __future__ import annotations

from pathlib import Path

import docker

from tests.backend.running_backend import run_command
from tests.end_to_end.platform import Platform, eventually


def test_two_backends_share_an_engine_without_seeing_each_other(
    platform: Platform, tmp_path: Path, static_image: str
) -> None:
    second = Platform(tmp_path / "two")
    try:
        second.start()
        mine = platform.deploy("web", static_image, 80)
        theirs = second.deploy("web", static_image, 80, replicas=2)
        platform.until_running(mine, 1)
        second.until_running(theirs, 2)
        assert platform.get("web").text == second.get("web").text == "hello from a container\n"
        assert not set(platform.containers()) & set(second.containers())
        assert second.api.get(f"/v1/deployments/{mine}").status_code == 404
        before = platform.containers()
        ended = run_command(second.backend.data_dir, "stop", "--all", "--yes")
        assert ended.returncode == 0, ended.stderr
        assert platform.containers() == before
        assert platform.get("web").status_code == 200
    finally:
        second.clean()


def test_stop_leaves_apps_and_ingress_and_stop_all_takes_them(platform: Platform, static_image: str) -> None:
    app = platform.deploy("web", static_image, 80)
    platform.until_running(app, 1)
    before = platform.containers()
    ended = run_command(platform.backend.data_dir, "stop")
    assert ended.returncode == 0, ended.stderr
    assert platform.backend.process is not None
    platform.backend.process.wait(60)
    assert platform.get("web").status_code == 200
    platform.start()
    assert platform.containers() == before
    # In a script, everything is only taken with --yes.
    refused = run_command(platform.backend.data_dir, "stop", "--all")
    assert refused.returncode != 0
    assert platform.get("web").status_code == 200
    installation = platform.installation()
    ended = run_command(platform.backend.data_dir, "stop", "--all", "--yes")
    assert ended.returncode == 0, ended.stderr
    api = docker.from_env().api
    label = {"label": [f"pilothouse.installation={installation}"]}
    eventually(lambda: not api.containers(all=True, filters=label), lambda: "containers stay")
    assert not api.networks(filters=label)
