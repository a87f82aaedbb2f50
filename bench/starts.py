"""How long people wait for the first letter, and a cluster for its operator."""

from __future__ import annotations

import subprocess
import sys

from bench import clock

MEMORY = """
import causal_rollouts.runtime.app
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS:")))
"""


def report() -> None:
    bare = clock.of_process(["-c", "pass"], 5)
    asked = clock.of_process(["-m", "causal_rollouts.cli.main", "replay", "--help"], 5)
    operator = clock.of_process(["-c", "import causal_rollouts.runtime.app"], 5)
    libraries = clock.of_process(["-c", "import kopf, kubernetes.aio.client, scipy.special"], 5)
    ran = subprocess.run(
        [sys.executable, "-c", MEMORY], check=True, stdout=subprocess.PIPE, text=True, timeout=300
    )
    print("start-up, fastest of five processes")
    for what, figure, budget in (
        ("python itself", bare, ""),
        ("replay --help", asked, "budget 500 ms"),
        ("import of the operator", operator, "budget 1000 ms"),
        ("  its libraries alone", libraries, ""),
    ):
        ratio = f"{figure.wall / bare.wall:.1f} x python"
        print(f"  {what:<28} {clock.ms(figure.wall):>10} wall  {clock.ms(figure.cpu)} CPU  {ratio}  {budget}")
    print(f"  memory of the operator       {int(ran.stdout) / 1024:>7.0f} MiB        budget 150 MiB idle")
