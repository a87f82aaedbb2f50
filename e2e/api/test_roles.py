import json
from collections.abc import Iterable

import pytest

from e2e.cluster.kubectl import kubectl
from e2e.cluster.state import Cluster
from tests.unit.api.roles import GRANTED

pytestmark = pytest.mark.cluster

Asked = tuple[str, str, str]
OPERATOR = "system:serviceaccount:causal-rollouts:operator"

FORBIDDEN: tuple[Asked, ...] = (
    ("get", "", "secrets"),
    ("list", "", "configmaps"),
    ("create", "", "pods"),
    ("patch", "", "pods"),
    ("create", "", "pods/exec"),
    ("create", "apps", "deployments"),
    ("delete", "apps", "deployments"),
    ("update", "apps", "deployments"),
    ("patch", "apps", "replicasets"),
    ("create", "gateway.networking.k8s.io", "httproutes"),
    ("delete", "gateway.networking.k8s.io", "httproutes"),
    ("create", "causalrollouts.dev", "causalrollouts"),
    ("delete", "causalrollouts.dev", "causalrollouts"),
    ("patch", "causalrollouts.dev", "rolloutpolicies"),
    ("bypass", "causalrollouts.dev", "causalrollouts"),
    ("escalate", "rbac.authorization.k8s.io", "clusterroles"),
    ("impersonate", "", "users"),
    ("patch", "admissionregistration.k8s.io", "mutatingadmissionpolicies"),
)


def refused(cluster: Cluster, asked: Iterable[Asked]) -> list[Asked]:
    """Those that the operator's ServiceAccount may not do."""
    wanted = list(asked)
    reviews = [
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": OPERATOR, "resourceAttributes": _attributes(*one)},
        }
        for one in wanted
    ]
    whole = json.dumps({"apiVersion": "v1", "kind": "List", "items": reviews})
    words = ["create", "-f", "-", "-o", r'jsonpath=allowed={.status.allowed}{"\n"}']
    found = kubectl(cluster, *words, stdin=whole).splitlines()
    return [one for one, said in zip(wanted, found, strict=True) if said != "allowed=true"]


def _attributes(verb: str, group: str, resource: str) -> dict[str, str]:
    name, _, sub = resource.partition("/")
    return {"verb": verb, "group": group, "resource": name, "subresource": sub, "namespace": "default"}


def test_the_operator_may_do_what_it_does_and_nothing_else(installed: Cluster) -> None:
    needed = [(verb, *what) for what, verbs in GRANTED.items() for verb in sorted(verbs)]
    assert refused(installed, needed) == []
    assert refused(installed, FORBIDDEN) == list(FORBIDDEN)


def test_applying_twice_changes_nothing(installed: Cluster) -> None:
    """As a GitOps controller does every few minutes."""

    def versions() -> str:
        words = ["get", "-f", "config", "-f", "crds", "-o", "jsonpath={.items[*].metadata.generation}"]
        return kubectl(installed, *words)

    before = versions()
    kubectl(installed, "apply", "--server-side", "--force-conflicts", "-f", "config", "-f", "crds")
    assert versions() == before
