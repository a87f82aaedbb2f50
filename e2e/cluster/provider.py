"""Which cluster it is to be: the one that KUBECONFIG names, else kind, else this machine itself."""

from dataclasses import dataclass
from pathlib import Path

from e2e.cluster.state import Provider
from e2e.cluster.trouble import ClusterTrouble

IMPOSSIBLE = 3


@dataclass(frozen=True, slots=True)
class Machine:
    """What decides: all of it asked before, nothing asked here."""

    foreign_kubeconfig: Path | None
    docker_answers: bool
    is_debian: bool
    is_root: bool


def choose(machine: Machine) -> Provider:
    """The first that can be; ClusterTrouble with status 3 and what is needed when none can."""
    if machine.foreign_kubeconfig:
        return Provider.EXISTING
    if machine.docker_answers:
        return Provider.KIND
    if machine.is_debian and machine.is_root:
        return Provider.HOST
    lacking = "this is not Debian" if not machine.is_debian else "you are not root"
    raise ClusterTrouble(
        f"no cluster can be made here: KUBECONFIG is not set, no Docker engine answers, and {lacking}. "
        "Set KUBECONFIG to a cluster that you may use, or start Docker, or run this as root on Debian.",
        IMPOSSIBLE,
    )
