"""`python -m e2e.chart [--package] [FOLDER]`: config/ and FOLDER/install.yaml, and the chart's archive."""

import argparse
import sys
from pathlib import Path

from e2e.chart import plain
from e2e.chart.helm import CHART, ROOT, helm
from e2e.cluster.trouble import ClusterTrouble


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m e2e.chart", description="Renders what the chart says.")
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "dist", help="of install.yaml (dist/)")
    parser.add_argument("--package", action="store_true", help="the chart as one archive, too")
    asked = parser.parse_args()
    try:
        plain.write(asked.folder)
        if asked.package:
            helm("package", CHART, "--destination", asked.folder)
    except ClusterTrouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    print(f"rendered config/ and {asked.folder / 'install.yaml'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
