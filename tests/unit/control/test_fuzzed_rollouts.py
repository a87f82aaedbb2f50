"""Whatever stands in a CausalRollout or a policy: no pass breaks, no traffic moves, and mending is enough."""

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from causal_rollouts.adapters.kube import HTTP_ROUTE, POLICY, ROLLOUT
from e2e.embedded.world import EmbeddedWorld
from tests.unit.control.scripted import _rested

LEAF = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(["5%", "-1%", "0s", "1e9h", "shop", "5..", "(", "200%", "http://169.254.169.254/"]),
)
TREE = st.recursive(
    LEAF,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=6), inside, max_size=3),
)


@st.composite
def bent(draw: st.DrawFn, spec: Any) -> Any:
    """A valid object with one part, or a few, replaced by anything."""
    made = copy.deepcopy(spec)
    for _ in range(draw(st.integers(1, 3))):
        at = made
        while True:
            keys = list(at) if isinstance(at, dict) else list(range(len(at)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            inner = at[key]
            if not isinstance(inner, dict | list) or not inner or draw(st.booleans()):
                if isinstance(at, dict) and draw(st.booleans()):
                    at[draw(st.text(max_size=6))] = draw(TREE)
                else:
                    at[key] = draw(TREE)
                break
            at = inner
    return made


FULL = {
    "targetRef": {"name": "checkout"},
    "policyRef": {"name": "standard"},
    "traffic": {"service": "checkout", "httpRoutes": [{"name": "checkout"}]},
    "stages": [{"weight": 5, "minDuration": "5m", "maxDuration": "30m"}],
    "metrics": [
        {
            "name": "latency",
            "latency": {"histogram": "h_seconds"},
            "revertAbove": "5%",
            "promoteBelow": "10%",
        },
        {"name": "slow", "slow": {"histogram": "h_seconds", "over": "500ms"}},
        {
            "name": "errors",
            "errors": {"counter": "c_total", "bad": [{"code": "5.."}], "ignore": [{"r": "/h"}]},
        },
        {"name": "restarts", "restarts": {}},
    ],
    "alphaRevert": "0.01",
    "suspend": False,
}
REST = EmbeddedWorld.restored(_rested("0s", HTTP_ROUTE))
GOOD = {kind: copy.deepcopy(REST.api.stored(kind)[0]["spec"]) for kind in (ROLLOUT, POLICY)}


def passes(kind: Any, spec: Any) -> None:
    """Two passes with a spec that no schema has checked; then mended, it is as if nothing had been."""
    world = EmbeddedWorld.restored(_rested("0s", HTTP_ROUTE))
    put(world, kind, spec)
    world.step()
    world.step()
    assert world.weights().canary == 0
    put(world, kind, GOOD[kind])
    world.run(3)
    assert world.condition("Ready")["status"] == "True", world.condition("Ready")


def put(world: EmbeddedWorld, kind: Any, spec: Any) -> None:
    old = world.api.stored(kind)[0]
    world.api.change(kind, old, {**copy.deepcopy(old), "spec": copy.deepcopy(spec)}, "git", manager="git")
    world._due = 0.0


@settings(max_examples=120, deadline=None)
@given(bent(FULL) | bent(GOOD[ROLLOUT]) | st.dictionaries(st.text(max_size=8), TREE, max_size=4))
def test_any_rollout(spec: Any) -> None:
    passes(ROLLOUT, spec)


@settings(max_examples=80, deadline=None)
@given(bent(GOOD[POLICY]) | st.dictionaries(st.text(max_size=8), TREE, max_size=4))
def test_any_policy(spec: Any) -> None:
    passes(POLICY, spec)
