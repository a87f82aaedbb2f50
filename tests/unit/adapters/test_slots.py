"""The pod of a slot is the user's pod: only labels and one wish are ours."""

from causal_rollouts.adapters.slots import slot_set
from causal_rollouts.model.actions import CreateSlot
from causal_rollouts.model.arms import Arm, Slot


def made(template, node="node1", *, gated=False):
    action = CreateSlot(
        slot=Slot(Arm.BASELINE, 2),
        template=template,
        template_hash="abc",
        node=node,
        target="web",
        record="checkout-7",
        record_uid="u",
        gated=gated,
    )
    return slot_set(action)["spec"]["template"]


def test_a_pod_that_waits_for_traffic_keeps_the_users_own_gates():
    own = {"conditionType": "mesh.example/ready"}
    spec = {"containers": [{"name": "web"}], "readinessGates": [own]}
    assert made({"metadata": {}, "spec": spec}, node="")["spec"] == spec
    waits = made({"metadata": {}, "spec": spec}, node="", gated=True)["spec"]
    assert waits["readinessGates"] == [own, {"conditionType": "causalrollouts.dev/traffic"}]
    assert spec["readinessGates"] == [own]


def test_labels_annotations_and_spec_of_the_user_stay():
    template = {
        "metadata": {
            "labels": {"app": "web", "pod-template-hash": "1", "causalrollouts.dev/arm": "stable"},
            "annotations": {"prometheus.io/scrape": "true"},
        },
        "spec": {"containers": [{"name": "web"}], "serviceAccountName": "web"},
    }
    pod = made(template, node="")
    assert pod["metadata"]["labels"] == {
        "app": "web",
        "causalrollouts.dev/arm": "baseline",
        "causalrollouts.dev/rollout": "checkout-7",
        "causalrollouts.dev/slot": "baseline-2",
    }
    assert pod["metadata"]["annotations"] == {"prometheus.io/scrape": "true"}
    assert pod["spec"] == template["spec"]


def test_the_wish_for_a_node_stands_beside_the_users_own_affinity():
    own = {"weight": 5, "preference": {"matchExpressions": []}}
    required = {"nodeSelectorTerms": []}
    affinity = {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": required,
            "preferredDuringSchedulingIgnoredDuringExecution": [own],
        },
        "podAntiAffinity": {"x": 1},
    }
    pod = made({"metadata": {}, "spec": {"affinity": affinity}})
    found = pod["spec"]["affinity"]
    wishes = found["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert wishes[0] == own
    assert (wishes[1]["weight"], wishes[1]["preference"]["matchFields"][0]["values"]) == (100, ["node1"])
    assert found["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] == required
    assert found["podAntiAffinity"] == {"x": 1}
    assert len(affinity["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]) == 1
