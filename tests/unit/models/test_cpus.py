from __future__ import annotations

import os
from pathlib import Path

import pytest

from rapport.models.cpus import available_cpus

HERE = len(os.sched_getaffinity(0))


def group(mount: Path, path: str, **files: str) -> None:
    folder = mount / path
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(f"{content}\n")


@pytest.mark.parametrize(("quota", "cpus"), [("50000 100000", 1), ("100000 100000", 1), ("max 100000", HERE)])
def test_the_quota_of_version_2(tmp_path: Path, quota: str, cpus: int) -> None:
    (tmp_path / "membership").write_text("0::/kubepods/pod1\n")
    group(tmp_path / "cgroup", "kubepods/pod1", cpu__max=quota)
    assert available_cpus(tmp_path / "membership", tmp_path / "cgroup") == cpus


def test_the_tightest_group_above_counts(tmp_path: Path) -> None:
    (tmp_path / "membership").write_text("0::/slice/pod\n")
    group(tmp_path / "cgroup", "slice", cpu__max="100000 100000")
    group(tmp_path / "cgroup", "slice/pod", cpu__max="max 100000")
    assert available_cpus(tmp_path / "membership", tmp_path / "cgroup") == 1


def test_the_quota_of_version_1(tmp_path: Path) -> None:
    (tmp_path / "membership").write_text("4:memory:/docker/x\n1:cpu,cpuacct:/docker/x\n")
    # Inside a container the host's path is not there; the mount's root is the container's own group.
    group(tmp_path / "cgroup", "cpu", cpu__cfs_quota_us="80000", cpu__cfs_period_us="100000")
    assert available_cpus(tmp_path / "membership", tmp_path / "cgroup") == 1


def test_without_cgroups_the_affinity_counts(tmp_path: Path) -> None:
    assert available_cpus(tmp_path / "none", tmp_path / "none") == HERE


def test_a_quota_is_rounded_up_and_never_above_the_machine(tmp_path: Path) -> None:
    (tmp_path / "membership").write_text("0::/\n")
    group(tmp_path / "cgroup", ".", cpu__max="6400000 100000")
    assert available_cpus(tmp_path / "membership", tmp_path / "cgroup") == HERE
