"""`python -m screenshots`: each panel as a picture beside this file, of the running app on a running backend."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from screenshots.picture import save_picture
from screenshots.sample_environments import make_environments, remove_environments
from screenshots.sample_platform import SamplePlatform
from tests.tui.driving import type_text
from tests.widgets.screen_text import screen_lines
from tui.app import Options, PilothouseApp
from tui.preferences import Preferences

FOLDER = Path(__file__).parent
DEADLINE_SECONDS = 90.0
# Plots need something to show.
SECONDS_OF_LOAD = 75.0
WIDE, SMALL = (150, 38), (80, 24)
DAYLIGHT = "daylight"


async def until(pilot: Pilot[None], reached: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not reached():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come:\n" + "\n".join(screen_lines(pilot.app)))
        await pilot.pause(0.1)


async def until_shown(pilot: Pilot[None], *words: str) -> None:
    def reached() -> bool:
        text = "\n".join(screen_lines(pilot.app))
        return all(word in text for word in words)

    await until(pilot, reached, " and ".join(words))


async def select(pilot: Pilot[None], app: PilothouseApp, name: str) -> None:
    assert app.main.state is not None
    key = next(key for key, one in app.main.state.deployments.items() if one.app_name == name)
    app.main.table.select(key)
    await pilot.pause()


def app_of(platform: SamplePlatform, theme: str = "") -> PilothouseApp:
    settings = platform.data_dir / "tui.toml"
    return PilothouseApp(
        Options(data_dir=platform.data_dir, preferences=Preferences(theme=theme), preferences_path=settings)
    )


def save(app: PilothouseApp, name: str) -> None:
    save_picture(app, FOLDER / f"{name}.svg")
    print(f"screenshots/{name}.svg")


async def panels(platform: SamplePlatform) -> None:
    app = app_of(platform)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await until_shown(pilot, "● running", "api", "backing off")
        await select(pilot, app, "api")
        await pilot.press("l")
        await until_shown(pilot, "following", "ERROR export", "WARN  coupon")
        save(app, "logs")
        await pilot.press("1")
        await shell(pilot, app)
        await pilot.press("ctrl+backslash", "n")
        await form(pilot, app)
        await pilot.press("question_mark")
        await until_shown(pilot, "Keys (like k9s")
        save(app, "help")
        await pilot.press("escape")
        await select(pilot, app, "worker")
        await pilot.press("h")
        await until_shown(pilot, "connection refused")
        save(app, "why")
        await pilot.press("1")
        await select(pilot, app, "api")
        await pilot.press("m")
        await until_shown(pilot, "Memory")
        await pilot.press("less_than_sign")
        await asyncio.sleep(SECONDS_OF_LOAD)
        save(app, "metrics")
        await pilot.press("1")
        await pilot.press("2")
        await until_shown(pilot, "http://api.localhost")
        await pilot.press("1")
        await pilot.pause(0.5)
        save(app, "overview")


async def shell(pilot: Pilot[None], app: PilothouseApp) -> None:
    await pilot.press("s")
    await until_shown(pilot, "/#")
    for line in ("ls --color=always -l /", "python3 --version", "cat /etc/hostname | wc -c"):
        await type_text(pilot, line)
        await pilot.press("enter")
    await until_shown(pilot, "Python 3", "13")
    save(app, "terminal")


async def form(pilot: Pilot[None], app: PilothouseApp) -> None:
    await until_shown(pilot, "Deploy an image ─")
    await type_text(pilot, "Billing")
    await pilot.press("tab")
    await type_text(pilot, "acme/billing:3.2")
    await pilot.press("tab", "tab", "tab", "tab", "tab")
    await until_shown(pilot, "acme/billing:3.2", "Lower-case letters only")
    await type_text(pilot, "CURRENCY=EUR")
    await until_shown(pilot, "CURRENCY=EUR")
    save(app, "deploy-form")
    await pilot.press("escape")
    await until(pilot, lambda: app.screen is app.main, "the main screen")


async def environments(platform: SamplePlatform) -> None:
    app = app_of(platform)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await until_shown(pilot, "● running", "api")
        await pilot.press("v")
        await until_shown(pilot, "shop-api", "forecasts", "Memory", "1Gi")
        await pilot.press("G")
        await until_shown(pilot, "● running", "Python for the web", "of 500m")
        await pilot.pause(3)
        save(app, "environments")
        await pilot.press("s")
        await until_shown(pilot, "root@shop-api")
        for line in ("ls --color=always -l /", "python3 --version"):
            await type_text(pilot, line)
            await pilot.press("enter")
        await until_shown(pilot, "Python 3")
        await pilot.press("ctrl+backslash", "vertical_line")
        await pilot.pause(3)
        await type_text(pilot, "python3 -q")
        await pilot.press("enter")
        await until_shown(pilot, ">>>")
        for line in ("total = 19 + 23", "print(f'{total} and counting')"):
            await type_text(pilot, line)
            await pilot.press("enter")
        await until_shown(pilot, "42 and counting")
        save(app, "terminals")


async def one_picture(platform: SamplePlatform, name: str, size: tuple[int, int], theme: str = "") -> None:
    app = app_of(platform, theme)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until_shown(pilot, "● running", "api")
        await select(pilot, app, "api")
        await until_shown(pilot, "http://api.localhost")
        await pilot.pause(0.5)
        save(app, name)


def main() -> None:
    with SamplePlatform() as platform:
        asyncio.run(panels(platform))
        make_environments(platform.backend)
        try:
            asyncio.run(environments(platform))
        finally:
            remove_environments(platform.backend)
        asyncio.run(one_picture(platform, "light", WIDE, DAYLIGHT))
        asyncio.run(one_picture(platform, "small", SMALL))


if __name__ == "__main__":
    main()
