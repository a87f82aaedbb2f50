import dataclasses
import json

import pytest

from causal_rollouts.adapters.room import nodes_for
from e2e.demo import manifests
from e2e.demo.manifests import ARM, GATE, App, RouteForm
from e2e.demo.noise_settings import QUIET, USUAL
from e2e.demo.versions import VERSIONS

APP = App("localhost/causal-rollouts-demo:abc", world_url="http://10.244.0.1:18900/")


def container(version, app=APP, arm="stable"):
    return manifests.deployment(app, VERSIONS[version], arm)["spec"]["template"]["spec"]["containers"][0]


def environment(version, app=APP, arm="stable"):
    return {entry["name"]: entry.get("value") for entry in container(version, app, arm)["env"]}


def test_each_version_is_another_template_of_the_same_image():
    templates = {json.dumps(manifests.deployment(APP, v)["spec"]["template"]) for v in VERSIONS.values()}
    assert len(templates) == len(VERSIONS) == 9
    assert {container(name)["image"] for name in VERSIONS} == {APP.image}


def test_rendering_twice_gives_the_same_template():
    # Else applying the demo again would ask for a release.
    once, twice = (manifests.deployment(APP, VERSIONS["v1"]) for _ in range(2))
    assert json.dumps(once) == json.dumps(twice)


def test_only_the_harmful_versions_differ_from_v1_in_more_than_their_name():
    stable = environment("v1")
    changed = {name: set(environment(name).items()) - set(stable.items()) for name in VERSIONS}
    assert changed["v2"] == {("VERSION", "v2")}
    assert changed["v6"] == {("VERSION", "v6")}
    assert changed["v3"] == {("VERSION", "v3"), ("LATENCY_FACTOR", "1.6")}
    assert changed["v4"] == {("VERSION", "v4"), ("ERROR_SHARE", "0.05")}
    assert changed["v5"] == {("VERSION", "v5"), ("CRASH_AFTER", "15")}


def test_the_stable_arm_is_labelled_for_the_gate_and_selected_by_its_service():
    target = manifests.deployment(APP, VERSIONS["v1"])
    template = target["spec"]["template"]["metadata"]
    assert target["metadata"]["labels"][GATE] == "enabled"
    assert target["spec"]["selector"]["matchLabels"] == {"app": "checkout"}
    assert manifests.service(APP)["spec"]["selector"] == template["labels"]
    assert template["annotations"]["prometheus.io/scrape"] == "true"


def test_workers_need_no_arm_label_and_their_arms_have_it_all_the_same():
    workers = dataclasses.replace(APP, labelled=False)
    target = manifests.deployment(workers, VERSIONS["v1"])["spec"]
    assert (
        target["template"]["metadata"]["labels"] == target["selector"]["matchLabels"] == {"app": "checkout"}
    )
    (spread,) = target["template"]["spec"]["topologySpreadConstraints"]
    assert spread["labelSelector"]["matchLabels"] == {"app": "checkout"}
    assert workers.labels("canary") == APP.labels("canary") == {"app": "checkout", ARM: "canary"}
    for labels, arm in (({}, "stable"), ({ARM: "stable"}, "stable"), ({ARM: "baseline"}, "baseline")):
        assert manifests.arm_of({"metadata": {"labels": labels}}) == arm


def test_a_hand_made_arm_is_neither_gated_nor_taken_for_stable():
    canary = manifests.deployment(APP, VERSIONS["v2"], "canary", 3)
    assert canary["metadata"]["name"] == "checkout-canary"
    assert GATE not in canary["metadata"]["labels"]
    assert canary["spec"]["replicas"] == 3
    assert canary["spec"]["selector"] != manifests.deployment(APP, VERSIONS["v1"])["spec"]["selector"]
    assert manifests.service(APP, "canary")["spec"]["selector"][ARM] == "canary"


def test_a_pod_knows_its_name_node_and_arm():
    told = {
        e["name"]: e["valueFrom"]["fieldRef"]["fieldPath"] for e in container("v1")["env"] if "valueFrom" in e
    }
    assert told == {
        "POD_NAME": "metadata.name",
        "NODE_NAME": "spec.nodeName",
        "ARM": "metadata.labels['causalrollouts.dev/arm']",
    }


def test_a_pod_is_ready_soon_and_spread_over_nodes():
    pod = manifests.deployment(APP, VERSIONS["v1"])["spec"]["template"]["spec"]
    assert pod["containers"][0]["readinessProbe"]["periodSeconds"] == 1
    assert pod["containers"][0]["imagePullPolicy"] == "Never"
    assert pod["topologySpreadConstraints"][0]["topologyKey"] == "kubernetes.io/hostname"
    assert "limits" not in pod["containers"][0]["resources"]


def test_a_memory_limit_a_backend_and_other_harm_can_be_asked_for():
    app = App("i", memory_limit="64Mi", extra={"BACKEND_URL": "http://backend/"})
    leaking = VERSIONS["v2"].harm(LEAK_MB_PER_MIN=40, ONSET=60)
    rendered = manifests.deployment(app, leaking)["spec"]["template"]["spec"]["containers"][0]
    values = {entry["name"]: entry.get("value") for entry in rendered["env"]}
    assert rendered["resources"]["limits"] == {"memory": "64Mi"}
    assert (values["BACKEND_URL"], values["LEAK_MB_PER_MIN"], values["ONSET"]) == (
        "http://backend/",
        "40",
        "60",
    )
    assert "WORLD_URL" not in values
    assert VERSIONS["v2"].env == {}


def test_the_weights_form_lists_all_arms_and_sums_to_a_thousand():
    (rule,) = manifests.http_route(APP, canary=100, baseline=150)["spec"]["rules"]
    weights = {ref["name"]: ref["weight"] for ref in rule["backendRefs"]}
    assert weights == {"checkout": 750, "checkout-canary": 100, "checkout-baseline": 150}


def test_the_inject_form_leaves_the_arms_to_the_operator():
    route = manifests.http_route(APP, RouteForm.INJECT)["spec"]
    assert [ref["name"] for ref in route["rules"][0]["backendRefs"]] == ["checkout"]
    assert route["hostnames"] == ["checkout.shop.test"]
    assert route["parentRefs"] == [{"name": "edge", "namespace": "edge"}]
    with pytest.raises(ValueError, match="Inject"):
        manifests.http_route(APP, RouteForm.INJECT, canary=10)


@pytest.mark.parametrize(("canary", "baseline"), [(-1, 0), (600, 600)])
def test_weights_that_do_not_fit_are_refused(canary, baseline):
    with pytest.raises(ValueError, match="fit together"):
        manifests.http_route(APP, canary=canary, baseline=baseline)


def test_every_noise_setting_reaches_the_pod_and_is_told_to_the_reader():
    values = environment("v1")
    assert USUAL.env().items() <= values.items()
    told = "\n".join(USUAL.lines())
    for setting in ("3.0%", "6.0%", "60 s", "1.5 times", "0.6 an hour", "0.50%"):
        assert setting in told


def test_quiet_means_no_noise_at_all():
    assert {name: value for name, value in QUIET.env().items() if name.endswith("_SD")} == {
        "POD_SD": "0",
        "NODE_SD": "0",
        "DRIFT_SD": "0",
        "WOBBLE_SD": "0",
        "ERROR_WOBBLE_SD": "0",
    }
    assert QUIET.env()["COLD_FACTOR"] == QUIET.env()["BURST_FACTOR"] == "1"


def test_stable_pods_and_arms_keep_off_the_node_that_the_operator_stands_on():
    ready = [{"type": "Ready", "status": "True"}]
    found = [
        {
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
            "status": {"conditions": ready},
        }
        for name in ("node1", "node5")
    ]
    app = dataclasses.replace(APP, avoid="node5")
    template = manifests.deployment(app, VERSIONS["v1"])["spec"]["template"]
    assert {node.name: node.schedulable for node in nodes_for(template, found)} == {
        "node1": True,
        "node5": False,
    }
    assert "affinity" not in manifests.deployment(APP, VERSIONS["v1"])["spec"]["template"]["spec"]
