"""The arithmetic of one rule: shares are exact, and home is where it began."""

from copy import deepcopy

from hypothesis import given
from hypothesis import strategies as st

from causal_rollouts.adapters.backends import MOST, change, home_weight, rules_to, weights_in
from causal_rollouts.model.traffic import HOME, WHOLE, Weights
from e2e.embedded.patches import json_patch

OTHERS = st.lists(st.integers(0, 1000), max_size=4)


@st.composite
def weights(draw):
    canary = draw(st.integers(0, 700))
    return Weights(canary, draw(st.integers(0, 1000 - canary)))


@st.composite
def routes(draw, *, listed):
    own = draw(st.integers(1, 1000))
    backends = [{"name": f"other-{i}", "port": 80, "weight": w} for i, w in enumerate(draw(OTHERS))]
    ours = [{"name": "web", "port": 80, "weight": own}]
    if listed:
        ours += [{"name": f"web-{arm}", "port": 80, "weight": 0} for arm in ("canary", "baseline")]
    for backend in ours:
        backends.insert(draw(st.integers(0, len(backends))), backend)
    return {"spec": {"rules": [{"backendRefs": backends}]}}


def moved(route, weights, *, inject):
    [rule] = rules_to(route, "web")
    return json_patch(route, change(rule, "web", weights, inject=inject))


def shares(route):
    backends = route["spec"]["rules"][0]["backendRefs"]
    whole = sum(b["weight"] for b in backends)
    return {b["name"]: b["weight"] / whole for b in backends}


@given(routes(listed=False), st.lists(weights(), max_size=4))
def test_injected_arms_leave_no_trace_whatever_happened_between(route, steps):
    before = deepcopy(route)
    for step in [*steps, HOME]:
        route = moved(route, step, inject=True)
    assert route == before


@given(routes(listed=True), st.lists(weights(), max_size=4))
def test_listed_arms_come_home_to_the_integers_of_git(route, steps):
    before = deepcopy(route)
    for step in [*steps, HOME]:
        route = moved(route, step, inject=False)
    assert route == before


@given(routes(listed=True), weights(), st.lists(st.integers(1, 10**6), min_size=3, max_size=3), weights())
def test_whatever_a_hand_writes_the_arms_come_home(route, first, by_hand, second):
    before = deepcopy(route)
    [rule] = rules_to(route, "web")
    noted = home_weight(rule)
    route = moved(route, first, inject=False)
    ours = [b for b in route["spec"]["rules"][0]["backendRefs"] if b["name"].startswith("web")]
    for backend, weight in zip(ours, by_hand, strict=True):
        backend["weight"] = weight
    for step in (second, HOME):
        [rule] = rules_to(route, "web")
        assert home_weight(rule, noted) == noted
        route = json_patch(route, change(rule, "web", step, inject=False, noted=noted))
        assert weights_in(*rules_to(route, "web")) == step
    assert route == before


@given(routes(listed=False), weights())
def test_the_arms_take_their_share_of_the_service_and_nothing_of_others(route, wanted):
    before = shares(route)
    after_route = moved(route, wanted, inject=True)
    after = shares(after_route)
    own = before["web"]
    assert abs(after["web"] - own * wanted.stable / WHOLE) < 1e-12
    assert abs(after.get("web-canary", 0) - own * wanted.canary / WHOLE) < 1e-12
    assert abs(after.get("web-baseline", 0) - own * wanted.baseline / WHOLE) < 1e-12
    for name, share in before.items():
        if name != "web":
            assert abs(after[name] - share) < 1e-12
    [rule] = rules_to(after_route, "web")
    assert weights_in(rule) == wanted
    assert all(0 <= b["weight"] <= MOST for b in rule.backends)


@given(routes(listed=True), weights())
def test_weights_that_stand_need_no_patch(route, wanted):
    [rule] = rules_to(moved(route, wanted, inject=False), "web")
    assert change(rule, "web", wanted, inject=False) == []


def test_every_touched_backend_is_tested_by_name():
    [rule] = rules_to({"spec": {"rules": [{"backendRefs": [{"name": "web", "weight": 1}]}]}}, "web")
    ops = change(rule, "web", Weights(50, 100), inject=True)
    assert ops[0] == {"op": "test", "path": "/spec/rules/0/backendRefs/0/name", "value": "web"}


def test_a_weight_that_nobody_wrote_is_one():
    [rule] = rules_to({"spec": {"rules": [{"backendRefs": [{"name": "web"}]}]}}, "web")
    assert rule.total == 1


def test_rules_of_other_services_namespaces_and_kinds_are_left_alone():
    backends = [
        [{"name": "other"}],
        [{"name": "web", "namespace": "else"}],
        [{"name": "web", "kind": "Bucket", "group": "example.com"}],
        [{"name": "web", "weight": 0}],
        [],
    ]
    route = {"spec": {"rules": [{"backendRefs": b} for b in backends] + [{"filters": []}]}}
    assert rules_to(route, "web") == ()
