"""What the operator writes and takes while everything is as it should be."""

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from e2e.audit import events
from e2e.cluster.control_plane import audit_log
from e2e.cluster.state import Cluster
from e2e.demo.cpu_use import CpuUse
from e2e.operator_host import NAME

OPERATOR = "system:serviceaccount:causal-rollouts:"


@dataclass(frozen=True, slots=True)
class Rest:
    """seconds: how long was watched. writes: by verb and resource. All of the operator alone."""

    seconds: float
    writes: dict[str, int]
    cores: float
    mebibytes: float

    def line(self) -> str:
        told = ", ".join(f"{count} {what}" for what, count in self.writes.items()) or "0"
        return (
            f"at rest for {self.seconds:.0f} s: writes by the operator {told}; "
            f"{self.cores:.3f} cores, {self.mebibytes:.0f} MiB resident"
        )


def at_rest(cluster: Cluster, seconds: float) -> Rest:
    """Watch for that long. Needs the audit log, so the cluster that runs on this machine."""
    log = audit_log(cluster)
    busy, began = CpuUse(cluster.programs), time.time()
    time.sleep(seconds)
    cores = busy.cores_by_program(at_least=0.0).get(NAME, 0.0)
    return Rest(seconds, writes(log, began, time.time()), cores, resident(cluster))


def writes(log: Path, began: float, ended: float) -> dict[str, int]:
    """What the operator's ServiceAccount wrote between two instants, by verb and resource."""
    counted = Counter(
        f"{event['verb']} {event['objectRef']['resource']}" for event in events(log, OPERATOR, began, ended)
    )
    return dict(counted)


def resident(cluster: Cluster) -> float:
    """MiB of memory of the operator."""
    identity = cluster.programs.identity(NAME)
    if identity is None:
        return 0.0
    pages = int(Path(f"/proc/{identity.pid}/statm").read_text().split()[1])
    return pages * 4096 / 2**20
