from typing import Any

import yaml

from e2e.api.manifests import ROOT
from tests.unit.api.roles import GRANTED

OBJECTS: list[dict[str, Any]] = [
    obj for path in sorted((ROOT / "config").glob("*.yaml")) for obj in yaml.safe_load_all(path.read_text())
]
OPERATOR = "system:serviceaccount:causal-rollouts:operator"


def find(kind: str, name: str) -> dict[str, Any]:
    (found,) = (o for o in OBJECTS if o["kind"] == kind and o["metadata"]["name"] == name)
    return found


def test_the_role_grants_exactly_what_is_listed():
    granted: dict[tuple[str, str], set[str]] = {}
    for rule in find("ClusterRole", "causal-rollouts-operator")["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                granted.setdefault((group, resource), set()).update(rule["verbs"])
    assert granted == GRANTED


def test_leases_are_granted_in_the_operators_namespace_only_and_one_by_name():
    role, binding = (find(kind, "causal-rollouts-election") for kind in ("Role", "RoleBinding"))
    assert role["rules"] == [
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
        {
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "resourceNames": ["causal-rollouts-operator"],
            "verbs": ["get", "patch"],
        },
    ]
    assert binding["subjects"] == find("ClusterRoleBinding", "causal-rollouts-operator")["subjects"]
    (subject,) = binding["subjects"]
    assert {role["metadata"]["namespace"], binding["metadata"]["namespace"]} == {subject["namespace"]}


def test_the_gate_knows_the_account_that_the_role_is_bound_to():
    (subject,) = find("ClusterRoleBinding", "causal-rollouts-operator")["subjects"]
    account = find("ServiceAccount", "operator")["metadata"]
    assert (subject["namespace"], subject["name"]) == (account["namespace"], account["name"])
    assert f"system:serviceaccount:{account['namespace']}:{account['name']}" == OPERATOR
    policy = find("MutatingAdmissionPolicy", "gate.causalrollouts.dev")["spec"]
    assert policy["matchConditions"][0]["expression"] == f"request.userInfo.username != '{OPERATOR}'"


def test_the_gate_fails_closed_and_telling_people_fails_open():
    assert find("MutatingAdmissionPolicy", "gate.causalrollouts.dev")["spec"]["failurePolicy"] == "Fail"
    assert find("ValidatingAdmissionPolicy", "ledger.causalrollouts.dev")["spec"]["failurePolicy"] == "Fail"
    assert find("ValidatingAdmissionPolicy", "tell.causalrollouts.dev")["spec"]["failurePolicy"] == "Ignore"


def test_every_policy_is_bound():
    for kind in ("MutatingAdmissionPolicy", "ValidatingAdmissionPolicy"):
        policies = {o["metadata"]["name"] for o in OBJECTS if o["kind"] == kind}
        bound = {o["spec"]["policyName"] for o in OBJECTS if o["kind"] == f"{kind}Binding"}
        assert policies == bound


def test_the_gate_selects_by_label_and_lets_creation_pass():
    spec = find("MutatingAdmissionPolicy", "gate.causalrollouts.dev")["spec"]["matchConstraints"]
    assert spec["objectSelector"] == {"matchLabels": {"causalrollouts.dev/gate": "enabled"}}
    assert [rule["operations"] for rule in spec["resourceRules"]] == [["UPDATE"]]
