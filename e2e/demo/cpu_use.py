"""What a measurement cost: cores that were busy on the machine, and in each program of the cluster."""

import os
import time
from pathlib import Path

from e2e.cluster.programs import Programs

TICKS = os.sysconf("SC_CLK_TCK")


class CpuUse:
    """Counts from the moment it is made."""

    def __init__(self, programs: Programs) -> None:
        self._programs = programs
        self._began = time.monotonic()
        self._machine = _machine_ticks()
        self._each = self._program_ticks()

    def cores(self) -> float:
        """Of the whole machine, whoever kept them busy."""
        return (_machine_ticks() - self._machine) / TICKS / self._elapsed()

    def cores_by_program(self, at_least: float = 0.001) -> dict[str, float]:
        """Of each program that runs from then to now, the busiest first; pods are none of them."""
        elapsed = self._elapsed()
        now = self._program_ticks()
        used = {
            name: (now[name] - then) / TICKS / elapsed for name, then in self._each.items() if name in now
        }
        busy = sorted(used.items(), key=lambda item: -item[1])
        return {name: round(cores, 4) for name, cores in busy if cores >= at_least}

    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _program_ticks(self) -> dict[str, int]:
        found = {}
        for name in self._programs.names():
            identity = self._programs.identity(name)
            if identity and identity.is_alive():
                found[name] = _process_ticks(identity.pid)
        return found


def _machine_ticks() -> int:
    ticks = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    # The fourth and fifth are idle time.
    return sum(ticks) - ticks[3] - ticks[4]


def _process_ticks(pid: int) -> int:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(words[11]) + int(words[12])
