"""Taking the cluster away, in the order that leaves nothing behind, from whatever state it is in."""

import signal
from pathlib import Path

from e2e.cluster import before, cgroups, control_plane, network, state
from e2e.cluster.command import run
from e2e.cluster.places import Places
from e2e.cluster.programs import Identity, Programs, end
from e2e.cluster.progress import say


def noted(places: Places) -> Path:
    """Where the machine's earlier state is written; on disk, beside what must be removed with it."""
    return places.data / "before.json"


def down(places: Places) -> None:
    """Kubelets first, else they start again what is ended; control plane last of all programs."""
    programs = Programs(places.run)
    names = programs.names()
    kubelets = [name for name in names if name.startswith("kubelet-")]
    containerds = [name for name in names if name.startswith("containerd-")]
    others = [n for n in names if n not in (*kubelets, *containerds, *control_plane.BRAINS)]
    programs.stop([*kubelets, *others], 10)
    _end_pods()
    # Before the CNI notes go: they say which namespaces are ours.
    programs.stop(containerds, 10)
    # Shims take no notice of SIGTERM.
    end(programs.strays(), 0.3)
    say("nodes, pods and their shims are ended")
    programs.stop(control_plane.BRAINS, 10)
    end(programs.strays(), 5)
    network.remove_namespaces()
    _unmount([places.run, places.data])
    network.remove_rules()
    network.down()
    cgroups.remove()
    before.restore(noted(places))
    _remove_log_links(places)
    state.forget(places)
    say("network, rules, control groups and files are gone")


def leftovers(places: Places) -> list[str]:
    """What `down` should have removed and is still there; empty when all is clean."""
    found = [f"process {identity.pid}" for identity in Programs(places.run).strays()]
    found += [f"process {pid} in a control group" for pid in sorted(cgroups.pids())]
    found += [f"mount {point}" for point in _mounts([places.run, places.data])]
    found += [f"network namespace {name}" for name in network.our_namespaces()]
    found += network.leftovers()
    for tool in ("iptables", "ip6tables"):
        found += [
            f"{tool} chain {chain}" for chain in network.kube_chains(run([f"{tool}-save"], check=False))
        ]
    found += [f"control group {group}" for group in cgroups.leftovers()]
    found += [f"folder {folder}" for folder in (places.run, places.data) if folder.exists()]
    return found


def _end_pods() -> None:
    """Every process inside our control groups, at once: nobody waits for graceful ends here."""
    for _ in range(20):
        left = cgroups.pids()
        if not left:
            return
        for pid in left:
            identity = Identity.of(pid)
            if identity:
                identity.send(signal.SIGKILL)
        end([i for i in map(Identity.of, left) if i], 0.5)


def _mounts(folders: list[Path]) -> list[str]:
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    inside = [p for p in points if any(Path(p).is_relative_to(folder) for folder in folders)]
    return sorted(inside, key=lambda point: -point.count("/"))


def _unmount(folders: list[Path]) -> None:
    for point in _mounts(folders):
        run(["umount", "-l", point], check=False)


def _remove_log_links(places: Places) -> None:
    """kubelet links every container's log into one fixed folder."""
    links = Path("/var/log/containers")
    if not links.is_dir():
        return
    for link in links.iterdir():
        if link.is_symlink() and link.readlink().is_relative_to(places.data):
            link.unlink()
