"""The backend killed at any moment, the engine lost and found: the world ends as asked, and requests go on."""

from __future__ import annotations

import time
from pathlib import Path

from tests.end_to_end.engine_door import EngineDoor
from tests.end_to_end.platform import Load, Platform, eventually


def test_kill_9_keeps_containers_and_drops_no_request(platform: Platform, app_image: str) -> None:
    app = platform.deploy("web", app_image, 8000, replicas=2)
    platform.until_running(app, 2)
    before = platform.containers()
    with Load(platform, "web") as load:
        platform.backend.kill()
        load.more(50)
        time.sleep(1)
        platform.start()
        platform.until_running(app, 2)
        time.sleep(0.5)
    assert load.faults == []
    assert platform.containers() == before


def test_kill_9_in_the_middle_of_work_doubles_and_orphans_nothing(platform: Platform, app_image: str) -> None:
    app = platform.deploy("web", app_image, 8000, replicas=2, envVars={"VERSION": "0"})
    platform.until_running(app, 2)
    with Load(platform, "web") as load:
        for turn, pause in enumerate((0.02, 0.25, 0.7), start=1):
            answer = platform.api.put(f"/v1/deployments/{app}", json={"envVars": {"VERSION": str(turn)}})
            assert answer.status_code == 200
            time.sleep(pause)
            platform.backend.kill()
            platform.start()
        platform.until_running(app, 2)
        eventually(lambda: len(platform.containers()) == 2, lambda: str(platform.containers()))
    assert load.faults == []
    assert load.answers[-1].split()[0] == "3"
    assert sorted(name.split("-g")[-1] for name in platform.containers().values()) == ["4-0", "4-1"]


def test_a_deployment_asked_for_just_before_the_kill_comes_up(platform: Platform, app_image: str) -> None:
    kept = [platform.deploy(f"web{n}", app_image, 8000) for n in range(3)]
    platform.api.delete(f"/v1/deployments/{kept[0]}")
    platform.backend.kill()
    platform.start()
    for deployment in kept[1:]:
        platform.until_running(deployment, 1)
    eventually(lambda: len(platform.containers()) == 2, lambda: str(platform.containers()))


def test_without_its_engine_the_api_answers_says_so_and_heals(tmp_path: Path, app_image: str) -> None:
    door = EngineDoor(tmp_path / "engine.sock")
    door.open()
    platform = Platform(tmp_path / "data", docker_host=door.url)
    try:
        platform.start()
        app = platform.deploy("web", app_image, 8000, replicas=2)
        platform.until_running(app, 2)
        with Load(platform, "web") as load:
            door.shut()
            with platform.backend.owner() as owner:
                eventually(lambda: owner.get("/health/ready").status_code == 503, lambda: "it never noticed")
                assert owner.get("/health/live").status_code == 200
                ready = owner.get("/health/ready").json()
            assert ready["components"]["engine"]["status"] == "down"
            assert ready["components"]["storage"]["status"] == "ok"
            assert platform.api.get("/v1/deployments").status_code == 200
            # Asked for while the engine is away, done when it is back.
            assert platform.api.patch(f"/v1/deployments/{app}/scale", json={"replicas": 3}).status_code == 200
            refused = platform.api.post("/v1/deployments", json={"appName": "late", "image": app_image, "port": 80})
            assert refused.status_code == 503
            assert "engine" in refused.json()["error"]["message"]
            time.sleep(1)
            door.open()
            platform.until_running(app, 3)
        assert load.faults == []
        names = [item["appName"] for item in platform.api.get("/v1/deployments").json()["deployments"]]
        assert names == ["web"]
    finally:
        door.shut()
        door.open()
        platform.clean()
        door.shut()


def test_started_without_an_engine_it_adopts_what_runs_when_the_engine_comes(tmp_path: Path, app_image: str) -> None:
    door = EngineDoor(tmp_path / "engine.sock")
    door.open()
    platform = Platform(tmp_path / "data", docker_host=door.url)
    try:
        platform.start()
        app = platform.deploy("web", app_image, 8000)
        platform.until_running(app, 1)
        before = platform.containers()
        platform.backend.terminate()
        door.shut()
        with Load(platform, "web") as load:
            platform.backend.start()
            platform.api = platform.backend.tcp(platform.backend.owner_token())
            assert platform.api.get(f"/v1/deployments/{app}").json()["status"] == "running"
            door.open()
            platform.until_running(app, 1)
        assert load.faults == []
        assert platform.containers() == before
    finally:
        door.shut()
        door.open()
        platform.clean()
        door.shut()
