"""What a silent policy shows is what holds, and it holds to its own rules."""

from typing import Any

from causal_rollouts.api.defaults import DEFAULTS
from causal_rollouts.api.schema import crds
from causal_rollouts.api.v1alpha1_policy import PolicySpec
from tests.unit.api.schemas import fits
from tests.unit.api.specs import resolved

Node = dict[str, Any]
SPEC: Node = crds()["rolloutpolicies.yaml"]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"][
    "spec"
]


def filled(schema: Node, given: Any) -> Any:
    """As the API server does it: a default enters where a field is absent, then its own parts are filled."""
    if not isinstance(given, dict):
        return given
    for name, inner in schema.get("properties", {}).items():
        if name not in given and "default" in inner:
            given[name] = inner["default"].copy() if isinstance(inner["default"], dict) else inner["default"]
        if name in given:
            given[name] = filled(inner, given[name])
    return given


def test_a_silent_policy_is_filled_with_the_built_in_defaults():
    assert filled(SPEC, {}) == {"defaults": DEFAULTS}


def test_a_policy_that_says_one_part_keeps_the_defaults_of_the_others():
    found = filled(SPEC, {"defaults": {"evidence": {"advance": "2.0"}}})
    assert found["defaults"]["evidence"] == {**DEFAULTS["evidence"], "advance": "2.0"}  # type: ignore[dict-item]


def test_the_defaults_fit_the_schema_and_the_rules_of_the_models():
    whole = filled(SPEC, {})
    assert fits(SPEC, whole, "spec") == []
    PolicySpec.model_validate(whole)


def test_a_filled_policy_decides_as_a_silent_one():
    assert resolved(policy=filled(SPEC, {})).registration == resolved(policy={}).registration
    assert resolved(policy={}).registration == resolved(policy=None).registration
