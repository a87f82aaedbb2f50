"""What the API server itself lists for the operator's ServiceAccount: the golden list and not a verb more."""

import json
from dataclasses import replace

import pytest

from e2e.api.asking import ask
from e2e.cluster import access
from e2e.cluster.state import Cluster
from tests.unit.api.roles import GRANTED

pytestmark = pytest.mark.cluster

Rights = dict[tuple[str, str], set[str]]


def rights(cluster: Cluster) -> Rights:
    """All that this user may do in one namespace, by group and resource."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": "default"},
    }
    answer = ask(cluster, "create", "--validate=false", "-f", "-", "-o", "json", obj=review)
    assert answer.ok, answer.said
    status = json.loads(answer.out)["status"]
    assert not status["incomplete"], "this authorizer cannot list rights"
    found: Rights = {}
    for rule in status["resourceRules"]:
        for group in rule.get("apiGroups", [""]):
            for resource in rule["resources"]:
                name = resource if not rule.get("resourceNames") else f"{resource}:{rule['resourceNames']}"
                found.setdefault((group, name), set()).update(rule["verbs"])
    return found


def test_the_server_lists_the_golden_rights_and_no_more(
    installed: Cluster, operator_account: Cluster, namespace: str
) -> None:
    nobody = rights(replace(installed, kubeconfig=access.operator_kubeconfig(installed, namespace, "nobody")))
    extra = {
        what: verbs - nobody.get(what, set())
        for what, verbs in rights(operator_account).items()
        if verbs - nobody.get(what, set())
    }
    assert extra == GRANTED
    assert not [what for what in extra if "*" in what or "secrets" in what[1] or "*" in extra[what]]
