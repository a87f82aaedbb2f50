"""The examples for real: taken in, taken in again without a change, and gone when deleted."""

import copy
from pathlib import Path

import pytest

from e2e.api.asking import ask
from e2e.api.manifests import EXAMPLES, Manifest, documents
from e2e.cluster.kubectl import get
from e2e.cluster.state import Cluster

GROUP = "causalrollouts.dev/"

pytestmark = pytest.mark.cluster


def on_trial(obj: Manifest, namespace: str) -> Manifest:
    """The object where it disturbs nobody: policies under a name of the trial's own, targets without pods."""
    found = copy.deepcopy(obj)
    if found["kind"] == "RolloutPolicy":
        found["metadata"]["name"] = f"{namespace}-{found['metadata']['name']}"
        return found
    found["metadata"]["namespace"] = namespace
    if found["kind"] == "Deployment":
        found["spec"]["replicas"] = 0
    if "policyRef" in found["spec"]:
        found["spec"]["policyRef"]["name"] = f"{namespace}-{found['spec']['policyRef']['name']}"
    return found


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_taken_in_twice_and_goes(installed: Cluster, namespace: str, path: Path) -> None:
    objects = [on_trial(obj, namespace) for obj in documents(path)]
    try:
        for obj in objects:
            first = ask(installed, "apply", "-f", "-", obj=obj)
            assert first.ok, first.said
            assert "Warning" not in first.said, first.said
            where = ["-n", namespace, obj["kind"], obj["metadata"]["name"]]
            before = get(installed, *where)
            again = ask(installed, "apply", "-f", "-", obj=obj)
            assert again.ok, again.said
            after = get(installed, *where)
            assert after["spec"] == before["spec"]
            # Not the version: an operator that runs here may have written the status.
            if GROUP in obj["apiVersion"]:
                assert after["metadata"]["generation"] == before["metadata"]["generation"] == 1
            if obj["kind"] == "CausalRollout":
                assert after["spec"] == obj["spec"], "something was pruned or filled in"
    finally:
        gone = [ask(installed, "delete", "-f", "-", "--timeout=20s", obj=obj) for obj in objects]
    assert all(answer.ok for answer in gone), [answer.said for answer in gone]
