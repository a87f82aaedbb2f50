"""`python -m e2e.story [--embedded]`: exit 0 only if every outcome was right, 3 if it had to fall back.

It falls back on somebody else's cluster (KUBECONFIG), too: the demo puts images into the nodes and has
pods ask this machine for the incident, and can do neither there.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from causal_rollouts.adapters.record_form import record_of
from causal_rollouts.web.report import page
from e2e.cluster import state
from e2e.cluster.trouble import ClusterTrouble
from e2e.story.chapters import Result, tell
from e2e.story.telling import Teller

OUT = Path(__file__).parent.parent.parent / "demo-out"
NO_CLUSTER = 3
SOMEBODY_ELSES = """
KUBECONFIG names a cluster of your own ({kubeconfig}), and nothing of it is touched: the demo can put
its images into the nodes of a cluster that it made, and nowhere else. To have one made here:
env -u KUBECONFIG make demo. To try the operator on yours: docs/quickstart.md.
Telling the same story on the embedded default instead.
"""


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m e2e.story", description=__doc__)
    parser.add_argument("--embedded", action="store_true", help="over an in-process API, simulated telemetry")
    wanted = parser.parse_args(words)
    if wanted.embedded:
        return _embedded()
    theirs = state.foreign_kubeconfig(os.environ)
    if theirs:
        print(SOMEBODY_ELSES.format(kubeconfig=theirs))
        return _embedded() or NO_CLUSTER
    up = subprocess.run([sys.executable, "-m", "e2e.cluster", "up"], check=False)
    if up.returncode == NO_CLUSTER:
        print("\nNo cluster can be made here; telling the same story on the embedded default instead.\n")
        return _embedded() or NO_CLUSTER
    if up.returncode:
        return up.returncode
    try:
        return _on_cluster()
    except ClusterTrouble as trouble:
        print(f"e2e.story: {trouble}", file=sys.stderr)
        return trouble.status


def _on_cluster() -> int:
    from e2e.story.on_cluster import scene

    teller = Teller()
    with scene(teller) as stage:
        result = tell(stage, teller)
        records = stage.records()
    return _finish(result, teller, records, "on a real cluster")


def _embedded() -> int:
    from e2e.embedded.scene import scene

    with scene() as (stage, teller):
        result = tell(stage, teller)
        records = stage.records()
    return _finish(result, teller, records, "embedded: in-process API, simulated telemetry")


def _finish(result: Result, teller: Teller, records: list[dict[str, Any]], where: str) -> int:
    OUT.mkdir(exist_ok=True)
    report = OUT / "report.html"
    html = page(f"Two releases of checkout, {where}", [record_of(r) for r in records], teller.lines)
    report.write_text(html, encoding="utf-8")
    print(f"\nreport: {report.relative_to(Path.cwd()) if report.is_relative_to(Path.cwd()) else report}")
    for line in result.wrong:
        print(f"WRONG: {line}", file=sys.stderr)
    if not result.wrong:
        print("Every outcome was right: the bad release was reverted, the good one promoted.")
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
