"""`python -m e2e.chart [--package | --tools | --local FILE] [FOLDER]`: renders the chart, or readies it."""

import argparse
import sys
from pathlib import Path

import yaml

from e2e.chart import operator_pod, plain
from e2e.chart.helm import CHART, ROOT, helm, program
from e2e.cluster import parts, state
from e2e.cluster.progress import say
from e2e.cluster.trouble import ClusterTrouble

TESTERS = (
    (parts.PROMETHEUS, "promtool"),
    (parts.HELM_UNITTEST, "helm-unittest"),
    (parts.KUBECONFORM, "kubeconform"),
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m e2e.chart", description="Renders what the chart says.")
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "dist", help="of install.yaml (dist/)")
    parser.add_argument("--package", action="store_true", help="the chart as one archive, too")
    parser.add_argument("--tools", action="store_true", help="only build what tests of the chart run")
    parser.add_argument(
        "--local",
        type=Path,
        metavar="FILE",
        help="build Helm and the image, put that on a node of the local cluster, and write values for it",
    )
    asked = parser.parse_args()
    try:
        if asked.tools:
            program()
            for part, name in TESTERS:
                program(part, name)
            return 0
        if asked.local:
            program()
            asked.local.write_text(yaml.safe_dump(operator_pod.settings(state.load())))
            say(f"wrote {asked.local}")
            return 0
        plain.write(asked.folder)
        if asked.package:
            helm("package", CHART, "--destination", asked.folder)
    except ClusterTrouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    print(f"rendered dashboards, config/ and {asked.folder / 'install.yaml'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
