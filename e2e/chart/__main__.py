"""`python -m e2e.chart [FOLDER]`: config/ and FOLDER/install.yaml (dist/ by default) from the chart."""

import sys
from pathlib import Path

from e2e.chart import plain
from e2e.chart.helm import ROOT
from e2e.cluster.trouble import ClusterTrouble


def main() -> int:
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist"
    try:
        plain.write(out)
    except ClusterTrouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    print(f"rendered config/ and {out / 'install.yaml'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
