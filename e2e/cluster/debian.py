"""Debian packages by name; nothing is asked of apt when all are there."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from e2e.cluster.command import run
from e2e.cluster.progress import heartbeat, say
from e2e.cluster.trouble import ClusterTrouble

PACKAGES = (
    "etcd-server",
    "containerd",
    "runc",
    "containernetworking-plugins",
    "iptables",
    "iproute2",
    "openssl",
)


def is_debian(release: Path = Path("/etc/os-release")) -> bool:
    try:
        lines = release.read_text().splitlines()
    except OSError:
        return False
    names = {line.partition("=")[2].strip('"') for line in lines if line.startswith(("ID=", "ID_LIKE="))}
    return any("debian" in name.split() for name in names)


def missing(packages: Sequence[str] = PACKAGES) -> list[str]:
    asked = ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *packages]
    answer = run(asked, check=False)
    installed = {line.split()[0] for line in answer.splitlines() if line.endswith(" installed")}
    return [name for name in packages if name not in installed]


def install(packages: Sequence[str] = PACKAGES) -> None:
    lacking = missing(packages)
    if not lacking:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise ClusterTrouble(
            f"Debian packages are missing: {' '.join(lacking)}; install them, or run as root"
        )
    say(f"Debian packages: installing {' '.join(lacking)}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    with heartbeat(lambda: "apt-get is working"):
        run(["apt-get", "update", "-qq"], seconds=300, env=quiet)
        run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *lacking], seconds=600, env=quiet)
