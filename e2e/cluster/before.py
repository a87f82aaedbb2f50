"""What the machine was like before the cluster: kernel settings to put back, folders to take away.

kubelet, kube-proxy and the CNI plugins write kernel settings and fixed paths whatever they are told.
Written once, before the first change; it lies on disk, so that it outlives an interrupted `up`.
"""

import json
import shutil
from pathlib import Path

from e2e.cluster.folder import write_whole
from e2e.cluster.programs import BOOT

SETTINGS = (
    "net.ipv4.ip_forward",
    "net.ipv4.conf.all.route_localnet",
    "net.bridge.bridge-nf-call-iptables",
    "net.bridge.bridge-nf-call-ip6tables",
    "net.netfilter.nf_conntrack_max",
    "net.netfilter.nf_conntrack_tcp_timeout_established",
    "net.netfilter.nf_conntrack_tcp_timeout_close_wait",
    "vm.overcommit_memory",
    "vm.panic_on_oom",
    "kernel.panic",
    "kernel.panic_on_oops",
    "kernel.keys.root_maxkeys",
    "kernel.keys.root_maxbytes",
)
FOLDERS = (
    "/var/lib/kubelet",
    "/var/lib/cni",
    "/var/log/pods",
    "/var/log/containers",
    "/run/containerd",
    "/run/netns",
    "/run/mount",
    "/run/xtables.lock",
    "/opt/cni",
    "/opt/containerd",
    "/etc/cni",
    "/usr/libexec/kubernetes",
)


def note(file: Path) -> None:
    """Write down the machine as it is, unless that was done before."""
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    noted = {
        "boot": BOOT.read_text().strip(),
        "settings": {name: value for name in SETTINGS if (value := setting(name)) is not None},
        "absent": [folder for folder in FOLDERS if not Path(folder).exists()],
    }
    write_whole(file, json.dumps(noted, indent=2))


def restore(file: Path) -> None:
    """Put back what was noted. Settings only within the same boot: a new boot has its own."""
    try:
        noted = json.loads(file.read_text())
    except (OSError, ValueError):
        return
    if noted["boot"] == BOOT.read_text().strip():
        for name, value in noted["settings"].items():
            if setting(name) != value:
                set_setting(name, value)
    for folder in noted["absent"]:
        path = Path(folder)
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def setting(name: str) -> str | None:
    try:
        return _file(name).read_text().strip()
    except OSError:
        return None


def set_setting(name: str, value: str) -> None:
    try:
        _file(name).write_text(value)
    except OSError:
        return


def _file(name: str) -> Path:
    return Path("/proc/sys") / name.replace(".", "/")
