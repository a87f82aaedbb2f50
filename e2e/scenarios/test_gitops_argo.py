"""Argo CD syncs a real repository: a commit asks, the gate decides, `git revert` goes back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from e2e.cluster import parts
from e2e.cluster.kubectl import Manifest, get
from e2e.cluster.state import Cluster
from e2e.gitops import argo
from e2e.gitops.argo import NAMESPACE
from e2e.gitops.ground import standing
from e2e.gitops.shop import GitShop
from e2e.gitops.story import Story
from e2e.ground import Ground
from e2e.operator_host import OperatorProcess

pytestmark = [pytest.mark.cluster, pytest.mark.order(61)]

FOLDER = Path(argo.__file__).parent / "health"
TESTS = yaml.safe_load((FOLDER / "health_test.yaml").read_text())["tests"]
"""In the format of Argo CD's own repository, beside a script of its own."""


@pytest.fixture(scope="module")
def shop(made: Ground[OperatorProcess]) -> Iterator[GitShop]:
    with standing(made, "argo", "invoices", "shop", {}, longest=3600) as shop:
        yield shop


@pytest.mark.parametrize("test", TESTS, ids=lambda test: Path(test["inputPath"]).stem)
def test_the_lua_of_the_page_on_a_status_of_each_phase(
    test: Manifest, cluster: Cluster, tmp_path: Path
) -> None:
    parts.ensure(argo.PARTS, cluster.places)
    rollout = yaml.safe_load((FOLDER / test["inputPath"]).read_text())
    wanted = test["healthStatus"]
    assert argo.assess(cluster, rollout, tmp_path) == (wanted["status"], wanted["message"])


class TestArgo(Story):
    def degraded(self, shop: GitShop, release: str, told: str) -> None:
        """The Lua of the page tells release and reason, the Application the commit."""
        assert told.startswith(f"Reverted: {release}: ")
        assert "latency" in told
        application = get(shop.look.cluster, "-n", NAMESPACE, "application", "invoices")
        assert application["status"]["sync"]["revision"] == shop.repository.head()
