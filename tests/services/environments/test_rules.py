"""What is refused before anything is stored, with the field that is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backend.domain.environments import EnvironmentChange, EnvironmentRequest, TemplateChange, TemplateStatus
from backend.domain.errors import Conflict, ImageRejected, Invalid, NotFound
from backend.services.environments.rules import Amounts, EnvironmentLimits, check_amounts
from tests.services.environments.environment_core import EnvironmentCore

GIBI = 2**30
FAULTS: list[tuple[dict[str, object], str]] = [
    ({"name": ""}, "name"),
    ({"name": " a"}, "name"),
    ({"name": "a/b"}, "name"),
    ({"name": "x" * 64}, "name"),
    ({"name": "---"}, "name"),
    ({"name": "a\x00"}, "name"),
    ({"name": "a\u202eb"}, "name"),
    ({"name": "\ud800"}, "name"),
    ({"description": "x" * 2001}, "description"),
    ({"description": "\ud800"}, "description"),
    ({"port": 0}, "port"),
    ({"port": 70000}, "port"),
    ({"cpu": "lots"}, "resources.cpu"),
    ({"cpu": "0"}, "resources.cpu"),
    ({"cpu": "1000"}, "resources.cpu"),
    ({"memory": "1"}, "resources.memory"),
    ({"memory": "1000Gi"}, "resources.memory"),
    ({"storage": "x"}, "resources.storage"),
    ({"storage": "2Ti"}, "resources.storage"),
    ({"env": {"": "x"}}, "env."),
    ({"env": {"A": "x" * 200_000}}, "env.A"),
    ({"idle_stop_minutes": 1}, "idle_stop_minutes"),
    ({"idle_stop_minutes": -5}, "idle_stop_minutes"),
    ({"idle_stop_minutes": 10**9}, "idle_stop_minutes"),
]


@pytest.fixture
async def request_of(core: EnvironmentCore) -> EnvironmentRequest:
    return EnvironmentRequest("dev", (await core.template()).id)


async def test_wrong_input_is_refused_with_its_field(core: EnvironmentCore, request_of: EnvironmentRequest) -> None:
    for change, field in FAULTS:
        with pytest.raises(Invalid) as refused:
            await core.environments.create(core.who, replace(request_of, **change))  # type: ignore[arg-type]
        assert field in {fault.field for fault in refused.value.fields}, change
    assert await core.environments.all(core.who) == []
    made = await core.environments.create(core.who, request_of)
    for change, field in FAULTS:
        with pytest.raises(Invalid) as refused:
            await core.environments.update(core.who, made.id, EnvironmentChange(**change))  # type: ignore[arg-type]
        assert field in {fault.field for fault in refused.value.fields}, change
    with pytest.raises(Invalid):
        await core.environments.update(core.who, made.id, EnvironmentChange(image="NOT ONE"))
    assert (await core.get(made)).name == "dev"


async def test_unknown_templates_clusters_and_images_are_refused(
    core: EnvironmentCore, request_of: EnvironmentRequest
) -> None:
    with pytest.raises(NotFound):
        await core.environments.create(core.who, replace(request_of, template_id="nothing"))
    with pytest.raises(NotFound):
        await core.environments.create(core.who, replace(request_of, cluster_id="nowhere"))
    template = await core.template(image="there-is-no-such-image:at-all")
    with pytest.raises(ImageRejected):
        await core.environments.create(core.who, EnvironmentRequest("dev", template.id))
    await core.templates.update(
        await core.admin(), request_of.template_id, TemplateChange(status=TemplateStatus.DEPRECATED)
    )
    with pytest.raises(Invalid) as refused:
        await core.environments.create(core.who, request_of)
    assert refused.value.fields[0].field == "template_id"
    assert await core.environments.all(core.who) == []


async def test_a_user_has_only_so_many(core: EnvironmentCore, request_of: EnvironmentRequest) -> None:
    core.settings = replace(core.settings, environments_per_user=2)
    await core.restart()
    await core.environments.create(core.who, replace(request_of, name="one"))
    second = await core.environments.create(core.who, replace(request_of, name="two"))
    with pytest.raises(Conflict) as refused:
        await core.environments.create(core.who, replace(request_of, name="three"))
    assert refused.value.details["reason"] == "too_many"
    await core.environments.delete(core.who, second.id)
    await core.environments.create(core.who, replace(request_of, name="three"))


async def test_the_list_is_filtered(core: EnvironmentCore, request_of: EnvironmentRequest) -> None:
    first = await core.environments.create(core.who, replace(request_of, name="one"))
    other = await core.create(name="two")
    assert [one.name for one in await core.environments.all(core.who)] == ["two", "one"]
    assert [one.id for one in await core.environments.all(core.who, template_id=first.template_id)] == [first.id]
    assert await core.environments.all(core.who, template_id="nothing") == []
    found = await core.environments.all_of_tenant(core.who.tenant_id, frozenset({other.id, "none"}))
    assert [one.id for one in found] == [other.id]


def test_amounts_are_bounded_by_limits_and_by_the_machine() -> None:
    limits = EnvironmentLimits(cpu_millicores=4000, memory_bytes=8 * GIBI, storage_bytes=50 * GIBI)
    check_amounts(Amounts(4000, 8 * GIBI, 50 * GIBI), limits, 0, 0)
    for amounts, cpus, memory, field in (
        (Amounts(4001, GIBI, GIBI), 16, 64 * GIBI, "resources.cpu"),
        (Amounts(2001, GIBI, GIBI), 2, 64 * GIBI, "resources.cpu"),
        (Amounts(500, 9 * GIBI, GIBI), 16, 64 * GIBI, "resources.memory"),
        (Amounts(500, 5 * GIBI, GIBI), 16, 4 * GIBI, "resources.memory"),
        (Amounts(500, GIBI, 51 * GIBI), 16, 64 * GIBI, "resources.storage"),
    ):
        with pytest.raises(Invalid) as refused:
            check_amounts(amounts, limits, cpus, memory)
        assert refused.value.fields[0].field == field
