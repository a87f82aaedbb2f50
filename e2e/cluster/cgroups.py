"""A node's CPU budget: a control group around all its pods, on cgroup v1 and on v2 (v2 not tried yet)."""

import os
import time
from pathlib import Path

from e2e.cluster.trouble import ClusterTrouble

ROOT = Path("/sys/fs/cgroup")
PARENT = "causal-rollouts"
FIRST = 16
"""Weight of all pods together against one other process of this machine."""


def kubelet_path(node: str) -> str:
    return f"/{PARENT}/{node}"


def is_v2(root: Path = ROOT) -> bool:
    return (root / "cgroup.controllers").exists()


def create(node: str) -> None:
    """The node's group in every controller, before kubelet looks for it.

    Pods are served before other work on this machine: what a node's budget gives is then there to be had.
    """
    if is_v2():
        _create_v2(node)
        return
    for hierarchy in _hierarchies_v1():
        group = hierarchy / PARENT / node
        group.mkdir(parents=True, exist_ok=True)
        if (group / "cpuset.cpus").exists():
            _copy_cpuset(hierarchy, node)
    (_cpu_v1() / PARENT / "cpu.shares").write_text(str(FIRST * 1024))


def set_budget(node: str, cores: float, period_us: int) -> None:
    """At most `cores` over each `period_us`, for all pods of the node together."""
    if not 1_000 <= period_us <= 1_000_000:
        raise ClusterTrouble(f"period of {period_us} us: the kernel takes 1000 to 1000000")
    quota = int(cores * period_us)
    if quota < 1_000:
        raise ClusterTrouble(
            f"{cores} cores over {period_us} us is {quota} us: the kernel takes 1000 and more"
        )
    try:
        if is_v2():
            (ROOT / PARENT / node / "cpu.max").write_text(f"{quota} {period_us}")
        else:
            group = _cpu_v1() / PARENT / node
            # The kernel checks each write by itself: no limit while the period changes.
            (group / "cpu.cfs_quota_us").write_text("-1")
            (group / "cpu.cfs_period_us").write_text(str(period_us))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
    except OSError as problem:
        raise ClusterTrouble(
            f"{node}: a budget of {cores} cores was refused ({problem.strerror}); on cgroup v1 no pod of the "
            "node may have a CPU limit above the node's budget"
        ) from None


def budget(node: str) -> tuple[float, int]:
    """Cores and period in force; cores are infinite without a limit."""
    if is_v2():
        quota, period = (ROOT / PARENT / node / "cpu.max").read_text().split()
    else:
        group = _cpu_v1() / PARENT / node
        quota, period = (group / "cpu.cfs_quota_us").read_text(), (group / "cpu.cfs_period_us").read_text()
    if quota.strip() in ("max", "-1"):
        return float("inf"), int(period)
    return int(quota) / int(period), int(period)


def pids() -> set[int]:
    """Every process inside any of our groups."""
    found: set[int] = set()
    for group in leftovers():
        try:
            found.update(int(line) for line in (group / "cgroup.procs").read_text().split())
        except OSError:
            continue
    return found


def remove(seconds: float = 5) -> None:
    """Take the groups away, innermost first; a group that just lost its last process needs a moment."""
    until = time.monotonic() + seconds
    while left := leftovers():
        for group in sorted(left, key=lambda path: -len(path.parts)):
            try:
                group.rmdir()
            except OSError:
                continue
        if time.monotonic() > until:
            return
        time.sleep(0.05)


def leftovers() -> list[Path]:
    """Our groups in every hierarchy. os.walk: groups vanish while we look, which pathlib takes ill."""
    return [Path(folder) for top in _tops() for folder, _, _ in os.walk(top)]


def _tops() -> list[Path]:
    tops = [ROOT, *(p for p in ROOT.iterdir() if p.is_dir() and not p.is_symlink())] if ROOT.exists() else []
    return [top / PARENT for top in tops if (top / PARENT).is_dir()]


def _hierarchies_v1() -> list[Path]:
    """Where v1 controllers are mounted, the named ones included; the unified one is not runc's."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        if after.split()[0] == "cgroup":
            found.append(Path(before.split()[4]))
    if not found:
        raise ClusterTrouble("no cgroup controllers are mounted; mount them, or use Docker or KUBECONFIG")
    return found


def _cpu_v1() -> Path:
    for hierarchy in _hierarchies_v1():
        if (hierarchy / "cpu.cfs_quota_us").exists() or (hierarchy / PARENT).joinpath("cpu.shares").exists():
            return hierarchy
    raise ClusterTrouble("the cgroup controller cpu is not mounted")


def _copy_cpuset(hierarchy: Path, node: str) -> None:
    for group in (hierarchy / PARENT, hierarchy / PARENT / node):
        for name in ("cpuset.cpus", "cpuset.mems"):
            if not (group / name).read_text().strip():
                (group / name).write_text((group.parent / name).read_text().strip())


def _create_v2(node: str) -> None:
    group = ROOT / PARENT / node
    group.mkdir(parents=True, exist_ok=True)
    have = set((ROOT / "cgroup.controllers").read_text().split())
    lacking = {"cpu", "memory", "pids"} - have
    if lacking:
        raise ClusterTrouble(f"cgroup v2 lacks the controllers {', '.join(sorted(lacking))} on this machine")
    for parent in (ROOT, ROOT / PARENT):
        for controller in sorted(have & {"cpu", "cpuset", "memory", "pids", "io", "hugetlb"}):
            (parent / "cgroup.subtree_control").write_text(f"+{controller}")
    (ROOT / PARENT / "cpu.weight").write_text(str(FIRST * 100))
