"""How many CPUs this process may really use: the cgroup's quota, not the machine's count.

A pool of 64 threads under a quota of 2 CPUs spends its time being throttled.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

_MEMBERSHIP = Path("/proc/self/cgroup")
_MOUNT = Path("/sys/fs/cgroup")


def available_cpus(membership: Path = _MEMBERSHIP, mount: Path = _MOUNT) -> int:
    """CPUs by affinity and by the tightest cgroup quota (v1 or v2) above this process, rounded up; at least 1."""
    quotas = [quota for folder in _folders(membership, mount) if (quota := _quota(folder)) is not None]
    return max(1, math.ceil(min([float(len(os.sched_getaffinity(0))), *quotas])))


def _folders(membership: Path, mount: Path) -> Iterator[Path]:
    """The control folders of this process and of all groups above it."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        root = mount if not controllers else mount / "cpu"
        # Inside a container the path is the host's and often not there: the mount's root is then the container's group.
        folder = root / path.lstrip("/")
        yield from (above for above in (folder, *folder.parents) if above.is_relative_to(root))


def _quota(folder: Path) -> float | None:
    """CPUs granted by one group; None when it sets no limit."""
    try:
        if (folder / "cpu.max").exists():
            granted, period = (folder / "cpu.max").read_text().split()
        else:
            granted = (folder / "cpu.cfs_quota_us").read_text().strip()
            period = (folder / "cpu.cfs_period_us").read_text().strip()
    except (OSError, ValueError):
        return None
    return None if granted in ("max", "-1") else int(granted) / int(period)
