"""Cgroup files of both versions: folders found from /proc, numbers read from files laid out as the kernel does."""

from __future__ import annotations

from pathlib import Path

from backend.engines.cgroups import CgroupFolders, CgroupReader, find_folders, parse_mounts, read_usage

ID = "f" * 64
V1_MOUNTS = """\
30 25 0:26 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755
31 30 0:27 / /sys/fs/cgroup/unified rw shared:4 - cgroup2 cgroup2 rw
32 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw shared:5 master:3 - cgroup cgroup rw,cpu,cpuacct
33 30 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
"""
V2_MOUNTS = "31 30 0:27 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"


def test_version_1_is_preferred_where_it_has_the_controllers() -> None:
    membership = f"4:memory:/docker/{ID}\n3:cpu,cpuacct:/docker/{ID}\n0::/docker/{ID}\n"
    assert find_folders(parse_mounts(V1_MOUNTS), membership, ID) == CgroupFolders(
        False, Path(f"/sys/fs/cgroup/cpu,cpuacct/docker/{ID}"), Path(f"/sys/fs/cgroup/memory/docker/{ID}")
    )


def test_version_2_has_one_folder_also_for_a_program_in_a_group_below() -> None:
    folder = Path(f"/sys/fs/cgroup/system.slice/docker-{ID}.scope")
    for below in ("", "/init", "/a/b"):
        membership = f"0::/system.slice/docker-{ID}.scope{below}\n"
        assert find_folders(parse_mounts(V2_MOUNTS), membership, ID) == CgroupFolders(True, folder, folder)


def test_a_mount_may_show_only_a_part() -> None:
    mounts = parse_mounts("31 30 0:27 /outer /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")
    folders = find_folders(mounts, f"0::/outer/docker/{ID}\n", ID)
    assert folders is not None and folders.cpu == Path(f"/sys/fs/cgroup/docker/{ID}")


def test_somebody_elses_process_is_not_the_container() -> None:
    assert find_folders(parse_mounts(V2_MOUNTS), "0::/user.slice/session-1.scope\n", ID) is None
    assert find_folders([], f"0::/docker/{ID}\n", ID) is None


def test_version_2_files(tmp_path: Path) -> None:
    (tmp_path / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 1\n")
    (tmp_path / "memory.current").write_text("3000\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 1000\n")
    (tmp_path / "memory.max").write_text("max\n")
    sample = read_usage(ID, CgroupFolders(True, tmp_path, tmp_path))
    assert (sample.cpu_seconds, sample.memory_bytes, sample.memory_limit_bytes) == (2.5, 2000, None)
    (tmp_path / "memory.max").write_text("4096\n")
    assert read_usage(ID, CgroupFolders(True, tmp_path, tmp_path)).memory_limit_bytes == 4096


def test_version_1_files(tmp_path: Path) -> None:
    (tmp_path / "cpuacct.usage").write_text("2500000000\n")
    (tmp_path / "memory.usage_in_bytes").write_text("3000\n")
    (tmp_path / "memory.stat").write_text("inactive_file 5\ntotal_inactive_file 4000\n")
    (tmp_path / "memory.limit_in_bytes").write_text("9223372036854771712\n")
    sample = read_usage(ID, CgroupFolders(False, tmp_path, tmp_path))
    assert (sample.cpu_seconds, sample.memory_bytes, sample.memory_limit_bytes) == (2.5, 0, None)


def test_what_cannot_be_read_is_named() -> None:
    assert CgroupReader().read([(ID, 1), (ID, 2**30)]) == ([], [ID, ID])
