"""Named volumes on a real engine: made once, filled from the image, kept over containers, measured."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from backend.domain.engine import VolumeSpec
from backend.domain.errors import Conflict
from backend.engines.docker import DockerEngine
from backend.engines.volumes import tree_bytes
from tests.engines.engine_bench import Bench, until


@pytest.fixture
async def volume(bench: Bench) -> AsyncIterator[VolumeSpec]:
    spec = VolumeSpec(f"ph-{secrets.token_hex(4)}-home", "environment", "object-1", bench.tenant)
    yield spec
    for state in await bench.engine.list_containers():
        await bench.engine.remove_container(state.id)
    await bench.engine.remove_volume(spec.name)


async def test_a_volume_is_made_once_and_listed(bench: Bench, volume: VolumeSpec) -> None:
    first = await bench.engine.ensure_volume(volume)
    again = await bench.engine.ensure_volume(volume)
    assert first == again
    assert (first.object_id, first.kind, first.tenant_id) == ("object-1", "environment", bench.tenant)
    assert await bench.engine.list_volumes() == [first]


async def test_a_volume_keeps_what_containers_wrote(bench: Bench, volume: VolumeSpec) -> None:
    await bench.engine.ensure_volume(volume)
    writer = await bench.run("sh", "-c", "echo kept > /data/file; sleep 600", volumes={volume.name: "/data"})

    async def written() -> bool:
        return (await bench.engine.storage_used(None, volume.name) or 0) > 0

    await until(written)
    await bench.engine.remove_container(writer)
    reader = await bench.run("sh", "-c", "cat /data/file; sleep 600", volumes={volume.name: "/data"})

    async def said() -> bool:
        return [line.text for line in await bench.lines(reader)] == ["kept"]

    await until(said)


async def test_another_installation_neither_sees_nor_removes_it(bench: Bench, volume: VolumeSpec) -> None:
    made = await bench.engine.ensure_volume(volume)
    other = DockerEngine(secrets.token_hex(16))
    try:
        assert await other.list_volumes() == []
        await other.remove_volume(volume.name)
        assert await bench.engine.list_volumes() == [made]
        with pytest.raises(Conflict):
            await other.ensure_volume(volume)
    finally:
        await other.close()


async def test_removing_says_what_holds_it_and_is_nothing_where_it_is_gone(bench: Bench, volume: VolumeSpec) -> None:
    await bench.engine.ensure_volume(volume)
    holder = await bench.run(volumes={volume.name: "/data"})
    with pytest.raises(Conflict) as refused:
        await bench.engine.remove_volume(volume.name)
    assert refused.value.details["reason"] == "in_use"
    await bench.engine.remove_container(holder)
    await bench.engine.remove_volume(volume.name)
    await bench.engine.remove_volume(volume.name)
    assert await bench.engine.list_volumes() == []


async def test_storage_counts_the_volume_and_what_was_written_beside_it(bench: Bench, volume: VolumeSpec) -> None:
    await bench.engine.ensure_volume(volume)
    script = (
        "dd if=/dev/zero of=/data/a bs=1M count=3; dd if=/dev/zero of=/b bs=1M count=2; ln /data/a /data/c; echo done; "
        "sleep 600"
    )
    made = await bench.run("sh", "-c", script, volumes={volume.name: "/data"})

    async def written() -> bool:
        return any(line.text == "done" for line in await bench.lines(made))

    await until(written)
    mebi = 2**20
    home = await bench.engine.storage_used(None, volume.name)
    both = await bench.engine.storage_used(made, volume.name)
    assert home is not None and 3 * mebi <= home < 3.5 * mebi
    assert both is not None and 5 * mebi <= both < 5.5 * mebi
    assert await bench.engine.storage_used(None, "ph-there-is-none") is None


async def test_a_size_that_the_storage_cannot_bound_is_left_out_and_said(bench: Bench, volume: VolumeSpec) -> None:
    state = await bench.engine.ensure_volume(replace(volume, size_bytes=64 * 2**20))
    made = await bench.run(storage_bytes=64 * 2**20)
    container = await bench.engine.inspect_container(made)
    # Which of the two it is depends on the engine's file system; what is said must be what is so.
    assert state.size_limit_bytes in (None, 64 * 2**20)
    assert container.storage_limit_bytes in (None, 64 * 2**20)
    assert container.memory_limit_bytes == 32 * 2**20
    assert container.cpu_millicores == 500


def test_a_tree_counts_each_file_once_and_passes_over_what_it_cannot_read(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_bytes(b"x" * 100_000)
    (tmp_path / "link").hardlink_to(tmp_path / "folder" / "file")
    (tmp_path / "away").symlink_to("/")
    assert 100_000 <= tree_bytes(str(tmp_path)) < 150_000
    assert tree_bytes(str(tmp_path / "none")) == 0
