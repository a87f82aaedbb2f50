from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, Field

from causal_rollouts.api.schema import crds, structural, to_yaml
from e2e.api.manifests import ROOT

Node = dict[str, Any]
CRDS = crds()
VERSIONS = {name: crd["spec"]["versions"][0] for name, crd in CRDS.items()}
CLOSED = {name: version["schema"]["openAPIV3Schema"] for name, version in VERSIONS.items()}


def nodes(schema: Node, where: str) -> Iterator[tuple[str, Node]]:
    yield where, schema
    for name, inner in schema.get("properties", {}).items():
        yield from nodes(inner, f"{where}.{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from nodes(schema[key], f"{where}.{key}")


ALL = [(f"{name}:{where}", node) for name, schema in CLOSED.items() for where, node in nodes(schema, "")]


@pytest.mark.parametrize("name", CRDS)
def test_the_committed_file_is_what_the_models_render(name: str):
    committed = (ROOT / "crds" / name).read_text()
    assert committed == to_yaml(CRDS[name]), "run `make crds` and commit the result"
    assert yaml.safe_load(committed) == CRDS[name]


def test_no_file_in_crds_is_left_over():
    assert {path.name for path in (ROOT / "crds").iterdir()} == set(CRDS)


REACHING_OUT = {
    "url",
    "uri",
    "address",
    "host",
    "query",
    "promql",
    "namespace",
    "header",
    "secret",
    "token",
    "password",
}


def test_no_field_of_a_manifest_names_an_address_a_query_a_secret_or_another_namespace():
    asked = {"causalrollouts.yaml": ".spec", "rolloutpolicies.yaml": ".spec"}
    for name, begin in asked.items():
        fields = {
            where.rpartition(".")[2].strip("[]").lower()
            for where, _ in nodes(CLOSED[name], "")
            if where.startswith(begin)
        }
        assert len(fields) > 20
        assert not {field for field in fields for word in REACHING_OUT if field.endswith((word, f"{word}s"))}


def test_every_node_is_structural():
    """As the API server asks: a type everywhere, no choice between types, no reference, no closed object."""
    for where, node in ALL:
        assert node.get("type") in {"object", "array", "string", "integer", "boolean"}, where
        assert not {"$ref", "anyOf", "allOf", "oneOf", "const", "title"} & node.keys(), where
        assert node["type"] != "array" or ("items" in node and "x-kubernetes-list-type" in node), where
        assert node["type"] != "object" or not {"properties", "additionalProperties"} <= node.keys(), where


def test_everything_that_a_user_writes_is_bounded():
    """Without bounds the cost of CEL rules cannot be told and the API server refuses the CRD."""
    for where, node in ALL:
        if ":.spec" not in where or where.startswith("rolloutrecords"):
            continue
        match node["type"]:
            case "string":
                assert "maxLength" in node or "enum" in node, where
            case "array":
                assert "maxItems" in node, where
            case "integer":
                assert {"minimum", "maximum"} <= node.keys(), where
            case "object":
                assert "properties" in node or "maxProperties" in node, where


def test_nothing_has_a_default_in_a_rollout():
    assert [
        where for where, node in ALL if "default" in node and not where.startswith("rolloutpolicies")
    ] == []


def test_every_rule_says_what_is_wrong_and_what_to_do():
    rules = [(where, rule) for where, node in ALL for rule in node.get("x-kubernetes-validations", [])]
    assert len(rules) > 30
    for where, rule in rules:
        says_how = rule["message"].startswith("write ")
        assert says_how or "; " in rule["message"], f"{where}: {rule['message']}"


def test_there_is_no_number_with_a_fraction_in_the_api():
    assert not [where for where, node in ALL if node["type"] == "number"]


def test_generations_are_int64():
    found = [node for where, node in ALL if where.endswith("observedGeneration")]
    assert len(found) == 2
    assert all(node["format"] == "int64" for node in found)


def test_names_columns_and_status_are_as_users_expect():
    by_kind = {crd["spec"]["names"]["kind"]: crd["spec"] for crd in CRDS.values()}
    assert {kind: spec["names"]["shortNames"] for kind, spec in by_kind.items()} == {
        "CausalRollout": ["cro"],
        "RolloutPolicy": ["crp"],
        "RolloutRecord": ["crr"],
    }
    assert all(spec["names"]["categories"] == ["rollouts"] for spec in by_kind.values())
    shown = [
        c["name"]
        for c in VERSIONS["causalrollouts.yaml"]["additionalPrinterColumns"]
        if not c.get("priority")
    ]
    assert shown == ["Phase", "Step", "Weight", "Verdict", "Effect", "Age"]
    assert "subresources" not in VERSIONS["rolloutpolicies.yaml"]
    for name in ("causalrollouts.yaml", "rolloutrecords.yaml"):
        assert VERSIONS[name]["subresources"] == {"status": {}}


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (int | str, "a union of several types"),
        (dict[str, str], "a map needs a bound"),
        (tuple[int, str], "prefixItems"),
    ],
)
def test_a_construct_that_a_crd_cannot_say_is_an_error(kind: Any, said: str):
    class Odd(BaseModel):
        field: kind = Field()

    with pytest.raises(ValueError, match=said):
        structural(Odd)
