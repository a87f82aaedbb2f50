"""The chart as two judges that others wrote see it: helm-unittest its suites, kubeconform its objects."""

import json
import re
import shutil
from pathlib import Path

import kubernetes_validate
import pytest

from e2e.chart.helm import CHART, MINIMAL, program, template
from e2e.cluster import parts
from e2e.cluster.command import run
from e2e.cluster.trouble import ClusterTrouble
from tests.unit.chart.test_rendering import EVERYTHING

SCHEMAS = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema" / "v1.34.0-local-strict"


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As kubeconform reads them: they name each other by addresses that only their own package knows."""
    folder = tmp_path_factory.mktemp("schemas")
    for path in SCHEMAS.glob("*.json"):
        schema = json.loads(path.read_text().replace('"/api/_definitions.json#', '"_definitions.json#'))
        schema.pop("$id", None)
        (folder / path.name).write_text(json.dumps(schema))
    return folder


def kubeconform(text: str, schemas: Path, folder: Path) -> str:
    rendered = folder / "rendered.yaml"
    rendered.write_text(text)
    where = f"{schemas}/{{{{ .ResourceKind }}}}{{{{ .KindSuffix }}}}.json"
    words = ["-strict", "-summary", "-schema-location", where, rendered]
    return run([program(parts.KUBECONFORM, "kubeconform"), *words])


def test_the_suites_of_the_chart_pass():
    said = run([program(parts.HELM_UNITTEST, "helm-unittest"), CHART])
    passed = re.search(r"^Tests: +(\d+) passed, \1 total$", said, re.MULTILINE)
    assert passed, said
    assert int(passed[1]) >= 20


def test_a_suite_that_finds_a_fault_fails(tmp_path):
    """A copy whose operator may do anything: the runner must say so, not only run."""
    chart = tmp_path / "causal-rollouts"
    shutil.copytree(CHART, chart)
    rights = chart / "templates" / "_rights.tpl"
    rights.write_text(re.sub(r"verbs: \[[^\]]*\]", 'verbs: ["*"]', rights.read_text(), count=1))
    with pytest.raises(ClusterTrouble, match="never a Secret"):
        run([program(parts.HELM_UNITTEST, "helm-unittest"), chart])


@pytest.mark.parametrize("values", [(), EVERYTHING], ids=["default", "everything"])
def test_kubeconform_finds_every_object_valid(values, schemas, tmp_path):
    said = kubeconform(template(*MINIMAL, *values), schemas, tmp_path)
    assert re.search(r"Valid: (\d+), Invalid: 0, Errors: 0, Skipped: 0", said), said


def test_kubeconform_finds_a_field_that_there_is_not(schemas, tmp_path):
    text = template(*MINIMAL).replace("  replicas: 1\n", "  replica: 1\n")
    with pytest.raises(ClusterTrouble, match="replica"):
        kubeconform(text, schemas, tmp_path)
