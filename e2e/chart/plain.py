"""Plain manifests made from the chart, for those who do not use Helm: config/, and install.yaml of a release.

The chart is the one truth. What only Helm reads (its labels, the name of the template) is left out.
"""

import re
import shutil
from pathlib import Path

from e2e.chart.dashboards import files as dashboards
from e2e.chart.helm import CHART, MINIMAL, RELEASE, ROOT, template

CONFIG = ROOT / "config"
CRDS = ROOT / "crds"
COPIES = CHART / "files" / "crds"
ACCOUNT = "serviceAccount.name=operator"

FILES = {
    "00-namespace.yaml": ("serviceaccount",),
    "10-roles.yaml": ("roles", "election"),
    "20-gate.yaml": ("gate",),
    "30-records.yaml": ("records",),
    "40-people.yaml": ("people",),
}
NAMESPACE = f"""\
apiVersion: v1
kind: Namespace
metadata:
  name: {RELEASE}
---
"""
NOTE = "# Rendered from charts/causal-rollouts by `make manifests`; edit the chart instead.\n"
HELMS_OWN = re.compile(r"^(# Source: .*| *helm\.sh/.*| *app\.kubernetes\.io/managed-by: .*)\n", re.MULTILINE)
ANNOTATIONS_OF_NOTHING = re.compile(r"^ *annotations:\n(?=\S| {0,2}\S)", re.MULTILINE)


def config() -> dict[str, str]:
    """Text of each file of config/: all but the operator itself, which may run anywhere."""
    made = {name: _plain(template(*MINIMAL, ACCOUNT, show=shown)) for name, shown in FILES.items()}
    made["00-namespace.yaml"] = NAMESPACE + made["00-namespace.yaml"]
    return {name: NOTE + text for name, text in made.items()}


def install() -> str:
    """All in one: the kinds, the gate, the roles and the operator, with a Prometheus to be named."""
    return NOTE + NAMESPACE + _plain(template(*MINIMAL, ACCOUNT))


def write(out: Path) -> None:
    """The chart's copy of crds/ and its dashboards, then config/, then install.yaml in the folder `out`."""
    dashboards.write()
    for source in sorted(CRDS.glob("*.yaml")):
        shutil.copyfile(source, COPIES / source.name)
    for name, text in config().items():
        (CONFIG / name).write_text(text)
    out.mkdir(parents=True, exist_ok=True)
    (out / "install.yaml").write_text(install())


def _plain(text: str) -> str:
    text = ANNOTATIONS_OF_NOTHING.sub("", HELMS_OWN.sub("", text))
    return re.sub(r"\n\n+(---\n)?", r"\n\1", text).removeprefix("---\n").rstrip() + "\n"
