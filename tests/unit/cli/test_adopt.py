"""`adopt`: the right lines in the right order, and nothing written."""

import pytest
import yaml

from causal_rollouts.adapters.kube import (
    ARM_LABEL,
    DEPLOYMENT,
    GATE_LABEL,
    GRPC_ROUTE,
    HTTP_ROUTE,
    POD,
    POLICY,
    ROLLOUT,
    SERVICE,
    STATEFUL_SET,
)
from causal_rollouts.api.resolve import resolve
from causal_rollouts.cli.exits import Exit
from causal_rollouts.model.bins import Grid
from e2e.embedded import shop
from e2e.embedded.apiserver import OPERATOR
from e2e.embedded.shop import service
from tests.unit.cli.town import NAME

LINE = "causalrollouts.dev/arm: stable"


def strange(moments):
    """A Deployment that never heard of us."""
    town = moments.town("at rest")
    for kind in (ROLLOUT, POLICY):
        town.api.objects.pop(kind.plural, None)
    town.change(DEPLOYMENT, NAME, _forget, OPERATOR)
    town.change(SERVICE, NAME, lambda s: s["spec"]["selector"].pop(ARM_LABEL))
    for named in (f"{NAME}-canary", f"{NAME}-baseline"):
        town.api.forget(SERVICE, town.api.find(SERVICE, town.namespace, named))
    for pod in list(town.api.stored(POD, town.namespace)):
        bare = {**pod["metadata"], "labels": {"app": NAME}}
        town.api.change(POD, pod, {**pod, "metadata": bare})
    return town


def _forget(deployment):
    del deployment["spec"]["template"]["metadata"]["labels"][ARM_LABEL]
    del deployment["metadata"]["labels"][GATE_LABEL]


def label_pods(town, count=None):
    for pod in town.api.stored(POD, town.namespace)[:count]:
        meta = {**pod["metadata"], "labels": {**pod["metadata"]["labels"], ARM_LABEL: "stable"}}
        town.api.change(POD, pod, {**pod, "metadata": meta})


def states(town, capsys, *words):
    found = town.run(capsys, "adopt", NAME, *words, "-o", "json")
    return found.code, [step["state"] for step in found.json["steps"]]


def label_template(deployment):
    deployment["spec"]["template"]["metadata"]["labels"][ARM_LABEL] = "stable"


def label_selector(found):
    found["spec"]["selector"][ARM_LABEL] = "stable"


def test_a_target_under_the_gate_lacks_nothing(moments, capsys):
    found = moments.town("observing").run(capsys, "adopt", NAME)
    assert found.code == 0
    assert "Nothing is missing." in found.out


def test_the_steps_come_one_after_the_other(moments, capsys):
    town = strange(moments)
    assert states(town, capsys) == (1, ["add", "later", "later", "later"])
    town.change(DEPLOYMENT, NAME, label_template)
    label_pods(town, 3)
    assert states(town, capsys) == (1, ["there", "later", "later", "later"])
    assert "3 of 6 pods lack the label" in town.run(capsys, "adopt", NAME).out
    label_pods(town)
    assert states(town, capsys) == (1, ["there", "add", "later", "later"])
    town.change(SERVICE, NAME, label_selector)
    assert states(town, capsys) == (1, ["there", "there", "add", "add"])


def test_what_it_prints_is_what_the_operator_takes(moments, capsys):
    town = strange(moments)
    steps = town.run(capsys, "adopt", NAME, "-o", "json").json["steps"]
    template, selector, gate, rollout = (yaml.safe_load(step["yaml"]) for step in steps)
    label = {ARM_LABEL: "stable"}
    assert template == {"spec": {"template": {"metadata": {"labels": label}}}}
    assert selector == {"spec": {"selector": label}}
    assert gate == {"metadata": {"labels": {GATE_LABEL: "enabled"}}}
    found = resolve(
        rollout["spec"], None, namespace="shop", release="x-1", seed=1, grid=Grid(10.0, 11.0, 5.0)
    )
    assert (found.target, found.traffic.service, found.traffic.routes) == (NAME, NAME, (("HTTPRoute", NAME),))
    assert len(steps[3]["yaml"].splitlines()) <= 12


def test_it_never_writes(moments, capsys):
    town = strange(moments)
    town.run(capsys, "adopt", NAME)
    assert town.seen == []


def test_a_selector_ahead_of_the_template_is_told_to_be_taken_out(moments, capsys):
    town = strange(moments)
    town.change(SERVICE, NAME, label_selector)
    assert states(town, capsys) == (1, ["add", "wrong", "later", "later"])
    assert "take this line out" in town.run(capsys, "adopt", NAME).out


def test_a_gate_that_came_too_early_is_told(moments, capsys):
    town = strange(moments)
    town.change(DEPLOYMENT, NAME, lambda d: d["metadata"]["labels"].update({GATE_LABEL: "enabled"}))
    assert states(town, capsys) == (1, ["add", "later", "there", "later"])


def test_the_only_policy_is_referred_to(moments, capsys):
    town = strange(moments)
    assert "policyRef" not in town.run(capsys, "adopt", NAME).out
    town.api.add(POLICY, "", {"metadata": {"name": "house"}, "spec": {}})
    assert "policyRef: {name: house}" in town.run(capsys, "adopt", NAME).out


def test_of_several_services_the_one_with_a_route_is_taken(moments, capsys):
    town = strange(moments)
    town.api.add(SERVICE, town.namespace, {**service(NAME), "metadata": {"name": "headless"}})
    assert town.run(capsys, "adopt", NAME, "-o", "json").json["service"] == NAME
    town.api.forget(HTTP_ROUTE, town.api.find(HTTP_ROUTE, town.namespace, NAME))
    label_template_and_ask = town.run(capsys, "adopt", NAME)
    assert label_template_and_ask.code == Exit.USAGE
    assert "checkout, headless" in label_template_and_ask.err
    assert "--service" in label_template_and_ask.err
    found = town.run(capsys, "adopt", NAME, "--service", NAME)
    assert found.code == 1
    assert "no route: the number of pods makes the share (podShare)" in found.out


def without_route(moments):
    town = strange(moments)
    town.api.forget(HTTP_ROUTE, town.api.find(HTTP_ROUTE, town.namespace, NAME))
    return town


def test_a_service_without_a_route_needs_no_arm_in_git(moments, capsys):
    town = without_route(moments)
    assert states(town, capsys) == (1, ["there", "add", "add"])
    rollout = yaml.safe_load(town.run(capsys, "adopt", NAME, "-o", "json").json["steps"][2]["yaml"])
    assert rollout["spec"]["traffic"] == {"service": NAME, "podShare": {}}
    found = resolve(
        rollout["spec"], None, namespace="shop", release="x-1", seed=1, grid=Grid(10.0, 11.0, 5.0)
    )
    assert found.traffic.pod_share


def test_a_service_without_a_route_that_keeps_the_arms_out_is_mended_first(moments, capsys):
    town = without_route(moments)
    town.change(SERVICE, NAME, label_selector)
    assert states(town, capsys) == (1, ["wrong", "later", "later"])
    assert "take this line out" in town.run(capsys, "adopt", NAME).out


def test_a_service_behind_a_grpc_route_gets_lines_that_name_it(moments, capsys):
    town = strange(moments)
    town.api.add(GRPC_ROUTE, town.namespace, shop.route(NAME, kind=GRPC_ROUTE))
    both = town.run(capsys, "adopt", NAME)
    assert f'HTTPRoute "{NAME}", GRPCRoute "{NAME}"' in both.out
    town.api.forget(HTTP_ROUTE, town.api.find(HTTP_ROUTE, town.namespace, NAME))
    found = town.run(capsys, "adopt", NAME, "-o", "json").json
    assert found["routes"] == [{"kind": "GRPCRoute", "name": NAME}]
    assert found["problems"] == []
    traffic = yaml.safe_load(found["steps"][3]["yaml"])["spec"]["traffic"]
    assert traffic == {"service": NAME, "grpcRoutes": [{"name": NAME}]}


def test_what_cannot_be_gated_is_said_first(moments, capsys):
    town = strange(moments)
    town.change(DEPLOYMENT, NAME, lambda d: d["spec"].update(strategy={"type": "Recreate"}))
    found = town.run(capsys, "adopt", NAME)
    assert "To be mended first:" in found.out
    assert "spec.strategy.type: Recreate" in found.out
    assert found.code == 1


@pytest.mark.parametrize(("name", "says"), [("cart", "there are: checkout"), ("db", '"db" is a StatefulSet')])
def test_a_deployment_that_is_not_there(moments, capsys, name, says):
    town = strange(moments)
    town.api.add(STATEFUL_SET, town.namespace, {"metadata": {"name": "db"}, "spec": {}})
    found = town.run(capsys, "adopt", name)
    assert found.code == Exit.USAGE
    assert says in found.err


def test_no_service_at_all(moments, capsys):
    town = strange(moments)
    town.api.forget(SERVICE, town.api.find(SERVICE, town.namespace, NAME))
    found = town.run(capsys, "adopt", NAME)
    assert found.code == 1
    assert "no Service" in found.err
