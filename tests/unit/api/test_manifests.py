"""Examples and rejected manifests without an API server: by the schemas, and as the operator reads them."""

from pathlib import Path

import pytest

from causal_rollouts.api.reach import out_of_reach
from causal_rollouts.api.schema import crds
from e2e.api.manifests import EXAMPLES, REJECTED, Manifest, Rejected, documents
from tests.unit.api.schemas import fits
from tests.unit.api.specs import problems, resolved, spec

SCHEMAS = {
    crd["spec"]["names"]["kind"]: crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    for crd in crds().values()
}
OURS = {
    path.stem: [obj for obj in documents(path) if obj["kind"] in SCHEMAS]
    for path in EXAMPLES
    if path.stem != "target"
}
POLICY = OURS["policy"][0]["spec"]


def complaints(obj: Manifest) -> list[str]:
    """What the schema says, and what the operator says of what the schema lets pass."""
    bare = {key: value for key, value in obj.items() if key != "metadata"}
    found = [
        line.removeprefix("object.")
        for line in fits(SCHEMAS[obj["kind"]], {**bare, "metadata": {}}, "object")
    ]
    match obj["kind"]:
        case "CausalRollout":
            found += problems(obj.get("spec", {}))
        case "RolloutPolicy":
            found += problems(spec(), obj.get("spec", {}))
    return [line.replace("RolloutPolicy.spec", "spec") for line in found]


@pytest.mark.parametrize("path", REJECTED, ids=lambda path: path.stem)
def test_a_rejected_file_is_refused_without_an_api_server_too(path: Path):
    case = Rejected.read(path)
    found = complaints(case.last)
    if case.only_server:
        assert found == [], "this file does not need an API server"
        return
    parent, _, missing = case.field.rpartition(".")
    named = [
        line
        for line in found
        if case.field in line or case.field.rpartition("[")[0] in line or (parent in line and missing in line)
    ]
    assert named, f"{case.field} is not named in {found}"


@pytest.mark.parametrize("name", OURS)
def test_an_example_fits_its_schema(name: str):
    assert [line for obj in OURS[name] for line in complaints(obj)] == []


@pytest.mark.parametrize("name", [name for name in OURS if name != "policy"])
def test_an_example_resolves_under_the_standard_policy(name: str):
    (rollout,) = OURS[name]
    registration = resolved(rollout["spec"], POLICY).registration
    assert out_of_reach(registration) == ()


def test_the_first_rollout_is_twelve_lines():
    path = next(path for path in EXAMPLES if path.stem == "first-rollout")
    said = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    assert len(said) == 12


def test_the_full_rollout_says_every_field_there_is():
    (rollout,) = OURS["full-rollout"]
    assert set(rollout["spec"]) == set(SCHEMAS["CausalRollout"]["properties"]["spec"]["properties"])


def test_every_rejected_file_says_what_is_expected():
    assert len(REJECTED) >= 60
    for path in REJECTED:
        assert Rejected.read(path).field, path.name
