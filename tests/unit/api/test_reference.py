"""The reference is the schema in words: every field, once, with what the API server will say."""

import re
from collections.abc import Iterator
from typing import Any

from causal_rollouts.api.defaults import DEFAULTS
from causal_rollouts.api.reference import page
from causal_rollouts.api.schema import crds
from e2e.api.manifests import ROOT

PAGE = page()
ROWS = [re.split(r"(?<!\\)\|", line)[1:-1] for line in PAGE.splitlines() if line.startswith("| `")]
SECTIONS = dict(re.findall(r"^### (\w+ \w+)\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))


def fields(schema: dict[str, Any], where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, field in schema.get("properties", {}).items():
        yield f"{where}.{name}", field
        yield from fields(field, f"{where}.{name}")
        yield from fields(field.get("items", {}), f"{where}.{name}[]")


KINDS = {
    crd["spec"]["names"]["kind"]: crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    for crd in crds().values()
}


def test_the_committed_page_is_what_the_models_render():
    assert (ROOT / "docs" / "api.md").read_text() == PAGE, "run `make crds` and commit the result"


def test_every_field_of_every_kind_is_told_with_its_rules():
    for kind, parts in KINDS.items():
        for part in ("spec", "status"):
            for path, field in fields(parts.get(part, {}), part):
                if path.startswith("spec.defaults."):
                    continue
                section = SECTIONS[f"{kind} {part}"]
                assert f"| `{path}` |" in section, f"{kind} {path}"
                for rule in field.get("x-kubernetes-validations", []):
                    assert rule["message"] in section, f"{kind} {path}: {rule['message']}"


def test_what_a_policy_repeats_is_word_for_word_what_a_rollout_may_say():
    def bare(node: object) -> object:
        if isinstance(node, dict):
            return {key: bare(inner) for key, inner in node.items() if key != "default"}
        return node

    spec = KINDS["CausalRollout"]["spec"]["properties"]
    repeated = KINDS["RolloutPolicy"]["spec"]["properties"]["defaults"]["properties"]
    for name, field in repeated.items():
        assert bare(field) == bare(spec[name]), name


def test_no_row_lacks_a_meaning_a_type_or_a_column():
    tables = [row for row in ROWS if len(row) == 6]
    assert len(tables) > 120
    assert [row[0] for row in tables if not row[4].strip() or not row[1].strip()] == []


def test_the_built_in_defaults_stand_beside_their_fields():
    section = SECTIONS["CausalRollout spec"]
    for path, value in (
        ("history", DEFAULTS["history"]),
        ("warmUp", DEFAULTS["warmUp"]),
        ("arms.minPods", 3),
        ("evidence.promoteCounts", "3.0"),
        ("switchback.budget", "0.3"),
    ):
        assert re.search(rf"\| `spec\.{re.escape(path)}` \| \w+ \| `{re.escape(str(value))}` \|", section), (
            path
        )
