"""docs/quickstart.md, typed as it stands: the page's files are saved, its commands run, its promise is kept.

Not typed: `make cluster-up`, since the cluster is up. It lies beside the chart and not among the scenarios,
whose operator runs all the time: the page installs its own.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from e2e.chart.gated import by_the_chart
from e2e.chart.helm import RELEASE, ROOT
from e2e.chart.shell import Shell
from e2e.cluster.kubectl import get
from e2e.cluster.progress import say
from e2e.cluster.state import Cluster
from e2e.operator_host import install
from e2e.shop import sweep
from tests.unit.docs.pages import files, snippets

pytestmark = pytest.mark.cluster

PAGE = "docs/quickstart.md"
NAMESPACE = "shop"
LOAD = "load-checkout.shop.test"
NOT_TYPED = "make cluster-up\n"
REVERTED = 1


@pytest.fixture
def empty(cluster: Cluster) -> Iterator[Cluster]:
    """The cluster as it is before anybody installed the operator, and as it was found again after."""
    # Roles and policies applied by hand are in the way of a plain install: a release takes them along.
    operator = by_the_chart(cluster)
    sweep(cluster, NAMESPACE)
    operator.stop()
    yield cluster
    cluster.programs.stop([LOAD], 15)
    sweep(cluster, NAMESPACE)
    install(cluster)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    (tmp_path / "charts").symlink_to(ROOT / "charts")
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    for name, text in files(PAGE).items():
        (tmp_path / name).write_text(text)
    return Shell(tmp_path)


def test_the_page_leads_from_an_empty_cluster_to_two_gated_releases(empty: Cluster, shell: Shell) -> None:
    typed = [snippet.text.removeprefix(NOT_TYPED) for snippet in snippets(PAGE) if snippet.language == "sh"]
    *before, last = typed
    ends = [shell.type(commands) for commands in before]
    slow = next(at for at, commands in enumerate(before) if "LATENCY_FACTOR=" in commands)
    assert ends == [REVERTED if at == slow else 0 for at in range(len(before))]

    installed = moment(get(empty, "-n", RELEASE, "deployment", RELEASE)["metadata"]["creationTimestamp"])
    first, second = sorted(
        get(empty, "-n", NAMESPACE, "rolloutrecords")["items"], key=lambda r: r["metadata"]["name"]
    )
    assert [record["status"]["release"]["outcome"] for record in (first, second)] == ["Reverted", "Promoted"]
    for record in (first, second):
        minutes = (ended(record) - installed) / 60
        say(f"{record['metadata']['name']} ended {minutes:.1f} min after the install")
    assert versions(empty) == {"v2"}

    assert shell.type(last) == 0
    assert not get(empty, "-n", RELEASE, "deployments")["items"]


def moment(written: str) -> float:
    return datetime.fromisoformat(written).timestamp()


def ended(record: dict[str, Any]) -> float:
    """When the last decision of a release was taken."""
    return float(record["status"]["decisions"][-1]["time"])


def versions(cluster: Cluster) -> set[str]:
    pods = get(cluster, "-n", NAMESPACE, "pods", "-l", "app=checkout")["items"]
    alive = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
    return {
        env["value"]
        for pod in alive
        for env in pod["spec"]["containers"][0]["env"]
        if env["name"] == "VERSION"
    }
