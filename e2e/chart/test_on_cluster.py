"""The operator from its image, under the rights of the chart, in one namespace of a shared cluster."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from e2e import rollouts
from e2e.api.asking import ask
from e2e.chart import operator_pod
from e2e.chart.server import helm_on
from e2e.cluster import state
from e2e.cluster.kubectl import apply, get, kubectl
from e2e.cluster.progress import wait_for
from e2e.cluster.state import Cluster
from e2e.operator_host import install

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def shared() -> Cluster:
    """The cluster that is up; its kinds are left as they are when it has them."""
    found = state.load()
    if not ask(found, "get", "crd", "causalrollouts.causalrollouts.dev").ok:
        install(found)
    return found


@pytest.fixture
def namespace(shared: Cluster) -> Iterator[str]:
    name = f"chart-{uuid.uuid4().hex[:6]}"
    kubectl(shared, "create", "namespace", name)
    yield name
    if name in helm_on(shared, "list", "-n", name, "-q").split():
        helm_on(shared, "uninstall", name, "-n", name)
    kubectl(shared, "delete", "--ignore-not-found", f"rolloutpolicy/{name}")
    kubectl(shared, "delete", "namespace", name, "--wait=false")


def bring(cluster: Cluster, name: str, log_level: str = "INFO") -> None:
    """For one namespace alone, beside whatever else is installed."""
    mine = {"crds": {"enabled": False}, "fullnameOverride": name, "watchNamespaces": [name]}
    said = {"operator": {"logLevel": log_level}}
    operator_pod.bring(cluster, name, {**operator_pod.settings(cluster), **mine, **said})


def pod(cluster: Cluster, name: str) -> str:
    selected = ["-n", name, "pods", "-l", "app.kubernetes.io/name=causal-rollouts"]
    (only,) = (p for p in get(cluster, *selected)["items"] if not p["metadata"].get("deletionTimestamp"))
    return str(only["metadata"]["name"])


def scraped(cluster: Cluster, name: str) -> str:
    return kubectl(
        cluster, "get", "--raw", f"/api/v1/namespaces/{name}/pods/{pod(cluster, name)}:8080/proxy/metrics"
    )


def test_the_image_works_through_a_rollout_with_the_rights_of_one_namespace(
    shared: Cluster, namespace: str
) -> None:
    bring(shared, namespace)
    apply(shared, [policy(namespace), rollout(namespace)])
    mine = f'causal_rollouts_rollout_condition{{namespace="{namespace}"'
    wait_for("the operator to judge the rollout", lambda: mine in scraped(shared, namespace), 60)
    said = kubectl(shared, "-n", namespace, "logs", pod(shared, namespace))
    assert f"watching {namespace}" in said
    assert "orbidden" not in said, "a right is missing"
    assert "Traceback" not in said

    bring(shared, namespace, "DEBUG")
    wait_for("the new pod to judge it too", lambda: mine in scraped(shared, namespace), 60)
    helm_on(shared, "uninstall", namespace, "-n", namespace, "--wait", seconds=operator_pod.LONGEST)
    assert get(shared, "-n", namespace, "causalrollout", "checkout")["spec"]


def policy(name: str) -> dict[str, Any]:
    made = rollouts.policy()
    made["metadata"]["name"] = name
    return made


def rollout(name: str) -> dict[str, Any]:
    """Of a Deployment that is not there: the operator has to say so."""
    return {
        "apiVersion": "causalrollouts.dev/v1alpha1",
        "kind": "CausalRollout",
        "metadata": {"name": "checkout", "namespace": name},
        "spec": {
            "targetRef": {"name": "checkout"},
            "policyRef": {"name": name},
            "traffic": {"service": "checkout", "httpRoutes": [{"name": "checkout"}]},
        },
    }
