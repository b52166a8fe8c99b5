"""Templates: everybody reads, admins write, and the five defaults are as documented."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backend.domain.environments import (
    EnvironmentResources,
    TemplateCategory,
    TemplateChange,
    TemplateRequest,
    TemplateStatus,
)
from backend.domain.errors import Conflict, Forbidden, Invalid, NotFound
from tests.services.environments.environment_core import EnvironmentCore

SMALL = ("500m", "1Gi", "10Gi")
# As the DevPocket document lists them: name shown, image, port, resources, and what it includes.
DOCUMENTED = {
    "Python 3.11": ("python:3.11-slim", 8080, SMALL, ("pip install", "virtualenv", "flask", "django")),
    "Node.js 18 LTS": ("node:18-slim", 3000, SMALL, ("npm install", "yarn", "express", "vite")),
    "Go 1.21": ("golang:1.21-alpine", 8080, SMALL, ("go install", "air")),
    "Rust Latest": ("rust:latest", 8080, ("1000m", "2Gi", "15Gi"), ("cargo install", "cargo-watch")),
    "Ubuntu 22.04 LTS": ("ubuntu:22.04", 8080, SMALL, ("apt-get install", "build-essential", "git", "curl")),
}
REQUEST = TemplateRequest(
    name="mine",
    display_name="Mine",
    image="busybox:latest",
    category=TemplateCategory.FRAMEWORK,
    tags=("one", "two"),
    env={"SECRET": "do not store me in clear"},
    startup_commands=("true",),
    documentation_url="https://example.com/docs",
)


async def test_the_first_start_has_the_documented_defaults(core: EnvironmentCore) -> None:
    found = {template.display_name: template for template in await core.templates.all(core.who)}
    assert found.keys() == DOCUMENTED.keys()
    for name, (image, port, resources, includes) in DOCUMENTED.items():
        template = found[name]
        assert (template.image, template.default_port) == (image, port)
        assert template.default_resources == EnvironmentResources(*resources)
        assert (template.status, template.usage_count) == (TemplateStatus.ACTIVE, 0)
        commands = " ".join(template.startup_commands)
        assert all(word in commands for word in includes), commands
        assert template.description and template.tags and template.documentation_url


async def test_initializing_makes_only_what_is_missing(core: EnvironmentCore) -> None:
    admin = await core.admin()
    assert await core.templates.initialize(admin) == 0
    python = await core.templates.get(core.who, "python")
    await core.templates.update(admin, python.id, TemplateChange(name="snake", description="changed"))
    assert await core.templates.initialize(admin) == 1
    assert (await core.templates.get(core.who, "snake")).description == "changed"
    assert (await core.templates.get(core.who, "python")).image == "python:3.11-slim"
    with pytest.raises(Forbidden):
        await core.templates.initialize(core.who)
    # A restart makes none of those anew that an admin took away.
    await core.restart()
    assert len(await core.templates.all(core.who)) == 6


async def test_a_template_is_made_changed_and_deprecated(core: EnvironmentCore) -> None:
    admin = await core.admin()
    made = await core.templates.create(admin, REQUEST)
    for reference in (made.id, made.short_id, made.name):
        assert await core.templates.get(core.who, reference) == made
    changed = await core.templates.update(
        admin,
        made.short_id,
        TemplateChange(cpu="2", tags=(), status=TemplateStatus.BETA, documentation_url="", env={"A": "b"}),
    )
    assert changed.default_resources == EnvironmentResources("2", "1Gi", "10Gi")
    assert (changed.tags, changed.status, changed.documentation_url) == ((), TemplateStatus.BETA, None)
    assert (changed.image, dict(changed.env), changed.startup_commands) == (made.image, {"A": "b"}, ("true",))
    assert changed.updated_at >= changed.created_at == made.created_at
    assert [one.name for one in await core.templates.all(core.who, category=TemplateCategory.FRAMEWORK)] == ["mine"]
    assert [one.name for one in await core.templates.all(core.who, status=TemplateStatus.BETA)] == ["mine"]

    assert (await core.templates.deprecate(admin, "mine")).status is TemplateStatus.DEPRECATED
    assert "mine" not in {one.name for one in await core.templates.all(core.who)}
    assert [one.name for one in await core.templates.all(core.who, status=TemplateStatus.DEPRECATED)] == ["mine"]
    assert (await core.templates.get(core.who, "mine")).id == made.id
    await core.templates.deprecate(admin, "mine")


async def test_only_admins_write(core: EnvironmentCore) -> None:
    for ask in (
        core.templates.create(core.who, REQUEST),
        core.templates.update(core.who, "python", TemplateChange(description="x")),
        core.templates.deprecate(core.who, "python"),
    ):
        with pytest.raises(Forbidden):
            await ask


async def test_names_are_taken_once_and_unknown_ones_not_found(core: EnvironmentCore) -> None:
    admin = await core.admin()
    await core.templates.create(admin, REQUEST)
    with pytest.raises(Conflict) as refused:
        await core.templates.create(admin, REQUEST)
    assert refused.value.details["field"] == "name"
    with pytest.raises(Conflict):
        await core.templates.update(admin, "mine", TemplateChange(name="python"))
    for reference in ("nothing", "", "x" * 5000):
        with pytest.raises(NotFound):
            await core.templates.get(core.who, reference)
    with pytest.raises(NotFound):
        await core.templates.update(admin, "nothing", TemplateChange())


async def test_environment_values_are_not_stored_in_clear(core: EnvironmentCore) -> None:
    await core.templates.create(await core.admin(), REQUEST)
    await core.create(env={"TOKEN": "and me neither"})
    await core.stop()
    stored = b"".join(file.read_bytes() for file in core.folder.glob("pilothouse.db*"))
    assert b"REQUEST" not in stored
    assert b"do not store me" not in stored
    assert b"and me neither" not in stored
    assert b"busybox" in stored


FAULTS: list[tuple[dict[str, object], str]] = [
    ({"name": "No Slug"}, "name"),
    ({"name": ""}, "name"),
    ({"name": "a\n"}, "name"),
    ({"name": "x" * 64}, "name"),
    ({"display_name": ""}, "display_name"),
    ({"display_name": "a\x1b[31m"}, "display_name"),
    ({"description": "x" * 2001}, "description"),
    ({"image": "NOT AN IMAGE"}, "image"),
    ({"default_port": 0}, "default_port"),
    ({"default_port": 65536}, "default_port"),
    ({"default_resources": EnvironmentResources("a lot", "1Gi", "1Gi")}, "default_resources.cpu"),
    ({"default_resources": EnvironmentResources("1", "1Ki", "1Gi")}, "default_resources.memory"),
    ({"default_resources": EnvironmentResources("1", "1Gi", "-1")}, "default_resources.storage"),
    ({"env": {"A B": "c"}}, "env.A B"),
    ({"env": {"A": "\0"}}, "env.A"),
    ({"tags": ("",)}, "tags"),
    ({"tags": ("x",) * 21}, "tags"),
    ({"startup_commands": (" ",)}, "startup_commands.0"),
    ({"startup_commands": ("true", "x" * 8193)}, "startup_commands.1"),
    ({"startup_commands": ("true",) * 51}, "startup_commands"),
    ({"documentation_url": "javascript:alert(1)"}, "documentation_url"),
    ({"icon_url": "https://"}, "icon_url"),
    ({"version": ""}, "version"),
]


async def test_what_cannot_be_is_refused_with_its_field(core: EnvironmentCore) -> None:
    admin = await core.admin()
    for change, field in FAULTS:
        with pytest.raises(Invalid) as refused:
            await core.templates.create(admin, replace(REQUEST, **change))  # type: ignore[arg-type]
        assert field in {fault.field for fault in refused.value.fields}, change
    assert "mine" not in {one.name for one in await core.templates.all(core.who)}
