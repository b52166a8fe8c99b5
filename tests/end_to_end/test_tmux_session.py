"""The whole job by keys alone, in a terminal: what the screen says, what the engine has, what the app's URL answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.end_to_end.platform import Load, eventually
from tests.end_to_end.tmux_app import SIZES, TmuxApp


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TmuxApp]:
    """At both sizes; not yet open."""
    made = TmuxApp(tmp_path / "data", request.param)
    try:
        yield made
    finally:
        made.clean()


def replicas_of(app: TmuxApp) -> list[str]:
    """Names of running containers of this installation, from the engine."""
    api = docker.from_env().api
    label = {"label": [f"pilothouse.installation={app.platform.installation()}"]}
    return sorted(one["Names"][0] for one in api.containers(filters=label))


def test_the_whole_job(app: TmuxApp, app_image: str) -> None:
    start(app)
    deploy_with_a_fault_first(app, app_image)
    look_at_overview_logs_and_metrics(app)
    scale_by_the_form(app)
    update_without_a_lost_request(app)
    a_bad_update_rolls_back(app, app_image)
    stop_and_start(app)
    delete(app)


def start(app: TmuxApp) -> None:
    """Drawn at once, then the steps of the backend's start, then the empty list."""
    screen = app.open()
    screen.until_shown("Pilothouse", "connecting", "? Help")
    shown = screen.until_shown("No deployments yet.", "Press n to deploy an image", "● live")
    assert f"ingress :{app.platform.backend.ingress_port}" in shown


def deploy_with_a_fault_first(app: TmuxApp, image: str) -> None:
    screen = app.screen
    screen.press("n")
    screen.until_shown("Deploy an image ─")
    app.fill("Name", "Web")
    screen.press("Tab")
    app.fill("Image", "no-such-image-anywhere")
    screen.press("Tab")
    app.refill("Port", "70000")
    screen.press("C-s")
    rows = screen.until_shown("Lower-case letters only: web", "Port must be from 1 to 65535").splitlines()
    below = {"Name *": "Lower-case letters only", "Port *": "Port must be"}
    for label, fault in below.items():
        at = next(number for number, row in enumerate(rows) if label in row)
        assert fault in rows[at + 1]
    # The cursor went to the first wrong field.
    app.refill("Name", "web")
    screen.press("Tab", "Tab")
    app.refill("Port", "8000")
    screen.press("C-s")
    # What only the registry knows stands at its field as well, and all that was typed is still there.
    rows = screen.until_shown("not found").splitlines()
    at = next(number for number, row in enumerate(rows) if "Image *" in row)
    assert "not found" in " ".join(rows[at + 1 : at + 3])
    assert screen.line("Name *", "web")
    assert screen.line("Port *", "8000")
    assert replicas_of(app) == []
    app.refill("Image", image)
    screen.press("Tab", "Tab", "Tab", "Tab", "Tab")
    screen.type("VERSION=one")
    screen.until_shown("VERSION=one")
    screen.press("C-s")
    screen.until_gone("Deploy an image ─")
    app.row("web", "● running", "1/1")
    assert len(replicas_of(app)) == 1
    answer = app.platform.get("web")
    assert answer.status_code == 200
    assert answer.text.startswith("one ")


def look_at_overview_logs_and_metrics(app: TmuxApp) -> None:
    screen = app.screen
    app.panel("d", f"http://web.localhost:{app.platform.backend.ingress_port}", "1 of 1 ready", "128Mi")
    app.to_list()
    app.panel("l", "INFO listening", "following")
    assert app.platform.get("web", "/log?3").status_code == 200
    screen.until_shown("INFO line 2", "ERROR on stderr")
    screen.press("/")
    screen.until_line("/")
    screen.type("line 1")
    screen.until_shown("line 1")
    screen.press("Enter")
    screen.until_shown("1/1")
    screen.press("Escape")
    app.to_list()
    with Load(app.platform, "web") as load:
        app.panel("m", "CPU", "Memory", "limit 128 MiB", "Requests")
        screen.until(lambda text: "No samples" not in text and "MiB (min" in text, "samples in all plots")
        # In the list, live: requests a second, which are many.
        screen.until(lambda _: float(app.row("web", "1/1").split("1/1")[1].split()[2]) > 3, "requests a second")
    assert load.faults == []
    app.to_list()


def scale_by_the_form(app: TmuxApp) -> None:
    screen = app.screen
    screen.press("S")
    screen.until_shown("Scale web", "Now 1, of which 1 are ready")
    app.refill("Replicas", "3")
    screen.press("C-s")
    screen.until_gone("Scale web")
    app.row("web", "● running", "3/3")
    assert len(replicas_of(app)) == 3
    hosts: set[str] = set()

    def all_answer() -> bool:
        hosts.add(app.platform.get("web").text)
        return len(hosts) == 3

    eventually(all_answer, lambda: f"only {hosts} answer")


def update_without_a_lost_request(app: TmuxApp) -> None:
    screen = app.screen
    before = replicas_of(app)
    with Load(app.platform, "web") as load:
        screen.press("e")
        screen.until_shown("Edit web ─", "VERSION=one")
        screen.press("Tab", "Tab", "Tab", "Tab", "C-End", "BSpace", "BSpace", "BSpace")
        screen.until_gone("VERSION=one")
        screen.type("two")
        screen.until_shown("VERSION=two")
        screen.press("C-s")
        screen.until_gone("Edit web ─")
        eventually(lambda: app.platform.get("web").text.startswith("two "), lambda: screen.text)
        app.row("web", "● running", "3/3")
        eventually(
            lambda: not set(replicas_of(app)) & set(before) and len(replicas_of(app)) == 3,
            lambda: f"{before} became {replicas_of(app)}",
        )
    assert load.faults == []
    assert {answer.split()[0] for answer in load.answers} == {"one", "two"}


def a_bad_update_rolls_back(app: TmuxApp, image: str) -> None:
    screen = app.screen
    with Load(app.platform, "web") as load:
        screen.press("e")
        screen.until_shown("Edit web ─", "VERSION=two")
        screen.press("Tab", "Tab", "Tab", "Tab", "C-End", "Enter")
        screen.type("EXIT_CODE=7")
        screen.until_shown("EXIT_CODE=7")
        screen.press("C-s")
        screen.until_gone("Edit web ─")
        app.panel("h", "rolled back", "exit")
        app.to_list()
        app.row("web", "● running", "3/3")
        # The reason stays in sight where one looks first.
        app.panel("d", "rolled back", "7")
        app.to_list()
    assert load.faults == []
    assert {answer.split()[0] for answer in load.answers} == {"two"}


def stop_and_start(app: TmuxApp) -> None:
    screen = app.screen
    screen.press("x")
    screen.until_shown("Stop web?", f"http://web.localhost:{app.platform.backend.ingress_port}")
    screen.press("y")
    screen.until_gone("Stop web?")
    app.row("web", "stopped")
    eventually(lambda: replicas_of(app) == [], lambda: str(replicas_of(app)))
    assert app.platform.get("web").status_code >= 400
    screen.press("u")
    app.row("web", "● running", "3/3")
    assert app.platform.get("web").text.startswith("two ")


def delete(app: TmuxApp) -> None:
    screen = app.screen
    screen.press("D")
    screen.until_shown("Delete web?", "3 replicas of", f"http://web.localhost:{app.platform.backend.ingress_port}")
    screen.press("n")
    screen.until_gone("Delete web?")
    app.row("web", "3/3")
    screen.press("D")
    screen.until_shown("Delete web?", "This cannot be")
    screen.press("y")
    screen.until_shown("No deployments yet.")
    eventually(lambda: not app.platform.containers(), lambda: str(app.platform.containers()))
    assert app.platform.get("web").status_code >= 400


def test_finding_ones_way_among_several(app: TmuxApp, static_image: str) -> None:
    """Filter, sort, help, palette and commands; leaving takes nothing down, and coming back finds all of it."""
    screen = app.open()
    screen.until_shown("No deployments yet.")
    for name in ("bravo", "alpha", "charlie"):
        app.deploy(name, static_image, 80)
        app.row(name, "● running", "1/1")
    names_in_order(app, "alpha", "bravo", "charlie")

    app.command("scale bravo 2")
    app.row("bravo", "● running", "2/2")

    # The cursor stays on bravo, wherever the order puts it: what it deletes, were one to say yes, is bravo.
    screen.press("O")
    names_in_order(app, "charlie", "bravo", "alpha")
    for _ in range(3):
        screen.press(">")
        screen.press("D")
        screen.until_shown("Delete bravo?")
        screen.press("n")
        screen.until_gone("Delete bravo?")

    screen.press("/")
    screen.until_shown("part of a name, status or image")
    screen.type("char")
    screen.until_shown("(1 of 3: char)", "charlie")
    screen.press("Enter")
    assert not screen.line(" alpha ", "1/1")
    screen.press("Escape")
    screen.until_shown("Deployments (3)", "alpha")

    screen.press("?")
    screen.until_shown("Keys (like k9s", "Deploy an image")
    screen.press("Escape")
    screen.until_gone("Keys (like k9s")
    with app.focus_moves():
        screen.press("C-p")
        screen.until_shown("Search for commands")
        screen.type("metrics")
        screen.until_shown("Go to Metrics")
        screen.press("Enter")
        screen.until_gone("Search for commands")
        screen.until_shown("limit 128 MiB")
    app.to_list()
    app.command("frobnicate")
    screen.until_shown("There is no command 'frobnicate'")

    before = replicas_of(app)
    assert len(before) == 4
    app.quit()
    screen.close()
    assert app.platform.get("alpha").text == "hello from a container\n"
    app.open()
    for name, count in (("alpha", "1/1"), ("bravo", "2/2"), ("charlie", "1/1")):
        app.row(name, "● running", count)
    assert replicas_of(app) == before


def names_in_order(app: TmuxApp, *names: str) -> None:
    def reached(text: str) -> bool:
        found = [text.find(f" {name} ") for name in names]
        return -1 not in found and found == sorted(found)

    app.screen.until(reached, f"{names} in this order")
