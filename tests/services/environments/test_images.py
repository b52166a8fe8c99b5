"""What images ask for: a user of their own, a home elsewhere, or nothing that an environment could run on."""

from __future__ import annotations

import io
import secrets
import tarfile
from collections.abc import Callable, Iterator

import docker
import pytest

from backend.domain.environments import EnvironmentChange, EnvironmentStatus
from tests.engines.engine_bench import until
from tests.services.environments.environment_core import EnvironmentCore

MakeImage = Callable[..., str]


@pytest.fixture
def make_image() -> Iterator[MakeImage]:
    """Local images from busybox after a script, with a user; removed in the end."""
    client = docker.from_env()
    made: list[str] = []

    def make(script: str = "true", *, changes: tuple[str, ...] = ()) -> str:
        name = f"ph-test-{secrets.token_hex(4)}"
        container = client.containers.create("busybox:latest", ["sh", "-c", script])
        try:
            container.start()
            assert container.wait()["StatusCode"] == 0
            container.commit(name, "latest", changes="\n".join(changes))
        finally:
            container.remove(force=True)
        made.append(f"{name}:latest")
        return made[-1]

    yield make
    for name in made:
        client.images.remove(name, force=True)
    client.close()


ADD_USER = (
    "echo dev:x:1500:1501::/home/dev:/bin/sh >> /etc/passwd; mkdir -p /home/dev;"
    " echo from the image > /home/dev/welcome; chown -R 1500:1501 /home/dev"
)


async def test_an_images_own_user_works_in_its_own_home(core: EnvironmentCore, make_image: MakeImage) -> None:
    image = make_image(ADD_USER, changes=("USER dev",))
    made = await core.create("id -u > installed-by", image=image)
    await core.running(made)
    said = await core.run(made, "id -u; pwd; cat welcome installed-by; echo mine > file; ls -ln file | cut -c 1-10")
    assert said == "1500\n/home/dev\nfrom the image\n1500\n-rw-r--r--\n"
    # The next image has another user, and its home elsewhere: what was kept is that user's now.
    other = make_image("echo other:x:1600:1600::/srv/other:/bin/sh >> /etc/passwd", changes=("USER other",))
    await core.environments.update(core.who, made.id, EnvironmentChange(image=other))
    await core.running(made)
    said = await core.run(made, "id -u; pwd; cat file && echo more >> file && stat -c %u file")
    assert said == "1600\n/srv/other\nmine\n1600\n"


async def test_a_user_without_a_home_gets_one_that_it_can_write(core: EnvironmentCore, make_image: MakeImage) -> None:
    image = make_image(changes=("USER 4321",))
    made = await core.create(image=image)
    await core.running(made)
    assert await core.run(made, "id -u; echo $HOME; pwd; touch file && ls") == "4321\n/workspace\n/workspace\nfile\n"


async def test_root_in_it_cannot_become_more(core: EnvironmentCore) -> None:
    made = await core.create()
    await core.running(made)
    status = await core.run(made, "grep -E 'NoNewPrivs|CapEff' /proc/self/status")
    assert "NoNewPrivs:\t1" in status
    effective = int(status.split("CapEff:")[1].split()[0], 16)
    assert not effective & (1 << 21 | 1 << 12 | 1 << 13 | 1 << 19)  # SYS_ADMIN, NET_ADMIN, NET_RAW, SYS_PTRACE


async def test_an_image_with_nothing_to_run_says_so(core: EnvironmentCore) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        entry = tarfile.TarInfo("file")
        entry.size = 4
        archive.addfile(entry, io.BytesIO(b"text"))
    client = docker.from_env()
    name = f"ph-test-{secrets.token_hex(4)}:latest"
    repository, _, tag = name.partition(":")
    client.api.import_image_from_data(data.getvalue(), repository=repository, tag=tag)
    try:
        made = await core.create(image=name)
        failed = await core.until(made, EnvironmentStatus.ERROR)
        assert failed.error_message is not None
        assert "sleep" in failed.error_message
        await core.environments.update(core.who, made.id, EnvironmentChange(image="busybox:latest"))
        assert (await core.running(made)).error_message is None
        await core.environments.delete(core.who, made.id)
        await core.until_gone(made)
    finally:
        client.images.remove(name, force=True)
        client.close()


async def test_less_memory_than_is_used_restarts_it(core: EnvironmentCore) -> None:
    made = await core.create(memory="128Mi")
    await core.running(made)
    before = await core.container(made)
    # A file in memory counts, and cannot be dropped.
    await core.run(made, "dd if=/dev/zero of=/dev/shm/file bs=1M count=48")
    await core.environments.update(core.who, made.id, EnvironmentChange(memory="16Mi"))

    async def limited() -> bool:
        state = await core.container(made)
        return state.memory_limit_bytes == 16 * 2**20 and state.phase.value == "running"

    await until(limited)
    after = await core.container(made)
    assert after.id == before.id
    assert (await core.running(made)).error_message is None
